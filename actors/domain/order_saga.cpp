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
    case desk_outcome::placed:
      return ask_stock(order_stage::holding, {stock_step::hold}, demands_of(work_.now().lines));
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
    if (!progress.stock.note(reply))
      return; // not the last one, a repeat, or of a stage that is over
    switch (progress.stage) {
    case order_stage::holding: return held();
    case order_stage::letting_go: return finish(order_rejected{rejection::out_of_stock});
    case order_stage::committing: return committed();
    case order_stage::releasing: return finish(order_canceled{});
    case order_stage::none:
    case order_stage::authorizing:
    case order_stage::capturing:
    case order_stage::reversing: return;
    }
  }

  // -- Payment ------------------------------------------------------------------------------------

  void on(const payment_reply& reply) {
    if (reply.outcome == payment_outcome::unknown)
      return park(std::string{waits_for_payment});
    if (tasks_.take(reply))
      return;
    const auto phase = work_.now().phase;
    if (phase != order_status::awaiting_payment && phase != order_status::canceling)
      return; // a repeat
    if (work_.progress.stage == order_stage::none)
      return resume_phase(); // parked when the process ended: ask again, and go on
    switch (work_.progress.stage) {
    case order_stage::authorizing: return authorized(reply);
    case order_stage::capturing:
      if (reply.outcome == payment_outcome::captured)
        return work_.unpark(), finish(order_confirmed{});
      if (reply.outcome == payment_outcome::capture_refused)
        return work_.unpark(), fail_payment(reply.reason);
      return;
    case order_stage::reversing:
      if (reply.outcome == payment_outcome::reversed)
        return work_.unpark(), begin(order_stage::releasing);
      if (reply.outcome == payment_outcome::reversal_refused)
        return park("reversal_refused");
      return;
    case order_stage::none:
    case order_stage::holding:
    case order_stage::letting_go:
    case order_stage::committing:
    case order_stage::releasing: return;
    }
  }

  void on(const undeliverable& notice) { park(std::string{to_string(notice.why)}); }

  void on(const resume_step&) {
    resume_phase();
    for (const auto& task : std::vector{work_.now().tasks})
      tasks_.drive(task);
  }

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("an order was sent a message that is not for orders");
  }

private:
  void resume_phase() {
    const auto& current = work_.now();
    switch (current.phase) {
    case order_status::reserving:
      return ask_stock(order_stage::holding, {stock_step::hold}, demands_of(current.lines));
    case order_status::awaiting_payment: return current.declined ? void() : begin_payment();
    case order_status::canceling: return begin(order_stage::reversing);
    default: return;
    }
  }

  void held() {
    auto& progress = work_.progress;
    if (progress.stock.refused() == rejection::none) {
      work_.happened(order_reserved{});
      return begin_payment();
    }
    progress.stage = order_stage::letting_go;
    progress.stock =
      std::move(progress.stock).release_granted(work_.made.effects, work_.next_attempt());
    if (progress.stock.done()) // not one was granted
      finish(order_rejected{rejection::out_of_stock});
  }

  void authorized(const payment_reply& reply) {
    if (reply.outcome == payment_outcome::authorized)
      return work_.unpark(), begin(order_stage::committing);
    if (reply.outcome != payment_outcome::authorization_refused)
      return;
    work_.unpark();
    if (!work_.now().on_hold)
      return fail_payment(reply.reason);
    work_.happened(payment_declined{reply.reason}); // somebody watches: another card may come
    work_.progress.stage = order_stage::none;
  }

  void committed() {
    if (work_.progress.stock.refused() != rejection::none)
      throw broken_invariant("K5: a hold of " + to_string(work_.context.self) + " is gone");
    const auto& current = work_.now();
    if (current.total == 0 || current.capture == capture_policy::on_ship)
      return finish(order_confirmed{});
    work_.progress.stage = order_stage::capturing;
    work_.tell_payment(capture_payment{std::string{capture_of_the_order}, current.total});
  }

  void begin_payment() {
    const auto& current = work_.now();
    if (current.total == 0)
      return begin(order_stage::committing); // an order of 0 needs no payment
    work_.progress.stage = order_stage::authorizing;
    work_.tell_payment(authorize_payment{current.total, current.currency, current.payment.method,
                                         current.payment.token.value_or(""), current.series});
  }

  void fail_payment(const std::string& reason) {
    work_.happened(payment_failed{reason});
    begin(order_stage::reversing);
  }

  void begin(order_stage stage) {
    if (stage == order_stage::reversing) {
      work_.progress.stage = stage;
      work_.progress.tasks.clear();
      return work_.tell_payment(reverse_payment{});
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

  void finish(order_event event) {
    work_.happened(std::move(event));
    work_.progress.stage = order_stage::none;
  }

  void park(std::string reason) {
    if (has_open_step(work_.now()))
      work_.happened(order_parked{std::move(reason)});
  }

  order_work& work_;
  order_tasks tasks_;
};

} // namespace

decision<order_event> decide(const order& current, order_progress& progress,
                             const message_body& request, const decide_context& context) {
  order_work work{current, progress, context};
  saga workflow{work};
  std::visit([&workflow](const auto& body) { workflow.on(body); }, request);
  return std::move(work.made);
}

} // namespace purser
