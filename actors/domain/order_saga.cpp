#include "actors/domain/order_saga.hpp"

#include "actors/domain/order_tables.hpp"

namespace purser {

namespace {

class saga {
public:
  saga(const order& current, order_progress& progress, const decide_context& context)
      : current_(current), progress_(progress), context_(context) {}

  decision<order_event> take() && { return std::move(made_); }

  // -- Clients ------------------------------------------------------------------------------------

  void on(const command_body& body) {
    if (const auto* place = std::get_if<place_order>(&body))
      return when_accepted(order_command::place, [&] { on_place(*place); });
    if (const auto* cancel = std::get_if<cancel_order>(&body))
      return when_accepted(order_command::cancel, [&] { on_cancel(*cancel); });
    if (const auto* ship = std::get_if<ship_order>(&body))
      return when_accepted(order_command::ship, [&] { on_ship(*ship); });
    throw broken_invariant("an order was sent " + std::string{op_of(body)});
  }

  // -- Stock --------------------------------------------------------------------------------------

  void on(const stock_reply& reply) {
    if (!progress_.stock.note(reply))
      return; // not the last one, a repeat, or of a stage that is over
    switch (progress_.stage) {
    case order_stage::holding: return held();
    case order_stage::letting_go: return finish(order_rejected{rejection::out_of_stock});
    case order_stage::committing: return committed();
    case order_stage::releasing: return finish(order_canceled{});
    case order_stage::shipping: return finish(order_completed{});
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
    if (!waits_for_money())
      return; // a repeat
    if (progress_.stage == order_stage::none)
      return on(resume_step{}); // parked when the process ended: ask again, and go on
    switch (progress_.stage) {
    case order_stage::authorizing:
      if (reply.outcome == payment_outcome::authorized)
        return unpark(), begin_committing();
      if (reply.outcome == payment_outcome::authorization_refused)
        return unpark(), fail_payment(reply.reason);
      return;
    case order_stage::capturing:
      if (reply.outcome == payment_outcome::captured)
        return unpark(), finish(order_confirmed{});
      if (reply.outcome == payment_outcome::capture_refused)
        return unpark(), fail_payment(reply.reason);
      return;
    case order_stage::reversing:
      if (reply.outcome == payment_outcome::reversed)
        return unpark(), begin(order_stage::releasing);
      if (reply.outcome == payment_outcome::reversal_refused)
        return park("reversal_refused");
      return;
    case order_stage::none:
    case order_stage::holding:
    case order_stage::letting_go:
    case order_stage::committing:
    case order_stage::releasing:
    case order_stage::shipping: return;
    }
  }

  void on(const undeliverable& notice) { park(std::string{to_string(notice.why)}); }

  void on(const resume_step&) {
    switch (phase()) {
    case order_status::reserving: return begin(order_stage::holding);
    case order_status::awaiting_payment: return begin_payment();
    case order_status::fulfilling: return begin(order_stage::shipping);
    case order_status::canceling: return begin(order_stage::reversing);
    case order_status::absent:
    case order_status::confirmed:
    case order_status::completed:
    case order_status::canceled:
    case order_status::rejected:
    case order_status::needs_attention: return;
    }
  }

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("an order was sent a message that is not for orders");
  }

private:
  template <class Accepted>
  void when_accepted(order_command command, Accepted accepted) {
    const auto& verdict = verdict_on(current_.status, command);
    if (verdict.what == order_verdict::kind::accept)
      accepted();
    else if (verdict.what == order_verdict::kind::refuse)
      made_.refused = verdict.why;
  }

  void on_place(const place_order& request) {
    made_.events.emplace_back(
      order_placed{request.customer_id, request.currency, request.lines, request.shipping,
                   order_total(request).value(), request.payment,
                   request.placed_at.value_or(timestamp{context_.now}), request.metadata});
    ask_stock(order_stage::holding, stock_step::hold, request.lines);
  }

  void on_cancel(const cancel_order& request) {
    made_.events.emplace_back(cancel_requested{request.reason.value_or("canceled_by_request")});
    begin(order_stage::reversing);
  }

  void on_ship(const ship_order& request) {
    made_.events.emplace_back(
      order_shipped{{request.shipment_id, request.carrier, request.tracking, {context_.now}}});
    begin(order_stage::shipping);
  }

  void held() {
    if (progress_.stock.refused() == rejection::none) {
      made_.events.emplace_back(order_reserved{});
      return begin_payment();
    }
    progress_.stage = order_stage::letting_go;
    progress_.stock = std::move(progress_.stock).release_granted(made_.effects, context_.attempt);
    if (progress_.stock.done()) // not one was granted
      finish(order_rejected{rejection::out_of_stock});
  }

  void committed() {
    if (progress_.stock.refused() != rejection::none)
      throw broken_invariant("K5: a hold of " + to_string(context_.self) + " is gone");
    if (current_.total == 0)
      return finish(order_confirmed{});
    progress_.stage = order_stage::capturing;
    tell_payment(capture_payment{});
  }

  void begin_payment() {
    if (current_.total == 0)
      return begin_committing(); // an order of 0 needs no payment
    progress_.stage = order_stage::authorizing;
    tell_payment(authorize_payment{current_.total, current_.currency, current_.payment.method,
                                   current_.payment.token.value_or("")});
  }

  void begin_committing() { begin(order_stage::committing); }

  void fail_payment(const std::string& reason) {
    made_.events.emplace_back(payment_failed{reason});
    begin(order_stage::reversing);
  }

  void begin(order_stage stage) {
    switch (stage) {
    case order_stage::holding: return ask_stock(stage, stock_step::hold, current_.lines);
    case order_stage::committing: return ask_stock(stage, stock_step::commit, current_.lines);
    case order_stage::releasing: return ask_stock(stage, stock_step::release, current_.lines);
    case order_stage::shipping: return ask_stock(stage, stock_step::ship, current_.lines);
    case order_stage::reversing: progress_.stage = stage; return tell_payment(reverse_payment{});
    case order_stage::none:
    case order_stage::letting_go:
    case order_stage::authorizing:
    case order_stage::capturing: break;
    }
    throw broken_invariant("no such stage to begin");
  }

  void ask_stock(order_stage stage, stock_step step, const std::vector<order_line>& lines) {
    progress_.stage = stage;
    progress_.stock = stock_fanout::ask(step, demands_of(lines), made_.effects, context_.attempt);
  }

  void tell_payment(message_body body) {
    made_.effects.emplace_back(
      send_message{{entity_kind::payment, context_.self.key}, std::move(body), {}});
  }

  void finish(order_event event) {
    made_.events.push_back(std::move(event));
    progress_.stage = order_stage::none;
  }

  void park(std::string reason) {
    if (has_open_step(current_))
      made_.events.emplace_back(order_parked{std::move(reason)});
  }

  void unpark() {
    if (current_.status == order_status::needs_attention)
      made_.events.emplace_back(order_resumed{});
  }

  /// The journaled phase of the workflow, also while it is parked.
  order_status phase() const {
    return current_.status == order_status::needs_attention ? current_.parked_from
                                                            : current_.status;
  }

  bool waits_for_money() const {
    return phase() == order_status::awaiting_payment || phase() == order_status::canceling;
  }

  const order& current_;
  order_progress& progress_;
  const decide_context& context_;
  decision<order_event> made_;
};

} // namespace

decision<order_event> decide(const order& current, order_progress& progress,
                             const message_body& request, const decide_context& context) {
  saga workflow{current, progress, context};
  std::visit([&workflow](const auto& body) { workflow.on(body); }, request);
  return std::move(workflow).take();
}

} // namespace purser
