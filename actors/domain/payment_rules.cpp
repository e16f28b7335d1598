// Of a payment: what each message means for it (payment.hpp, P1 to P5).
#include "actors/domain/effects.hpp"
#include "actors/domain/payment.hpp"

#include <algorithm>

namespace purser {

namespace {

const payment_operation* find(const payment& current, const std::string& operation_id) {
  const auto found =
    std::find_if(current.operations.begin(), current.operations.end(),
                 [&](const auto& operation) { return operation.operation_id == operation_id; });
  return found == current.operations.end() ? nullptr : &*found;
}

const payment_operation* last_of(const payment& current, const auto& which) {
  const auto found = std::find_if(current.operations.rbegin(), current.operations.rend(),
                                  [&](const auto& operation) { return which(operation.kind); });
  return found == current.operations.rend() ? nullptr : &*found;
}

bool is_void(operation_kind kind) {
  return kind == operation_kind::void_authorization;
}

bool is_sale(operation_kind kind) {
  return kind == operation_kind::sale;
}

/// An authorization and a sale are asked for by one name, and one takes the place of the other.
bool alike(operation_kind one, operation_kind other) {
  return one == other || (begins_payment(one) && begins_payment(other));
}

std::string_view verb(operation_kind kind) {
  switch (kind) {
  case operation_kind::authorize: return "authorize";
  case operation_kind::capture: return "capture";
  case operation_kind::void_authorization: return "void";
  case operation_kind::refund: return "refund";
  case operation_kind::sale: return "sale";
  }
  return "unknown";
}

/// I4: from the order, the operation and its attempt; never random.
std::string key_of(const std::string& order_id, const std::string& operation_id) {
  std::string key;
  key.reserve(order_id.size() + 1 + operation_id.size());
  return key.append(order_id).append(":").append(operation_id);
}

call_provider call_of(const std::string& order_id, const operation_submitted& operation) {
  return {{key_of(order_id, operation.operation_id), operation.kind, order_id, operation.amount,
           operation.currency, operation.method, operation.token},
          operation.operation_id};
}

call_provider call_of(const payment& current, const std::string& order_id,
                      const payment_operation& operation) {
  return call_of(order_id, {operation.operation_id,
                            operation.kind,
                            operation.amount,
                            current.currency,
                            current.method,
                            current.token,
                            {}});
}

bool is_blocked(const payment& current) {
  return std::any_of(current.operations.begin(), current.operations.end(), is_exclusive);
}

bool is_forward(operation_kind kind) {
  return begins_payment(kind) || kind == operation_kind::capture;
}

/// Why an operation was refused whose authorization had run out.
constexpr std::string_view run_out = "expired";

payment_outcome outcome_of(const payment_operation& operation, bool succeeded) {
  switch (operation.kind) {
  case operation_kind::authorize:
    return succeeded ? payment_outcome::authorized : payment_outcome::authorization_refused;
  case operation_kind::sale:
    return succeeded ? payment_outcome::captured : payment_outcome::authorization_refused;
  case operation_kind::capture:
    return succeeded ? payment_outcome::captured : payment_outcome::capture_refused;
  case operation_kind::void_authorization: // what has run out is as good as voided
    return succeeded || operation.reason == run_out ? payment_outcome::voided
                                                    : payment_outcome::void_refused;
  case operation_kind::refund:
    return succeeded ? payment_outcome::refunded : payment_outcome::refund_refused;
  }
  return payment_outcome::unknown;
}

class payment_rules {
public:
  payment_rules(payment& current, payment_progress& progress, const decide_context& context,
                const payment_policy& policy)
      : state_(current), progress_(progress), context_(context), policy_(policy) {}

  decision<payment_event> take() && { return std::move(made_); }

  // -- What the order asks for --------------------------------------------------------------------

  void on(const authorize_payment& request) { begin(operation_kind::authorize, request); }
  void on(const charge_payment& request) { begin(operation_kind::sale, request); }

