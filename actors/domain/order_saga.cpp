#include "actors/domain/order_saga.hpp"

#include "actors/domain/order_desk.hpp"
#include "actors/domain/order_tasks.hpp"

namespace purser {

namespace {

/// The phases of the order: from the holds to the confirmation, or back.
class saga {
public:
  explicit saga(order_work& work) : work_(work), tasks_(work) {}

  // -- Clients ------------------------------------------------------------------------------------

  void on(const command_body& body) {
    switch (order_desk{work_}.take(body)) {
    case desk_outcome::done: return;
    case desk_outcome::placed: return ask_holds();
    case desk_outcome::canceled: return begin(order_stage::reversing);
    case desk_outcome::pay_again: return begin_payment();
    case desk_outcome::payment_failed: return fail_payment("declined");
    case desk_outcome::task_opened: return tasks_.drive(work_.now().tasks.back());
    }
  }

  // -- Stock --------------------------------------------------------------------------------------

  void on(const stock_reply& reply) {
    if (tasks_.take(reply))
      return;
    auto& progress = work_.progress;
    if (!progress.stock.note(reply)) // not the last one, a repeat, or of a stage that is over
      return let_go_of_late(reply);
    switch (progress.stage) {
    case order_stage::holding: return held();
    case order_stage::letting_go: return short_of_stock();
    case order_stage::committing: return committed();
    case order_stage::releasing: return released();
    case order_stage::none:
    case order_stage::authorizing:
    case order_stage::capturing:
    case order_stage::reversing:
    case order_stage::refunding: return;
    }
  }

  void on(const offer_units& offer) {
    const auto& current = work_.now();
    if (current.phase == order_status::backordered)
      return try_again();
    if (current.phase == order_status::reserving || current.lost)
      work_.progress.offered = true; // busy: it is answered by what comes of that
    else
      work_.tell_stock(offer.sku, leave_queue{current.phase == order_status::awaiting_payment});
  }

  void on(const hold_lost& notice) {
    const auto& current = work_.now();
    if (current.phase == order_status::reserving)
      work_.progress.lost |= !notice.again;
    else if (current.phase == order_status::awaiting_payment && !current.lost &&
             work_.progress.stage != order_stage::committing) // there, stock refuses to commit
      lose_hold();
  }

  // -- Payment ------------------------------------------------------------------------------------

  void on(const payment_reply& reply) {
    if (reply.outcome == payment_outcome::unknown)
      return park_if_open(std::string{waits_for_payment});
    if (reply.outcome == payment_outcome::reversal_refused)
      return park_if_open("reversal_refused");
    if (tasks_.take(reply))
      return;
    const auto phase = work_.now().phase;
    if (phase != order_status::awaiting_payment && phase != order_status::canceling)
      return; // a repeat
    auto& stage = work_.progress.stage;
    if (stage == order_stage::none) // parked, it has left memory since, or the process ended
      stage = stage_answered_by(reply);
    switch (stage) {
    case order_stage::none: return resume_phase(); // ask again, and go on
    case order_stage::authorizing: return authorized(reply);
    case order_stage::capturing:
      if (reply.outcome == payment_outcome::captured)
        return work_.unpark_after(reply), finish(order_confirmed{});
      if (reply.outcome == payment_outcome::capture_refused)
        return work_.unpark_after(reply), fail_payment(reply.reason);
      return;
    case order_stage::reversing:
      if (reply.outcome == payment_outcome::reversed ||
          (reply.outcome == payment_outcome::refunding && phase == order_status::canceling)) {
        work_.unpark_after(reply);
        work_.progress.money_back = reply.outcome == payment_outcome::reversed;
        return let_go();
      }
      return;
    case order_stage::releasing:
    case order_stage::refunding:
      if (reply.outcome != payment_outcome::reversed)
        return;
      work_.unpark_after(reply);
      work_.progress.money_back = true;
      if (work_.progress.stage == order_stage::refunding)
        finish(order_canceled{});
      return;
    case order_stage::holding:
    case order_stage::letting_go:
    case order_stage::committing: return;
    }
  }

  // -- Time ---------------------------------------------------------------------------------------

  void on(const timer_due&) {
    const auto& current = work_.now();
    const auto at = due(current);
    if (!at || *at > work_.context.now)
      return;
    switch (current.phase) {
    case order_status::backordered: return give_up(backorder_timeout_reason);
    case order_status::awaiting_payment: return pay_deadline();
    case order_status::completed: return work_.happened(order_closed{});
    default: return;
    }
  }

  void on(const undeliverable& notice) { park_if_open(std::string{to_string(notice.why)}); }

