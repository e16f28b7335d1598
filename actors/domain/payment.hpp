// The payment of one order: five totals, and operations at the provider, each with its own machine
// (domain.md, "Money").
//
//   created -> submitted -> succeeded | refused | unknown | action_required
//   unknown, action_required -> succeeded | refused | (asked again)
//
// M2 authorized - captured - voided - expired >= 0    M3 captured <= authorized
// M4 refunded <= captured
// P1 At most one operation is open, refunds apart: the next ones wait as `created`.
// P2 An operation keeps its key for ever, so that no repeat charges twice; a request of the order
//    (a shipment's capture, a refund) is one operation for ever.
// P3 `unknown` is left only by asking the provider, or by an operator's finding; "never seen" is
//    believed after `settle_ms`: then the same call is made again, or the operation is abandoned
//    when its time is over (C6, I4).
// P4 Compensations that the provider refuses are tried again under a new attempt, ever more slowly
//    and without end; after `asks_before_alarm` the order is told (C4).
// P5 A capture whose authorization has run out renews it once, under a new attempt series (C1).
// P6 A sale authorizes and captures in one call. The order goes on as after an authorization, and
//    needs no capture any more; what is taken back is refunded.
#pragma once

#include "actors/domain/messages.hpp"

#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

enum class operation_status : std::uint8_t {
  submitted = 1,
  succeeded,
  refused,
  unknown,
  created,         ///< waits for the one that is open
  action_required, ///< the customer has to do something
};
BOOST_DESCRIBE_ENUM(operation_status, submitted, succeeded, refused, unknown, created,
                    action_required)

struct payment_operation {
  std::string operation_id; ///< "authorize-1", "capture-1", "sale-1"...
  operation_kind kind = operation_kind::authorize;
  operation_status status = operation_status::submitted;
  minor_units amount = 0;
  std::string reason;    ///< why refused or unknown
  std::string reference; ///< the provider's
  std::string request;   ///< what the order named it by; empty for those it does not name
  bool stuck = false;    ///< asked or tried so often that people were told

  friend bool operator==(const payment_operation&, const payment_operation&) = default;
};
BOOST_DESCRIBE_STRUCT(payment_operation, (),
                      (operation_id, kind, status, amount, reason, reference, request, stuck))

struct payment {
  std::string currency;
  std::string method;
  std::string token;
  minor_units authorized = 0;
  minor_units captured = 0;
  minor_units voided = 0;
  minor_units expired = 0; ///< authorizations that ran out
  minor_units refunded = 0;
  bool reversing = false; ///< the balance is to become zero
  bool overdue = false;   ///< an authorization that was not seen is not repeated
  std::vector<payment_operation> operations;

  friend bool operator==(const payment&, const payment&) = default;
};
BOOST_DESCRIBE_STRUCT(payment, (),
                      (currency, method, token, authorized, captured, voided, expired, refunded,
                       reversing, overdue, operations))

/// What is authorized and neither captured, voided nor expired (M2).
minor_units authorized_rest(const payment& current);

/// Whether an operation has no definite outcome yet.
bool is_open(const payment_operation& operation);

/// The legal moves of an operation; evolve refuses others.
std::span<const std::pair<operation_status, operation_status>> operation_moves();

/// Whether it is open and no other may be under way beside it (P1).
inline bool is_exclusive(const payment_operation& operation) {
  return is_open(operation) && operation.kind != operation_kind::refund;
}

/// Whether something goes on by itself and soon: what waits for the customer or is stuck does not.
bool has_open_step(const payment& current);

/// Whether a restart must take it up: an operation has no definite outcome.
bool must_resume(const payment& current);

/// The first operation without a definite outcome, or null.
const payment_operation* open_operation(const payment& current);

/// For people and JSON: none, authorizing, charging, authorized, captured, voided, refunded,
/// declined, unknown...
std::string status_of(const payment& current);

// -- Events ---------------------------------------------------------------------------------------

struct operation_submitted {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "operation_submitted";
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  minor_units amount = 0;
  std::string currency;
  std::string method;
  std::string token;
  std::string request;
};
BOOST_DESCRIBE_STRUCT(operation_submitted, (),
                      (operation_id, kind, amount, currency, method, token, request))