  void on(const capture_payment& request) {
    if (requested(operation_kind::capture, request.request))
      return;
    if (request.amount <= authorized_rest(state_))
      return ask_for(operation_kind::capture, request.amount, request.request);
    if (is_sold(request.amount))
      return reply(payment_outcome::captured, {}, request.request), tell_what_is_stuck();
    if (state_.expired == 0)
      throw broken_invariant("M3: more would be captured than is authorized");
    renew(request.amount - authorized_rest(state_), request.amount, request.request);
  }

  void on(const refund_payment& request) {
    if (requested(operation_kind::refund, request.request))
      return;
    ask_for(operation_kind::refund, request.amount, request.request);
  }

  void on(const void_rest&) {
    if (const auto* operation = last_of(state_, is_void);
        operation != nullptr && is_open(*operation))
      return; // its outcome will be told
    const auto rest = authorized_rest(state_);
    if (rest <= 0)
      return reply(payment_outcome::voided), tell_what_is_stuck();
    ask_for(operation_kind::void_authorization, rest, "");
  }

  void on(const reverse_payment&) {
    if (!state_.reversing && open_operation(state_) == nullptr && balance() == 0)
      return reply(payment_outcome::reversed); // nothing was ever taken, or all went back before
    if (!state_.reversing)
      happened(reversal_requested{});
    reverse();
  }

  void on(const settle_payment& found) {
    const auto unknown =
      std::find_if(state_.operations.begin(), state_.operations.end(), [](const auto& operation) {
        return operation.status == operation_status::unknown ||
               operation.status == operation_status::action_required ||
               (operation.stuck && operation.status == operation_status::submitted); // once more
      });
    if (unknown == state_.operations.end())
      return;
    const auto operation = *unknown;
    if (operation.status == operation_status::submitted)
      withdraw(operation); // else the money would move once by hand and once more by the call
    const bool done = found.finding == payment_finding::captured ? is_forward(operation.kind)
                      : found.finding == payment_finding::voided
                        ? operation.kind == operation_kind::void_authorization
                        : operation.kind == operation_kind::refund;
    if (done)
      succeed(operation, {payment_answer_kind::succeeded, {}, "operator: " + found.note});
    else
      refuse(operation, {payment_answer_kind::refused, "operator: " + found.note, {}});
  }

  // -- What the provider says ---------------------------------------------------------------------

  void on(const provider_reply& got) {
    const auto* found = find(state_, got.operation_id);
    if (found == nullptr)
      return;
    if (is_open(*found) && got.answer.kind == payment_answer_kind::succeeded)
      return succeed(*found, got.answer);
    const auto operation = *found; // it outlives the state that it is in
    if (operation.status == operation_status::refused &&
        got.answer.kind == payment_answer_kind::succeeded)
      return succeed_late(operation, got.answer);
    if (!is_open(operation))
      return tell_again(); // a repeat: the outcome is known, but perhaps not to the order
    switch (got.answer.kind) {
    case payment_answer_kind::succeeded: return; // see above
    case payment_answer_kind::refused: return refuse(operation, got.answer);
    case payment_answer_kind::unknown: return ask_again(operation, got.answer.reason);
    case payment_answer_kind::action_required: return wait_for_action(operation, got.answer.reason);
    case payment_answer_kind::never_seen: return not_seen(operation, got);
    case payment_answer_kind::expired: return ran_out(operation, got.answer);
    }
  }

  void on(const expire_authorization&) {
    const auto* operation = last_of(state_, begins_payment);
    if (operation == nullptr || !is_open(*operation) || state_.overdue)
      return;
    const auto open = *operation;
    happened(authorization_overdue{});
    if (open.status != operation_status::submitted)
      ask(open, 0);
  }

  void on(const resume_step&) { made_.effects = resume(state_, context_); }

  void on(const undeliverable&) {} // the order cannot take our reply; it asks when it is back

  void tell_again() {
    const auto is_newest = [this](const payment_operation& operation) {
      return std::none_of(state_.operations.begin() + (&operation - state_.operations.data()) + 1,
                          state_.operations.end(), [&](const auto& later) {
                            return alike(later.kind, operation.kind) &&
                                   (later.request == operation.request ||
                                    begins_payment(later.kind));
                          });
    };
    if (state_.reversing)
      return tell_of_reversal();
    for (const auto& operation : state_.operations)
      if (!is_open(operation) && is_newest(operation) && !is_renewal(operation.request))
        reply(outcome_of(operation, operation.status == operation_status::succeeded),
              operation.reason, operation.request);
    tell_what_is_stuck();
  }