  void on(const resume_step&) {
    if (work_.now().findings > 0)
      work_
        .tell_finding(); // it may not have come through; first, so that it meets what it is about
    resume_phase();
    for (const auto& task : std::vector{work_.now().tasks})
      tasks_.drive(task);
  }

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("an order was sent a message that is not for orders");
  }

private:
  /// The stage of an order that has forgotten it. Were it to ask again for what it is being told,
  /// and leave memory once more before the answer, it would never go on.
  order_stage stage_answered_by(const payment_reply& reply) const {
    const auto& current = work_.now();
    const auto outcome = reply.outcome;
    if (current.phase == order_status::canceling || current.lost)
      return outcome == payment_outcome::reversed || outcome == payment_outcome::refunding
               ? order_stage::reversing
               : order_stage::none;
    const bool of_authorization = outcome == payment_outcome::authorized || is_sold(reply) ||
                                  outcome == payment_outcome::authorization_refused ||
                                  outcome == payment_outcome::action_required;
    return of_authorization && !current.declined && of_this_series(reply) ? order_stage::authorizing
                                                                          : order_stage::none;
  }

  void resume_phase() {
    const auto& current = work_.now();
    switch (current.phase) {
    case order_status::reserving: return ask_holds();
    case order_status::awaiting_payment:
      if (current.lost)
        return begin(order_stage::reversing);
      if (current.waited)
        leave_queues();
      if (current.declined)
        return;
      begin_payment();
      if (current.overdue)
        work_.tell_payment(expire_authorization{});
      return;
    case order_status::canceling: return begin(order_stage::reversing);
    default: return;
    }
  }

  // -- Holding ------------------------------------------------------------------------------------

  void ask_holds() {
    work_.progress.lost = false;
    ask_stock(order_stage::holding,
              {.step = stock_step::hold, .queue = work_.now().allow_backorder},
              demands_of(work_.now().lines));
  }

  void held() {
    auto& progress = work_.progress;
    if (progress.stock.refused() == rejection::none && !progress.lost) {
      if (work_.now().waited)
        leave_queues();
      work_.happened(order_reserved{work_.in(work_.policy.hold_ms)});
      return begin_payment();
    }
    progress.stage = order_stage::letting_go;
    progress.stock =
      std::move(progress.stock)
        .release_granted(work_.made.effects, work_.next_attempt(), work_.now().allow_backorder);
    if (progress.stock.done()) // not one was granted
      short_of_stock();
  }

  /// A SKU that crashed when it had refused was asked again, and could. The order is past that.
  void let_go_of_late(const stock_reply& reply) {
    const auto& current = work_.now();
    const bool past =
      current.phase == order_status::rejected || current.phase == order_status::canceled ||
      current.phase == order_status::backordered ||
      (current.phase == order_status::reserving && work_.progress.stage == order_stage::letting_go);
    if (past && reply.step == stock_step::hold && reply.refused == rejection::none)
      work_.tell_stock(reply.sku, release_units{{}, work_.next_attempt(), current.allow_backorder});
  }

  /// All that was held is let go (K7).
  void short_of_stock() {
    const auto& current = work_.now();
    if (!current.allow_backorder)
      return finish(order_rejected{rejection::out_of_stock});
    const bool again = std::exchange(work_.progress.offered, false) || current.lost;
    const auto until = current.wait_until != 0 ? timestamp{current.wait_until}
                                               : work_.in(work_.policy.backorder_wait_ms);
    finish(order_backordered{until});
    if (again)
      try_again();
  }

  void try_again() {
    work_.happened(backorder_tried{});
    ask_holds();
  }

  void leave_queues() {
    for (const auto& demand : everything_of(work_.now().lines))
      work_.tell_stock(demand.sku, leave_queue{true});
  }

  /// K10: the money goes back first, then everything that is held; then the order waits again.
  void lose_hold() {
    if (!work_.now().allow_backorder)
      return give_up(to_string(rejection::out_of_stock));
    work_.happened(order_hold_lost{});
    begin(order_stage::reversing);
  }

  void give_up(std::string_view reason) {
    work_.happened(order_given_up{std::string{reason}});
    begin(order_stage::reversing);
  }

  // -- Paying -------------------------------------------------------------------------------------

  void pay_deadline() {
    const auto& current = work_.now();
    if (current.declined || current.action_required)
      return give_up(payment_timeout_reason);
    if (current.overdue)
      return work_.park(std::string{waits_for_payment});
    work_.happened(payment_overdue{work_.in(work_.policy.hold_max_ms - work_.policy.hold_ms)});
    work_.tell_payment(expire_authorization{});
  }