/// It is to be submitted once nothing else is open (P1).
struct operation_created {
  static constexpr std::uint16_t type = 6, schema = 1;
  static constexpr std::string_view name = "operation_created";
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  minor_units amount = 0;
  std::string request;
};
BOOST_DESCRIBE_STRUCT(operation_created, (), (operation_id, kind, amount, request))

struct operation_needs_action {
  static constexpr std::uint16_t type = 7, schema = 1;
  static constexpr std::string_view name = "operation_needs_action";
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(operation_needs_action, (), (operation_id, kind, reason))

struct operation_succeeded {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "operation_succeeded";
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  minor_units amount = 0;
  std::string reference;
};
BOOST_DESCRIBE_STRUCT(operation_succeeded, (), (operation_id, kind, amount, reference))

struct operation_refused {
  static constexpr std::uint16_t type = 3, schema = 1;
  static constexpr std::string_view name = "operation_refused";
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(operation_refused, (), (operation_id, kind, reason))

struct operation_unknown {
  static constexpr std::uint16_t type = 4, schema = 1;
  static constexpr std::string_view name = "operation_unknown";
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(operation_unknown, (), (operation_id, kind, reason))

struct reversal_requested {
  static constexpr std::uint16_t type = 5, schema = 1;
  static constexpr std::string_view name = "reversal_requested";
};
BOOST_DESCRIBE_STRUCT(reversal_requested, (), ())

/// What was authorized has run out at the provider.
struct authorization_expired {
  static constexpr std::uint16_t type = 8, schema = 1;
  static constexpr std::string_view name = "authorization_expired";
  minor_units amount = 0;
};
BOOST_DESCRIBE_STRUCT(authorization_expired, (), (amount))

/// The order's deadline has passed: an authorization that the provider has not seen is abandoned.
struct authorization_overdue {
  static constexpr std::uint16_t type = 9, schema = 1;
  static constexpr std::string_view name = "authorization_overdue";
};
BOOST_DESCRIBE_STRUCT(authorization_overdue, (), ())

/// Asked or tried often enough: people have been told. It goes on, ever more slowly.
struct operation_stuck {
  static constexpr std::uint16_t type = 10, schema = 1;
  static constexpr std::string_view name = "operation_stuck";
  std::string operation_id;
};
BOOST_DESCRIBE_STRUCT(operation_stuck, (), (operation_id))

using payment_event =
  std::variant<operation_submitted, operation_succeeded, operation_refused, operation_unknown,
               reversal_requested, operation_created, operation_needs_action, authorization_expired,
               authorization_overdue, operation_stuck>;

// -- Rules ----------------------------------------------------------------------------------------

/// How a payment asks about operations without an outcome (settings payment.*).
struct payment_policy {
  std::int64_t ask_again_ms = 1'000;      ///< before the first question; doubles
  std::int64_t ask_again_max_ms = 60'000; ///< the longest wait between questions
  std::int64_t settle_ms = 30'000;        ///< "never seen" is believed after this long
  int asks_before_alarm = 5;              ///< then the order goes to needs_attention
};

/// What a payment remembers about its open operations within one life of the actor.
struct payment_progress {
  struct asking {
    std::int64_t unknown_since_ms = 0; ///< monotonic; 0: not unknown
    int asks = 0;
  };
  std::map<std::string, asking> asked; ///< by operation id
};

/// `context.self.key` is the order's id; replies go to that order.
decision<payment_event> decide(const payment& current, payment_progress& progress,
                               const message_body& request, const decide_context& context,
                               const payment_policy& policy);

/// Decides, and evolves the payment by the events on the way, so that nothing is copied. When it
/// throws, the payment is half evolved: of no use.
decision<payment_event> handle(payment& current, payment_progress& progress,
                               const message_body& request, const decide_context& context,
                               const payment_policy& policy);

/// Throws broken_invariant (M2 to M4, P1).
void evolve(payment& current, const payment_event& event);

/// Takes the open operations up again, after a crash of anything: the same call with the same key.
std::vector<effect> resume(const payment& current, const decide_context& context);

/// What the order is told once more when it may not have heard: the newest outcome of each thing
/// that it asked for. For a message that was handled before, by an incarnation that crashed.
std::vector<effect> answer_again(const payment& current, const message_body& request,
                                 const decide_context& context);

} // namespace purser