  /// The withdrawal may not have gone out before a crash; of what does not wait it is no news.
  void withdraw_all_that_ended() {
    for (const auto& operation : state_.operations)
      if (!is_open(operation))
        withdraw(operation);
  }

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("a payment was sent a message that is not for payments");
  }

private:
  minor_units balance() const {
    return authorized_rest(state_) + state_.captured - state_.refunded;
  }

  /// What an order that is captured when it is confirmed was charged, and has not got back.
  bool is_sold(minor_units amount) const {
    const auto* sale = last_of(state_, is_sale);
    return sale != nullptr && sale->status == operation_status::succeeded &&
           amount <= state_.captured - state_.refunded;
  }

  template <class Request>
  void begin(operation_kind kind, const Request& request) {
    const auto series = series_name(request.series);
    if (!requested(kind, series)) // even while a capture is open
      submit({"", kind, request.amount, request.currency, request.method, request.token, series});
  }

  template <class Event>
  void happened(Event&& event) {
    evolve(state_, made_.events.emplace_back(std::forward<Event>(event)));
  }

  /// Whether the order has asked for this before; then it is told what is known.
  bool requested(operation_kind kind, const std::string& request) {
    const auto known = std::find_if(
      state_.operations.rbegin(), state_.operations.rend(), [&](const auto& operation) {
        return alike(operation.kind, kind) && operation.request == request;
      });
    if (known == state_.operations.rend())
      return false;
    if (known->status == operation_status::action_required)
      reply(payment_outcome::action_required, known->reason, request);
    else if (!is_open(*known))
      end_of(*known, known->status == operation_status::succeeded, known->reason);
    else
      tell_if_stuck(*known); // else its outcome will be told
    return true;
  }

  /// The order goes on with an outcome; what else is stuck parks it, if it is not parked.
  void end_of(const payment_operation& operation, bool succeeded, const std::string& reason) {
    reply(outcome_of(operation, succeeded), reason, operation.request);
    tell_what_is_stuck();
  }

  void tell_what_is_stuck() {
    for (const auto& operation : state_.operations)
      tell_if_stuck(operation);
  }

  void tell_of_reversal() {
    const bool only_refunds =
      std::none_of(state_.operations.begin(), state_.operations.end(), [](const auto& operation) {
        return is_open(operation) && operation.kind != operation_kind::refund;
      });
    if (open_operation(state_) == nullptr && balance() == 0)
      reply(payment_outcome::reversed);
    else if (only_refunds && authorized_rest(state_) <= 0)
      reply(payment_outcome::refunding);
    tell_what_is_stuck();
  }

  bool is_stuck() const {
    return std::any_of(state_.operations.begin(), state_.operations.end(),
                       [](const auto& operation) { return operation.stuck && is_open(operation); });
  }

  /// An order that goes on, or was restarted, must learn again that only people can help.
  void tell_if_stuck(const payment_operation& operation) {
    if (!operation.stuck || !is_open(operation))
      return;
    const bool refused =
      is_compensation(operation) && operation.status == operation_status::submitted;
    reply(refused ? payment_outcome::reversal_refused : payment_outcome::unknown, operation.reason,
          operation.request);
  }

  void ask_for(operation_kind kind, minor_units amount, const std::string& request) {
    if (kind != operation_kind::refund && is_blocked(state_))
      return happened(operation_created{next_id(kind), kind, amount, request});
    submit({"", kind, amount, state_.currency, state_.method, state_.token, request});
  }

  /// The operation may be one of the state's: what is under way is looked at before others begin.
  void succeed(const payment_operation& operation, const payment_answer& answer) {
    progress_.asked.erase(operation.operation_id);
    happened(operation_succeeded{operation.operation_id, operation.kind, operation.amount,
                                 answer.reference});
    go_on(operation, true, {});
  }

