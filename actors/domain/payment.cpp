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

const payment_operation* last_of(const payment& current, operation_kind kind) {
  const auto found = std::find_if(current.operations.rbegin(), current.operations.rend(),
                                  [&](const auto& operation) { return operation.kind == kind; });
  return found == current.operations.rend() ? nullptr : &*found;
}

std::string_view verb(operation_kind kind) {
  switch (kind) {
  case operation_kind::authorize: return "authorize";
  case operation_kind::capture: return "capture";
  case operation_kind::void_authorization: return "void";
  case operation_kind::refund: return "refund";
  }
  return "unknown";
}

/// I4: from the order, the operation and its attempt; never random.
std::string key_of(const std::string& order_id, const std::string& operation_id) {
  return order_id + ":" + operation_id;
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

bool is_forward(operation_kind kind) {
  return kind == operation_kind::authorize || kind == operation_kind::capture;
}

/// Operations that exclude each other (P1).
bool blocks(const payment_operation& operation) {
  return is_open(operation) && operation.kind != operation_kind::refund;
}

bool is_blocked(const payment& current) {
  return std::any_of(current.operations.begin(), current.operations.end(), blocks);
}

minor_units authorized_rest(const payment& state) {
  return state.authorized - state.captured - state.voided;
}

payment_outcome outcome_of(const payment_operation& operation, bool succeeded) {
  switch (operation.kind) {
  case operation_kind::authorize:
    return succeeded ? payment_outcome::authorized : payment_outcome::authorization_refused;
  case operation_kind::capture:
    return succeeded ? payment_outcome::captured : payment_outcome::capture_refused;
  case operation_kind::void_authorization:
    return succeeded ? payment_outcome::voided : payment_outcome::void_refused;
  case operation_kind::refund:
    return succeeded ? payment_outcome::refunded : payment_outcome::refund_refused;
  }
  return payment_outcome::unknown;
}

class payment_rules {
public:
  payment_rules(const payment& current, payment_progress& progress, const decide_context& context,
                const payment_policy& policy)
      : state_(current), progress_(progress), context_(context), policy_(policy) {}

  decision<payment_event> take() && { return std::move(made_); }

  // -- What the order asks for --------------------------------------------------------------------

  void on(const authorize_payment& request) {
    const auto authorizations =
      std::count_if(state_.operations.begin(), state_.operations.end(), [](const auto& operation) {
        return operation.kind == operation_kind::authorize;
      });
    if (authorizations < static_cast<std::ptrdiff_t>(request.series))
      return submit({"", operation_kind::authorize, request.amount, request.currency,
                     request.method, request.token, ""});
    const auto& operation = *last_of(state_, operation_kind::authorize);
    if (!is_open(operation)) // even while a capture is open
      reply(outcome_of(operation, operation.status == operation_status::succeeded),
            operation.reason);
    // else its outcome will be told
  }

  void on(const capture_payment& request) {
    if (requested(operation_kind::capture, request.request))
      return;
    if (request.amount > authorized_rest(state_))
      throw broken_invariant("M3: more would be captured than is authorized");
    ask_for(operation_kind::capture, request.amount, request.request);
  }

  void on(const refund_payment& request) {
    if (requested(operation_kind::refund, request.request))
      return;
    ask_for(operation_kind::refund, request.amount, request.request);
  }

  void on(const void_rest&) {
    if (const auto* operation = last_of(state_, operation_kind::void_authorization);
        operation != nullptr && is_open(*operation))
      return; // its outcome will be told
    const auto rest = authorized_rest(state_);
    if (rest <= 0)
      return reply(payment_outcome::voided);
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
               operation.status == operation_status::action_required;
      });
    if (unknown == state_.operations.end())
      return;
    const auto operation = *unknown;
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
    if (found == nullptr || !is_open(*found))
      return; // a late repeat: the outcome is known
    const auto operation = *found;
    switch (got.answer.kind) {
    case payment_answer_kind::succeeded: return succeed(operation, got.answer);
    case payment_answer_kind::refused: return refuse(operation, got.answer);
    case payment_answer_kind::unknown: return ask_again(operation, got.answer.reason);
    case payment_answer_kind::action_required: return wait_for_action(operation, got.answer.reason);
    case payment_answer_kind::never_seen: return not_seen(operation, got);
    }
  }

  void on(const resume_step&) { made_.effects = resume(state_, context_); }

  void on(const undeliverable&) {} // the order cannot take our reply; it asks when it is back

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("a payment was sent a message that is not for payments");
  }

