#include "actors/domain/payment.hpp"

#include <algorithm>

namespace purser {

namespace {

bool is_open(const payment_operation& operation) {
  return operation.status == operation_status::submitted ||
         operation.status == operation_status::unknown;
}

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
  return call_of(order_id, {operation.operation_id, operation.kind, operation.amount,
                            current.currency, current.method, current.token});
}

class payment_rules {
public:
  payment_rules(const payment& current, payment_progress& progress, const decide_context& context,
                const payment_policy& policy)
      : current_(current), progress_(progress), context_(context), policy_(policy) {}

  decision<payment_event> take() && { return std::move(made_); }

  void on(const authorize_payment& request) {
    const auto* operation = last_of(current_, operation_kind::authorize);
    if (operation == nullptr)
      return submit(current_, operation_kind::authorize,
                    {"", operation_kind::authorize, request.amount, request.currency,
                     request.method, request.token});
    if (operation->status == operation_status::succeeded) // even while a capture is open
      return reply(payment_outcome::authorized);
    if (operation->status == operation_status::refused)
      reply(payment_outcome::authorization_refused, operation->reason);
    // else it is open: its outcome will be told
  }

  void on(const capture_payment&) {
    if (open_operation(current_) != nullptr)
      return;
    if (const auto* operation = last_of(current_, operation_kind::capture)) {
      if (operation->status == operation_status::succeeded)
        return reply(payment_outcome::captured);
      return reply(payment_outcome::capture_refused, operation->reason);
    }
    if (current_.authorized - current_.voided <= 0)
      throw broken_invariant("M3: capture without an authorization");
    submit(current_, operation_kind::capture, same_payment(current_.authorized - current_.voided));
  }

  void on(const reverse_payment&) {
    if (!current_.reversing && open_operation(current_) == nullptr && balance(current_) == 0)
      return reply(payment_outcome::reversed); // nothing was ever taken
    if (!current_.reversing)
      made_.events.emplace_back(reversal_requested{});
    if (open_operation(current_) == nullptr)
      reverse(current_);
  }

  void on(const provider_reply& got) {
    const auto* operation = find(current_, got.operation_id);
    if (operation == nullptr || !is_open(*operation))
      return; // a late repeat: the outcome is known
    switch (got.answer.kind) {
    case payment_answer_kind::succeeded: return succeed(*operation, got.answer);
    case payment_answer_kind::refused: return refuse(*operation, got.answer);
    case payment_answer_kind::unknown: return ask_again(*operation, got.answer.reason);
    case payment_answer_kind::never_seen: return not_seen(*operation, got);
    }
  }

  void on(const resume_step&) { made_.effects = resume(current_, context_); }

  void on(const undeliverable&) {} // the order cannot take our reply; it asks when it is back

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("a payment was sent a message that is not for payments");
  }

private:
  static minor_units balance(const payment& state) {
    return (state.authorized - state.captured - state.voided) + (state.captured - state.refunded);
  }

  operation_submitted same_payment(minor_units amount) const {
    return {
      "", operation_kind::authorize, amount, current_.currency, current_.method, current_.token};
  }

  void succeed(const payment_operation& operation, const payment_answer& answer) {
    progress_ = {};
    made_.events.emplace_back(operation_succeeded{operation.operation_id, operation.kind,
                                                  operation.amount, answer.reference});
    auto next = current_;
    evolve(next, made_.events.back());
    if (next.reversing)
      return reverse(next);
    reply(operation.kind == operation_kind::authorize ? payment_outcome::authorized
                                                      : payment_outcome::captured);
  }

  void refuse(const payment_operation& operation, const payment_answer& answer) {
    progress_ = {};
    made_.events.emplace_back(
      operation_refused{operation.operation_id, operation.kind, answer.reason});
    const bool forward =
      operation.kind == operation_kind::authorize || operation.kind == operation_kind::capture;
    if (!forward)
      return reply(payment_outcome::reversal_refused, answer.reason);
    if (!current_.reversing)
      return reply(operation.kind == operation_kind::authorize
                     ? payment_outcome::authorization_refused
                     : payment_outcome::capture_refused,
                   answer.reason);
    auto next = current_;
    evolve(next, made_.events.back());
    reverse(next);
  }

  /// P3: the outcome is not known; the same key is asked about, ever more slowly.
  void ask_again(const payment_operation& operation, const std::string& reason) {
    if (operation.status != operation_status::unknown)
      made_.events.emplace_back(operation_unknown{operation.operation_id, operation.kind, reason});
    if (progress_.unknown_since_ms == 0)
      progress_.unknown_since_ms = std::max<std::int64_t>(context_.monotonic_ms, 1);
    auto call = call_of(current_, context_.self.key, operation);
    call.call.ask_only = true;
    call.delay_ms =
      std::min(policy_.ask_again_max_ms, policy_.ask_again_ms << std::min(progress_.asks, 20));
    ++progress_.asks;
    made_.effects.emplace_back(std::move(call));
    if (progress_.asks == policy_.asks_before_alarm)
      reply(payment_outcome::unknown, reason);
  }

  void not_seen(const payment_operation& operation, const provider_reply& got) {
    const auto since = progress_.unknown_since_ms;
    if (got.asked && since != 0 && context_.monotonic_ms - since >= policy_.settle_ms) {
      made_.effects.emplace_back(call_of(current_, context_.self.key, operation)); // same key
      return;
    }
    ask_again(operation, "the provider has not seen it yet");
  }

  /// Voids what is authorized, refunds what is captured, or says that nothing is left.
  void reverse(const payment& state) {
    const auto open_authorization = state.authorized - state.captured - state.voided;
    if (open_authorization > 0)
      return submit(state, operation_kind::void_authorization, same_payment(open_authorization));
    if (state.captured > state.refunded)
      return submit(state, operation_kind::refund, same_payment(state.captured - state.refunded));
    reply(payment_outcome::reversed);
  }

  void submit(const payment& state, operation_kind kind, operation_submitted operation) {
    const auto attempt =
      1 + std::count_if(state.operations.begin(), state.operations.end(),
                        [&](const auto& earlier) { return earlier.kind == kind; });
    operation.kind = kind;
    operation.operation_id = std::string{verb(kind)} + "-" + std::to_string(attempt);
    made_.effects.emplace_back(call_of(context_.self.key, operation));
    made_.events.emplace_back(std::move(operation));
  }

  void reply(payment_outcome outcome, std::string reason = {}) {
    made_.effects.emplace_back(send_message{
      {entity_kind::order, context_.self.key}, payment_reply{outcome, std::move(reason)}, {}});
  }

  const payment& current_;
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
    if (open_operation(current) != nullptr)
      throw broken_invariant("P1: a second open operation, " + event.operation_id);
    current.currency = event.currency;
    current.method = event.method;
    current.token = event.token;
    current.operations.push_back(
      {event.operation_id, event.kind, operation_status::submitted, event.amount, {}, {}});
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
};

} // namespace

const payment_operation* open_operation(const payment& current) {
  if (current.operations.empty() || !is_open(current.operations.back()))
    return nullptr;
  return &current.operations.back();
}

std::string status_of(const payment& current) {
  if (const auto* operation = open_operation(current)) {
    if (operation->status == operation_status::unknown)
      return "unknown";
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
  const auto* operation = open_operation(current);
  if (operation == nullptr) {
    return {};
  }
  auto call = call_of(current, context.self.key, *operation);
  call.call.ask_only = operation->status == operation_status::unknown;
  return {std::move(call)};
}

} // namespace purser