  /// Told of a sale, and not of a capture, which has a name of its own.
  bool is_sold(const payment_reply& reply) const {
    return reply.outcome == payment_outcome::captured &&
           reply.request == series_name(work_.now().series);
  }

  bool of_this_series(const payment_reply& reply) const {
    return reply.request.empty() || reply.request == series_name(work_.now().series);
  }

  void authorized(const payment_reply& reply) {
    if (!of_this_series(reply))
      return; // told once more, of an attempt before this one
    const auto outcome = reply.outcome;
    if (outcome == payment_outcome::action_required) {
      work_.unpark_after(reply);
      if (!work_.now().action_required)
        work_.happened(payment_needs_action{reply.reason});
      return;
    }
    work_.progress.sold = is_sold(reply);
    const bool paid = outcome == payment_outcome::authorized || work_.progress.sold;
    if (!paid && outcome != payment_outcome::authorization_refused)
      return;
    work_.unpark_after(reply);
    if (work_.now().action_required)
      work_.happened(payment_action_done{});
    if (paid)
      return begin(order_stage::committing);
    if (work_.now().overdue)
      return give_up(payment_timeout_reason);
    if (!work_.now().on_hold)
      return fail_payment(reply.reason);
    work_.happened(payment_declined{reply.reason}); // somebody watches: another card may come
    work_.progress.stage = order_stage::none;
  }

  void committed() {
    if (work_.progress.stock.refused() != rejection::none)
      return lose_hold(); // taken by a forced count
    const auto& current = work_.now();
    if (current.total == 0 || current.capture == capture_policy::on_ship || work_.progress.sold) {
      work_.unpark(); // its deadline may have passed while stock was asked
      return finish(order_confirmed{});
    }
    work_.progress.stage = order_stage::capturing;
    work_.tell_payment(capture_payment{std::string{capture_of_the_order}, current.total});
  }

  void begin_payment() {
    const auto& current = work_.now();
    if (current.total == 0)
      return begin(order_stage::committing); // an order of 0 needs no payment
    work_.progress.stage = order_stage::authorizing;
    if (work_.policy.sales && current.capture == capture_policy::on_confirm)
      ask_for_money<charge_payment>();
    else
      ask_for_money<authorize_payment>();
  }

  template <class Request>
  void ask_for_money() {
    const auto& current = work_.now();
    work_.tell_payment(Request{current.total, current.currency, current.payment.method,
                               current.payment.token.value_or(""), current.series});
  }

  void fail_payment(const std::string& reason) {
    work_.happened(payment_failed{reason});
    begin(order_stage::reversing);
  }

  void begin(order_stage stage) {
    if (stage == order_stage::reversing) {
      work_.progress.stage = stage;
      work_.progress.money_back = false;
      work_.progress.tasks.clear();
      work_.tell_payment(reverse_payment{});
      return;
    }
    const auto step = stage == order_stage::committing ? stock_step::commit : stock_step::release;
    ask_stock(stage, {step}, everything_of(work_.now().lines));
  }

  void ask_stock(order_stage stage, const stock_request& request,
                 std::vector<stock_demand> demands) {
    work_.progress.stage = stage;
    work_.progress.stock =
      stock_fanout::ask(request, std::move(demands), work_.made.effects, work_.next_attempt());
  }

  template <class Event>
  void finish(Event&& event) {
    work_.happened(std::forward<Event>(event));
    work_.progress.stage = order_stage::none;
  }

  void let_go() {
    if (work_.now().phase == order_status::canceling)
      return begin(order_stage::releasing);
    ask_stock(order_stage::letting_go, {.step = stock_step::release, .undo = true},
              everything_of(work_.now().lines));
  }

  void released() {
    if (work_.progress.money_back)
      finish(order_canceled{});
    else
      work_.progress.stage = order_stage::refunding;
  }

  void park_if_open(std::string reason) {
    if (has_open_step(work_.now()))
      work_.park(std::move(reason));
  }

  order_work& work_;
  order_tasks tasks_;
};

} // namespace

decision<order_event> handle(order& current, order_progress& progress, const message_body& request,
                             const decide_context& context, const order_policy& policy) {
  order_work work{current, progress, context, policy};
  saga workflow{work};
  std::visit([&workflow](const auto& body) { workflow.on(body); }, request);
  return std::move(work.made);
}

decision<order_event> decide(const order& current, order_progress& progress,
                             const message_body& request, const decide_context& context,
                             const order_policy& policy) {
  auto evolved = current;
  return handle(evolved, progress, request, context, policy);
}

} // namespace purser