private:
  minor_units balance() const {
    return authorized_rest(state_) + state_.captured - state_.refunded;
  }

  void happened(payment_event event) {
    evolve(state_, event);
    made_.events.push_back(std::move(event));
  }

  /// Whether the order has asked for this before; then it is told what is known.
  bool requested(operation_kind kind, const std::string& request) {
    const auto known =
      std::find_if(state_.operations.begin(), state_.operations.end(), [&](const auto& operation) {
        return operation.kind == kind && operation.request == request;
      });
    if (known == state_.operations.end())
      return false;
    if (!is_open(*known))
      reply(outcome_of(*known, known->status == operation_status::succeeded), known->reason,
            request);
    return true;
  }

  void ask_for(operation_kind kind, minor_units amount, const std::string& request) {
    if (kind != operation_kind::refund && is_blocked(state_))
      return happened(operation_created{next_id(kind), kind, amount, request});
    submit({"", kind, amount, state_.currency, state_.method, state_.token, request});
  }

  void succeed(const payment_operation& operation, const payment_answer& answer) {
    progress_.asked.erase(operation.operation_id);
    happened(operation_succeeded{operation.operation_id, operation.kind, operation.amount,
                                 answer.reference});
    go_on(operation, true, {});
  }

  void refuse(const payment_operation& operation, const payment_answer& answer) {
    progress_.asked.erase(operation.operation_id);
    happened(operation_refused{operation.operation_id, operation.kind, answer.reason});
    if (state_.reversing && !is_forward(operation.kind) && operation.request.empty())
      return reply(payment_outcome::reversal_refused, answer.reason);
    go_on(operation, false, answer.reason);
  }

  /// An operation has ended: the order is told, and what waited gets its turn.
  void go_on(const payment_operation& operation, bool succeeded, const std::string& reason) {
    if (state_.reversing)
      return reverse();
    reply(outcome_of(operation, succeeded), reason, operation.request);
    const auto next =
      std::find_if(state_.operations.begin(), state_.operations.end(),
                   [](const auto& other) { return other.status == operation_status::created; });
    if (next == state_.operations.end() || blocked_by_submitted())
      return;
    submit({next->operation_id, next->kind, next->amount, state_.currency, state_.method,
            state_.token, next->request});
  }

  bool blocked_by_submitted() const {
    return std::any_of(state_.operations.begin(), state_.operations.end(), [](const auto& other) {
      return blocks(other) && other.status != operation_status::created;
    });
  }

  /// P3: the outcome is not known; the same key is asked about, ever more slowly.
  void ask_again(const payment_operation& operation, const std::string& reason) {
    if (operation.status != operation_status::unknown)
      happened(operation_unknown{operation.operation_id, operation.kind, reason});
    auto& asking = progress_.asked[operation.operation_id];
    if (asking.unknown_since_ms == 0)
      asking.unknown_since_ms = std::max<std::int64_t>(context_.monotonic_ms, 1);
    ask_later(operation, asking);
    if (asking.asks == policy_.asks_before_alarm)
      reply(payment_outcome::unknown, reason, operation.request);
  }

  /// The customer takes the time that the order's deadline gives; the provider is asked meanwhile.
  void wait_for_action(const payment_operation& operation, const std::string& reason) {
    if (operation.status != operation_status::action_required)
      happened(operation_needs_action{operation.operation_id, operation.kind, reason});
    ask_later(operation, progress_.asked[operation.operation_id]);
  }

  void ask_later(const payment_operation& operation, payment_progress::asking& asking) {
    auto call = call_of(state_, context_.self.key, operation);
    call.call.ask_only = true;
    call.delay_ms =
      std::min(policy_.ask_again_max_ms, policy_.ask_again_ms << std::min(asking.asks, 20));
    ++asking.asks;
    made_.effects.emplace_back(std::move(call));
  }

  void not_seen(const payment_operation& operation, const provider_reply& got) {
    const auto since = progress_.asked[operation.operation_id].unknown_since_ms;
    if (got.asked && since != 0 && context_.monotonic_ms - since >= policy_.settle_ms) {
      made_.effects.emplace_back(call_of(state_, context_.self.key, operation)); // same key
      return;
    }
    ask_again(operation, "the provider has not seen it yet");
  }

  /// Voids what is authorized, refunds what is captured, or says that nothing is left. What only
  /// waited is not begun any more.
  void reverse() {
    for (const auto& operation : std::vector{state_.operations})
      if (operation.status == operation_status::created)
        happened(operation_refused{operation.operation_id, operation.kind, "reversed"});
    if (open_operation(state_) != nullptr)
      return; // it is looked at again when that has ended
    if (const auto rest = authorized_rest(state_); rest > 0)
      return submit({"", operation_kind::void_authorization, rest, state_.currency, state_.method,
                     state_.token, ""});
    if (state_.captured > state_.refunded)
      return submit({"", operation_kind::refund, state_.captured - state_.refunded, state_.currency,
                     state_.method, state_.token, ""});
    reply(payment_outcome::reversed);
  }

  std::string next_id(operation_kind kind) const {
    const auto attempt =
      1 + std::count_if(state_.operations.begin(), state_.operations.end(),
                        [&](const auto& earlier) { return earlier.kind == kind; });
    return std::string{verb(kind)} + "-" + std::to_string(attempt);
  }

  void submit(operation_submitted operation) {
    if (operation.operation_id.empty())
      operation.operation_id = next_id(operation.kind);
    made_.effects.emplace_back(call_of(context_.self.key, operation));
    happened(std::move(operation));
  }

  void reply(payment_outcome outcome, std::string reason = {}, std::string request = {}) {
    made_.effects.emplace_back(
      send_message{{entity_kind::order, context_.self.key},
                   payment_reply{outcome, std::move(reason), std::move(request)},
                   {}});
  }

  payment state_; ///< with what was decided so far
  payment_progress& progress_;
  const decide_context& context_;
  const payment_policy& policy_;
  decision<payment_event> made_;
};

