// One operation at a payment provider, as data.
#pragma once

#include "actors/domain/money.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <string>

namespace purser {

enum class operation_kind : std::uint8_t {
  authorize = 1,
  capture = 2,
  void_authorization = 3,
  refund = 4,
  sale = 5 ///< authorizes and captures, at a provider that takes both in one call
};
BOOST_DESCRIBE_ENUM(operation_kind, authorize, capture, void_authorization, refund, sale)

/// Whether it asks the customer's bank for the money: it can be declined, or need the customer.
constexpr bool begins_payment(operation_kind kind) {
  return kind == operation_kind::authorize || kind == operation_kind::sale;
}

/// Sent again after a crash with the same key: the provider must carry out each key at most once
/// and answer repeats as before (domain.md, I4).
struct payment_call {
  std::string idempotency_key; ///< derives from order, operation and attempt; never random
  operation_kind kind = operation_kind::authorize;
  std::string order_id;
  minor_units amount = 0;
  std::string currency; ///< ISO 4217
  std::string method;
  std::string token;
  bool ask_only = false; ///< do not carry out: say what became of this key
  /// With ask_only, of an authorization or a sale: a void under its own key. If it has not taken
  /// effect it never will, and is refused; if it has, it is answered as succeeded, and voided or
  /// refunded by a call of its own.
  bool abandon = false;
};

enum class payment_answer_kind : std::uint8_t {
  succeeded = 1,
  refused = 2,         ///< definite: no money moved
  unknown = 3,         ///< something may have happened; purser asks again with the same key
  never_seen = 4,      ///< to `ask_only`: the provider has not heard of this key
  action_required = 5, ///< the customer has to do something first; purser asks again
  expired = 6, ///< to a capture or a void: the authorization has run out, nothing of it is left
};
BOOST_DESCRIBE_ENUM(payment_answer_kind, succeeded, refused, unknown, never_seen, action_required,
                    expired)

struct payment_answer {
  payment_answer_kind kind = payment_answer_kind::unknown;
  std::string reason;    ///< why refused or unknown, for people
  std::string reference; ///< the provider's own id of the operation
};

} // namespace purser
