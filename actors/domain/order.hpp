// An order: its facts and rules. How it drives stock and payment is the saga's (order_saga.hpp);
// which command and which event is legal when is data (order_tables.hpp).
#pragma once

#include "actors/domain/messages.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

/// What the customer sees as `status`. The numbers are stored.
enum class order_status : std::uint8_t {
  absent = 0,
  reserving = 1,        ///< holds are being asked for
  awaiting_payment = 2, ///< all is held; the money is being taken
  confirmed = 3,        ///< committed and paid
  fulfilling = 4,       ///< a shipment is being booked out of stock
  completed = 5,        ///< everything shipped
  canceling = 6,        ///< money goes back first, then stock (C3)
  canceled = 7,
  rejected = 8,
  needs_attention = 9, ///< parked, with a reason
};
BOOST_DESCRIBE_ENUM(order_status, absent, reserving, awaiting_payment, confirmed, fulfilling,
                    completed, canceling, canceled, rejected, needs_attention)

std::string_view to_string(order_status status);

struct shipment {
  std::string shipment_id;
  std::optional<std::string> carrier;
  std::optional<std::string> tracking;
  timestamp at;

  friend bool operator==(const shipment&, const shipment&) = default;
};
BOOST_DESCRIBE_STRUCT(shipment, (), (shipment_id, carrier, tracking, at))

struct order {
  order_status status = order_status::absent;
  order_status parked_from = order_status::absent; ///< the phase that needs_attention left
  std::string reason; ///< of rejected, canceling, canceled, needs_attention
  std::string customer_id;
  std::string currency;
  std::vector<order_line> lines;
  minor_units shipping = 0;
  minor_units total = 0;
  payment_method payment;
  unix_millis placed_at = 0;
  std::map<std::string, std::string> metadata;
  std::vector<shipment> shipments;

  friend bool operator==(const order&, const order&) = default;
};
BOOST_DESCRIBE_STRUCT(order, (),
                      (status, parked_from, reason, customer_id, currency, lines, shipping, total,
                       payment, placed_at, metadata, shipments))

/// Whether a step of the workflow is under way: what a restart takes up again.
bool has_open_step(const order& current);

/// Whether a restart must take it up: it has an open step, or it is parked for a payment whose
/// outcome may have been told to its former self.
bool must_resume(const order& current);

/// Why an order is parked until its payment has a definite outcome.
inline constexpr std::string_view waits_for_payment = "payment_unknown";

// -- Events ---------------------------------------------------------------------------------------

struct order_placed {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "order_placed";
  std::string customer_id;
  std::string currency;
  std::vector<order_line> lines;
  minor_units shipping = 0;
  minor_units total = 0;
  payment_method payment;
  timestamp placed_at;
  std::map<std::string, std::string> metadata;
};
BOOST_DESCRIBE_STRUCT(order_placed, (),
                      (customer_id, currency, lines, shipping, total, payment, placed_at, metadata))

/// Every unit is held.
struct order_reserved {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "order_reserved";
};
BOOST_DESCRIBE_STRUCT(order_reserved, (), ())

/// Not everything could be held; nothing is.
struct order_rejected {
  static constexpr std::uint16_t type = 3, schema = 1;
  static constexpr std::string_view name = "order_rejected";
  rejection why = rejection::out_of_stock;
};
BOOST_DESCRIBE_STRUCT(order_rejected, (), (why))

/// Every unit is committed and the money is captured.
struct order_confirmed {
  static constexpr std::uint16_t type = 4, schema = 1;
  static constexpr std::string_view name = "order_confirmed";
};
BOOST_DESCRIBE_STRUCT(order_confirmed, (), ())

/// The provider refused the authorization or the capture.
struct payment_failed {
  static constexpr std::uint16_t type = 5, schema = 1;
  static constexpr std::string_view name = "payment_failed";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(payment_failed, (), (reason))

struct cancel_requested {
  static constexpr std::uint16_t type = 6, schema = 1;
  static constexpr std::string_view name = "cancel_requested";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(cancel_requested, (), (reason))

/// The money is back and the stock is free.
struct order_canceled {
  static constexpr std::uint16_t type = 7, schema = 1;
  static constexpr std::string_view name = "order_canceled";
};
BOOST_DESCRIBE_STRUCT(order_canceled, (), ())

/// Every line left the building.
struct order_shipped {
  static constexpr std::uint16_t type = 8, schema = 1;
  static constexpr std::string_view name = "order_shipped";
  struct shipment shipment;
};
BOOST_DESCRIBE_STRUCT(order_shipped, (), (shipment))

/// Every shipped unit is booked out of stock.
struct order_completed {
  static constexpr std::uint16_t type = 9, schema = 1;
  static constexpr std::string_view name = "order_completed";
};
BOOST_DESCRIBE_STRUCT(order_completed, (), ())

/// The workflow cannot go on by itself.
struct order_parked {
  static constexpr std::uint16_t type = 10, schema = 1;
  static constexpr std::string_view name = "order_parked";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(order_parked, (), (reason))

/// What was missing has come: the order is back in the phase it left.
struct order_resumed {
  static constexpr std::uint16_t type = 11, schema = 1;
  static constexpr std::string_view name = "order_resumed";
};
BOOST_DESCRIBE_STRUCT(order_resumed, (), ())

using order_event = std::variant<order_placed, order_reserved, order_rejected, order_confirmed,
                                 payment_failed, cancel_requested, order_canceled, order_shipped,
                                 order_completed, order_parked, order_resumed>;

// -- Rules ----------------------------------------------------------------------------------------

/// Throws broken_invariant when order_tables.hpp does not allow the event in this phase.
void evolve(order& current, const order_event& event);

/// The reason a customer reads when money was refused.
inline constexpr std::string_view payment_declined = "payment_declined";

} // namespace purser