payment_operation& must_be_open(payment& current, const std::string& operation_id) {
  for (auto& operation : current.operations)
    if (operation.operation_id == operation_id && is_open(operation))
      return operation;
  throw broken_invariant("P1: no open operation " + operation_id);
}

struct payment_evolution {
  payment& current;

  void operator()(const operation_submitted& event) const {
    const bool alone =
      event.kind == operation_kind::refund ||
      std::none_of(current.operations.begin(), current.operations.end(), [](const auto& other) {
        return blocks(other) && other.status != operation_status::created;
      });
    if (!alone)
      throw broken_invariant("P1: a second open operation, " + event.operation_id);
    current.currency = event.currency;
    current.method = event.method;
    current.token = event.token;
    for (auto& waiting : current.operations)
      if (waiting.operation_id == event.operation_id) {
        waiting.status = operation_status::submitted;
        return;
      }
    current.operations.push_back({event.operation_id,
                                  event.kind,
                                  operation_status::submitted,
                                  event.amount,
                                  {},
                                  {},
                                  event.request});
  }

  void operator()(const operation_succeeded& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    operation.status = operation_status::succeeded;
    operation.reference = event.reference;
    switch (operation.kind) {
    case operation_kind::authorize: current.authorized += operation.amount; break;
    case operation_kind::capture: current.captured += operation.amount; break;
    case operation_kind::void_authorization: current.voided += operation.amount; break;
    case operation_kind::refund: current.refunded += operation.amount; break;
    }
    if (current.authorized - current.captured - current.voided < 0)
      throw broken_invariant("M2: more captured or voided than authorized");
    if (current.refunded > current.captured)
      throw broken_invariant("M4: more refunded than captured");
  }

  void operator()(const operation_refused& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    operation.status = operation_status::refused;
    operation.reason = event.reason;
  }

  void operator()(const operation_unknown& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    operation.status = operation_status::unknown;
    operation.reason = event.reason;
  }

  void operator()(const reversal_requested&) const { current.reversing = true; }

  void operator()(const operation_created& event) const {
    current.operations.push_back({event.operation_id,
                                  event.kind,
                                  operation_status::created,
                                  event.amount,
                                  {},
                                  {},
                                  event.request});
  }

  void operator()(const operation_needs_action& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    operation.status = operation_status::action_required;
    operation.reason = event.reason;
  }
};

} // namespace

bool is_open(const payment_operation& operation) {
  return operation.status != operation_status::succeeded &&
         operation.status != operation_status::refused;
}

const payment_operation* open_operation(const payment& current) {
  const auto open = std::find_if(current.operations.begin(), current.operations.end(), is_open);
  return open == current.operations.end() ? nullptr : &*open;
}

std::string status_of(const payment& current) {
  if (const auto* operation = open_operation(current)) {
    if (operation->status == operation_status::unknown)
      return "unknown";
    if (operation->status == operation_status::action_required)
      return "action_required";
    switch (operation->kind) {
    case operation_kind::authorize: return "authorizing";
    case operation_kind::capture: return "capturing";
    case operation_kind::void_authorization: return "voiding";
    case operation_kind::refund: return "refunding";
    }
  }
  if (current.captured > 0)
    return current.refunded == current.captured ? "refunded"
           : current.refunded > 0               ? "partly_refunded"
                                                : "captured";
  if (current.authorized > 0)
    return current.voided == current.authorized ? "voided" : "authorized";
  return current.operations.empty() ? "none" : "declined";
}

decision<payment_event> decide(const payment& current, payment_progress& progress,
                               const message_body& request, const decide_context& context,
                               const payment_policy& policy) {
  payment_rules rules{current, progress, context, policy};
  std::visit([&rules](const auto& body) { rules.on(body); }, request);
  return std::move(rules).take();
}

void evolve(payment& current, const payment_event& event) {
  std::visit(payment_evolution{current}, event);
}

std::vector<effect> resume(const payment& current, const decide_context& context) {
  std::vector<effect> calls;
  for (const auto& operation : current.operations) {
    if (!is_open(operation) || operation.status == operation_status::created)
      continue; // what waits is submitted when the open one ends
    auto call = call_of(current, context.self.key, operation);
    call.call.ask_only = operation.status != operation_status::submitted;
    calls.emplace_back(std::move(call));
  }
  return calls;
}

} // namespace purser