  void refuse(const payment_operation& operation, const payment_answer& answer) {
    progress_.asked.erase(operation.operation_id);
    happened(operation_refused{operation.operation_id, operation.kind, answer.reason});
    if (is_compensation(operation))
      return compensate_again(operation, answer.reason);
    if (operation.kind == operation_kind::authorize)
      refuse_waiting(operation.request, answer.reason);
    go_on(operation, false, answer.reason);
  }

  /// An operation has ended: the order is told, and what waited gets its turn.
  void go_on(const payment_operation& operation, bool succeeded, const std::string& reason) {
    if (state_.reversing)
      return reverse();
    if (is_renewal(operation.request))
      tell_what_is_stuck();
    else
      end_of(operation, succeeded, reason);
    const auto next =
      std::find_if(state_.operations.begin(), state_.operations.end(),
                   [](const auto& other) { return other.status == operation_status::created; });
    if (next == state_.operations.end() || blocked_by_submitted())
      return;
    submit({next->operation_id, next->kind, next->amount, state_.currency, state_.method,
            state_.token, next->request});
  }

  // -- Compensations (P4) -------------------------------------------------------------------------

  /// What gives money back because the order said so: refused, it is tried again.
  bool is_compensation(const payment_operation& operation) const {
    if (operation.kind == operation_kind::void_authorization)
      return true;
    return operation.kind == operation_kind::refund &&
           (operation.request.empty() || operation.request.starts_with("cancel/") ||
            operation.request.starts_with("return/") || operation.request.starts_with("late/"));
  }

  void compensate_again(const payment_operation& operation, const std::string& reason) {
    const auto failures = static_cast<int>(
      std::count_if(state_.operations.begin(), state_.operations.end(), [&](const auto& other) {
        return other.kind == operation.kind && other.request == operation.request &&
               other.status == operation_status::refused;
      }));
    submit({"", operation.kind, operation.amount, state_.currency, state_.method, state_.token,
            operation.request},
           wait_before(failures - 1, failures > policy_.asks_before_alarm));
    if (failures >= policy_.asks_before_alarm)
      happened(operation_stuck{state_.operations.back().operation_id});
    if (failures == policy_.asks_before_alarm)
      reply(payment_outcome::reversal_refused, reason, operation.request);
  }

  // -- Authorizations that run out (P5) -----------------------------------------------------------

  static bool is_renewal(const std::string& request) { return request.starts_with("renew/"); }

  void ran_out(const payment_operation& operation, const payment_answer& answer) {
    if (begins_payment(operation.kind) || operation.kind == operation_kind::refund)
      return refuse(operation, answer); // cannot be: they need no authorization
    const bool renewed = requested_before("renew/" + operation.request);
    progress_.asked.erase(operation.operation_id);
    happened(operation_refused{operation.operation_id, operation.kind, std::string{run_out}});
    const auto rest = authorized_rest(state_);
    if (rest > 0)
      happened(authorization_expired{rest});
    if (state_.reversing)
      return reverse();
    if (operation.kind == operation_kind::void_authorization)
      return reply(payment_outcome::voided), tell_what_is_stuck();
    if (renewed)
      return go_on(operation, false, std::string{run_out});
    renew(rest, operation.amount, operation.request);
  }

  bool requested_before(const std::string& request) const {
    return std::any_of(state_.operations.begin(), state_.operations.end(),
                       [&](const auto& operation) { return operation.request == request; });
  }

  void renew(minor_units missing, minor_units amount, const std::string& request) {
    submit({"", operation_kind::authorize, missing, state_.currency, state_.method, state_.token,
            "renew/" + request});
    happened(operation_created{next_id(operation_kind::capture), operation_kind::capture, amount,
                               request});
  }

  /// The captures that waited for a renewal that was refused.
  void refuse_waiting(const std::string& renewal, const std::string& reason) {
    if (!is_renewal(renewal))
      return;
    for (const auto& operation : std::vector{state_.operations})
      if (operation.status == operation_status::created &&
          "renew/" + operation.request == renewal) {
        happened(operation_refused{operation.operation_id, operation.kind, reason});
        if (!state_.reversing)
          reply(payment_outcome::capture_refused, reason, operation.request);
      }
  }

