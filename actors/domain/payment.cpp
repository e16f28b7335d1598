#include "actors/domain/payment.hpp"

#include <algorithm>
#include <array>

namespace purser {

namespace {

using status = operation_status;

constexpr std::array<std::pair<status, status>, 14> moves{{
  {status::created, status::submitted},
  {status::created, status::refused},
  {status::submitted, status::succeeded},
  {status::submitted, status::refused},
  {status::submitted, status::unknown},
  {status::submitted, status::action_required},
  {status::action_required, status::succeeded},
  {status::action_required, status::refused},
  {status::action_required, status::submitted},
  {status::unknown, status::succeeded},
  {status::unknown, status::refused},
  {status::unknown, status::submitted},
  {status::unknown, status::action_required},
  {status::refused, status::succeeded},
}};

/// Throws broken_invariant for a move that is not in the table.
void move(payment_operation& operation, status to) {
  const bool legal =
    std::find(moves.begin(), moves.end(), std::pair{operation.status, to}) != moves.end();
  if (!legal)
    throw broken_invariant("P2: an operation cannot move from " +
                           std::to_string(static_cast<int>(operation.status)) + " to " +
                           std::to_string(static_cast<int>(to)));
  operation.status = to;
}

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
      std::none_of(current.operations.begin(), current.operations.end(), [&](const auto& other) {
        return other.operation_id != event.operation_id && is_exclusive(other) &&
               other.status != operation_status::created;
      });
    if (!alone)
      throw broken_invariant("P1: a second open operation, " + event.operation_id);
    current.currency = event.currency;
    current.method = event.method;
    current.token = event.token;
    for (auto& waiting : current.operations)
      if (waiting.operation_id == event.operation_id) { // it was created, or not seen
        if (waiting.status != status::submitted)
          move(waiting, status::submitted);
        return;
      }
    if (begins_payment(event.kind))
      current.reversing = current.overdue = false; // a new attempt to pay
    add(event, status::submitted);
  }

  void operator()(const operation_succeeded& event) const {
    auto& operation = known(event.operation_id); // it may be a late success (C6)
    move(operation, status::succeeded);
    operation.reference = event.reference;
    switch (operation.kind) {
    case operation_kind::authorize: current.authorized += operation.amount; break;
    case operation_kind::capture: current.captured += operation.amount; break;
    case operation_kind::void_authorization: current.voided += operation.amount; break;
    case operation_kind::refund: current.refunded += operation.amount; break;
    case operation_kind::sale:
      current.authorized += operation.amount;
      current.captured += operation.amount;
      break;
    }
    if (authorized_rest(current) < 0)
      throw broken_invariant("M2: more captured or voided than authorized");
    if (current.refunded > current.captured)
      throw broken_invariant("M4: more refunded than captured");
  }

  void operator()(const operation_refused& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    move(operation, status::refused);
    operation.reason = event.reason;
  }

  void operator()(const operation_unknown& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    move(operation, status::unknown);
    operation.reason = event.reason;
  }

  void operator()(const reversal_requested&) const { current.reversing = true; }

  void operator()(const authorization_expired& event) const {
    current.expired += event.amount;
    if (authorized_rest(current) < 0)
      throw broken_invariant("M2: more expired than authorized");
  }

  void operator()(const authorization_overdue&) const { current.overdue = true; }

  void operator()(const operation_created& event) const { add(event, status::created); }

  void operator()(const operation_stuck& event) const {
    must_be_open(current, event.operation_id).stuck = true;
  }

  void operator()(const operation_needs_action& event) const {
    auto& operation = must_be_open(current, event.operation_id);
    move(operation, status::action_required);
    operation.reason = event.reason;
  }

  template <class Event>
  void add(const Event& event, status at) const {
    constexpr std::size_t usual = 2; // an authorization and a capture
    if (current.operations.empty())
      current.operations.reserve(usual);
    auto& operation = current.operations.emplace_back();
    operation.operation_id = event.operation_id;
    operation.kind = event.kind;
    operation.status = at;
    operation.amount = event.amount;
    operation.request = event.request;
  }

  payment_operation& known(const std::string& operation_id) const {
    for (auto& operation : current.operations)
      if (operation.operation_id == operation_id)
        return operation;
    throw broken_invariant("P2: no operation " + operation_id);
  }
};

} // namespace

std::span<const std::pair<operation_status, operation_status>> operation_moves() {
  return moves;
}

bool is_open(const payment_operation& operation) {
  return operation.status != operation_status::succeeded &&
         operation.status != operation_status::refused;
}

bool has_open_step(const payment& current) {
  return std::any_of(current.operations.begin(), current.operations.end(), [](const auto& one) {
    return is_open(one) && !one.stuck && one.status != operation_status::action_required;
  });
}

bool must_resume(const payment& current) {
  return open_operation(current) != nullptr;
}

const payment_operation* open_operation(const payment& current) {
  const auto open = std::find_if(current.operations.begin(), current.operations.end(), is_open);
  return open == current.operations.end() ? nullptr : &*open;
}

minor_units authorized_rest(const payment& current) {
  return current.authorized - current.captured - current.voided - current.expired;
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
    case operation_kind::sale: return "charging";
    }
  }
  if (current.captured > 0)
    return current.refunded == current.captured ? "refunded"
           : current.refunded > 0               ? "partly_refunded"
                                                : "captured";
  if (current.authorized > 0)
    return authorized_rest(current) > 0 ? "authorized" : current.voided > 0 ? "voided" : "expired";
  return current.operations.empty() ? "none" : "declined";
}

void evolve(payment& current, const payment_event& event) {
  std::visit(payment_evolution{current}, event);
}

} // namespace purser