  bool blocked_by_submitted() const {
    return std::any_of(state_.operations.begin(), state_.operations.end(), [](const auto& other) {
      return is_exclusive(other) && other.status != operation_status::created;
    });
  }

  /// C6: it took effect after it was given up. The order does not want it any more.
  void succeed_late(const payment_operation& operation, const payment_answer& answer) {
    happened(operation_succeeded{operation.operation_id, operation.kind, operation.amount,
                                 answer.reference});
    made_.effects.emplace_back(raise_alarm{"payment_late_success order=" + context_.self.key +
                                           " operation=" + operation.operation_id});
    if (!is_forward(operation.kind))
      return; // money went back twice: only the alarm helps
    if (state_.reversing)
      return reverse();
    ask_for(operation.kind == operation_kind::authorize ? operation_kind::void_authorization
                                                        : operation_kind::refund,
            operation.amount, "late/" + operation.operation_id);
  }

  /// P3: the outcome is not known; the same key is asked about, ever more slowly.
  void ask_again(const payment_operation& operation, const std::string& reason) {
    if (operation.status != operation_status::unknown &&
        operation.status != operation_status::action_required)
      happened(operation_unknown{operation.operation_id, operation.kind, reason});
    auto& asking = progress_.asked[operation.operation_id];
    if (asking.unknown_since_ms == 0)
      asking.unknown_since_ms = std::max<std::int64_t>(context_.monotonic_ms, 1);
    ask_later(operation, asking);
    if (asking.asks < policy_.asks_before_alarm || operation.stuck)
      return;
    happened(operation_stuck{operation.operation_id});
    reply(payment_outcome::unknown, reason, operation.request);
  }

  /// The customer takes the time that the order's deadline gives; the provider is asked meanwhile.
  void wait_for_action(const payment_operation& operation, const std::string& reason) {
    if (operation.status != operation_status::action_required) {
      happened(operation_needs_action{operation.operation_id, operation.kind, reason});
      if (!state_.reversing)
        reply(payment_outcome::action_required, reason, operation.request);
    }
    ask_later(operation, progress_.asked[operation.operation_id]);
  }

  /// What is stuck is in people's hands: it is looked at an order of magnitude more seldom.
  std::int64_t wait_before(int attempt, bool stuck) const {
    constexpr int most_doublings = 20;
    constexpr std::int64_t more_seldom = 60;
    const auto most = stuck ? policy_.ask_again_max_ms * more_seldom : policy_.ask_again_max_ms;
    return std::min(most, policy_.ask_again_ms << std::clamp(attempt, 0, most_doublings));
  }

  void ask_later(const payment_operation& operation, payment_progress::asking& asking) {
    ask(operation, wait_before(asking.asks++, operation.stuck));
  }

  void ask(const payment_operation& operation, std::int64_t delay_ms) {
    auto call = call_of(state_, context_.self.key, operation);
    call.call.ask_only = true;
    call.call.abandon = begins_payment(operation.kind) && state_.reversing;
    call.delay_ms = delay_ms;
    made_.effects.emplace_back(std::move(call));
  }

  void withdraw(const payment_operation& operation) {
    auto call = call_of(state_, context_.self.key, operation);
    call.withdraw = true;
    made_.effects.emplace_back(std::move(call));
  }

  void not_seen(const payment_operation& operation, const provider_reply& got) {
    auto& asking = progress_.asked[operation.operation_id];
    const bool believed = got.asked && asking.unknown_since_ms != 0 &&
                          context_.monotonic_ms - asking.unknown_since_ms >= policy_.settle_ms;
    if (!believed)
      return ask_again(operation, "the provider has not seen it yet");
    if (!begins_payment(operation.kind) || !(state_.reversing || state_.overdue)) {
      asking.unknown_since_ms = 0;
      return submit({operation.operation_id, operation.kind, operation.amount, state_.currency,
                     state_.method, state_.token, operation.request}); // the same key
    }
    if (got.abandoned)
      return refuse(operation, {payment_answer_kind::refused, "never seen", {}});
    auto call = call_of(state_, context_.self.key, operation);
    call.call.ask_only = call.call.abandon = true;
    made_.effects.emplace_back(std::move(call));
  }

  /// Voids what is authorized, refunds what is captured, or says that nothing is left. What only
  /// waited is not begun any more. An authorization or a sale under way is voided under its own key
  /// (I4).
  void reverse() {
    for (const auto& operation : std::vector{state_.operations})
      if (operation.status == operation_status::created)
        happened(operation_refused{operation.operation_id, operation.kind, "reversed"});
    minor_units under_way = 0; // of refunds
    for (const auto& operation : state_.operations) {
      if (!is_open(operation))
        continue;
      if (operation.kind == operation_kind::refund) {
        under_way += operation.amount;
        continue;
      }
      if (begins_payment(operation.kind))
        ask(operation, 0);
      return tell_if_stuck(operation); // looked at again when that has ended
    }
    if (const auto rest = authorized_rest(state_); rest > 0)
      return submit({"", operation_kind::void_authorization, rest, state_.currency, state_.method,
                     state_.token, ""});
    if (const auto rest = state_.captured - state_.refunded - under_way; rest > 0)
      submit({"", operation_kind::refund, rest, state_.currency, state_.method, state_.token, ""});
    else if (under_way == 0)
      return reply(payment_outcome::reversed);
    reply(payment_outcome::refunding);
    tell_what_is_stuck();
  }

  std::string next_id(operation_kind kind) const {
    const auto attempt =
      1 + std::count_if(state_.operations.begin(), state_.operations.end(),
                        [&](const auto& earlier) { return earlier.kind == kind; });
    std::string id{verb(kind)};
    id += '-';
    return id += std::to_string(attempt);
  }

  void submit(operation_submitted operation, std::int64_t delay_ms = 0) {
    if (operation.operation_id.empty())
      operation.operation_id = next_id(operation.kind);
    auto call = call_of(context_.self.key, operation);
    call.delay_ms = delay_ms;
    made_.effects.emplace_back(std::move(call));
    happened(std::move(operation));
  }

  void reply(payment_outcome outcome, const std::string& reason = {},
             const std::string& request = {}) {
    tell(made_.effects, entity_kind::order, context_.self.key,
         payment_reply{outcome, reason, request, is_stuck()});
  }

  payment& state_; ///< with what was decided so far
  payment_progress& progress_;
  const decide_context& context_;
  const payment_policy& policy_;
  decision<payment_event> made_;
};

} // namespace

std::vector<effect> answer_again(const payment& current, const message_body& request,
                                 const decide_context& context) {
  const payment_policy policy;
  payment_progress progress;
  auto known = current;
  payment_rules rules{known, progress, context, policy};
  if (std::holds_alternative<settle_payment>(request))
    rules.withdraw_all_that_ended();
  rules.tell_again();
  return std::move(std::move(rules).take().effects);
}

decision<payment_event> handle(payment& current, payment_progress& progress,
                               const message_body& request, const decide_context& context,
                               const payment_policy& policy) {
  payment_rules rules{current, progress, context, policy};
  std::visit([&rules](const auto& body) { rules.on(body); }, request);
  return std::move(rules).take();
}

decision<payment_event> decide(const payment& current, payment_progress& progress,
                               const message_body& request, const decide_context& context,
                               const payment_policy& policy) {
  auto evolved = current;
  return handle(evolved, progress, request, context, policy);
}

std::vector<effect> resume(const payment& current, const decide_context& context) {
  std::vector<effect> calls;
  for (const auto& operation : current.operations) {
    if (!is_open(operation) || operation.status == operation_status::created)
      continue; // what waits is submitted when the open one ends
    auto call = call_of(current, context.self.key, operation);
    call.call.ask_only = operation.status != operation_status::submitted;
    call.call.abandon = call.call.ask_only && begins_payment(operation.kind) && current.reversing;
    calls.emplace_back(std::move(call));
  }
  return calls;
}

} // namespace purser
