// Why the shop says no. A rejection is a value: it goes to the caller and is counted, it is no
// error.
#pragma once

#include <boost/describe.hpp>

#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace purser {

/// The numbers are stored in the journal: never reuse one. 0 is "not rejected".
enum class rejection : std::uint16_t {
  none = 0,
  id_reused = 1,                  ///< the id is known with another body (I2)
  order_unknown = 2,              ///< no such order
  order_already_shipped = 3,      ///< nothing is left to cancel or to ship
  order_rejected = 4,             ///< the order was rejected when it was placed
  order_canceled = 5,             ///< the order is canceled, or being canceled
  order_not_confirmed = 6,        ///< it cannot ship before it is confirmed
  out_of_stock = 7,               ///< not enough available at the location (K3)
  below_promised = 8,             ///< the adjustment would take held or committed units (K10)
  quantity_overflow = 9,          ///< the total would not fit 64 bits
  payment_unknown = 10,           ///< a payment operation has no definite outcome yet
  reservation_unknown = 11,       ///< no such reservation
  reservation_expired = 12,       ///< its hold ran out
  reservation_resolved = 13,      ///< it was released, shipped or rejected
  reservation_not_committed = 14, ///< only committed units can ship
  dead_lettered = 15,             ///< handling it crashed the entity too often (B3)
  quarantined = 16,               ///< the entity cannot be recovered (B5)
  overloaded = 17,                ///< too much is in flight; nothing happened, try again later
  order_on_hold = 18,             ///< somebody put it on hold; order.resume ends that
  order_needs_attention = 19,     ///< it is parked, with a reason; order.resolve may help
  order_closed = 20,              ///< it is over for good
  line_unknown = 21,              ///< the order has no such line
  quantity_exceeded = 22,         ///< more units than are left to cancel, to ship or to return
  shipment_unknown = 23,          ///< the order has no such shipment
  shipment_under_way = 24,        ///< the money of another shipment is being captured
  capture_refused = 25,           ///< the provider refused the money of the shipment
  refund_exceeds_captured = 26,   ///< more than was captured and not yet refunded (M4)
  refund_refused = 27,            ///< the provider refused the refund
  nothing_to_resume = 28,         ///< the order is not on hold
  nothing_to_resolve = 29,        ///< no payment of the order is unknown
  nothing_to_retry = 30,          ///< no payment of the order was declined
  batch_incomplete = 31,          ///< some SKUs of it could not be booked; all others are
};
BOOST_DESCRIBE_ENUM(rejection, none, id_reused, order_unknown, order_already_shipped,
                    order_rejected, order_canceled, order_not_confirmed, out_of_stock,
                    below_promised, quantity_overflow, payment_unknown, reservation_unknown,
                    reservation_expired, reservation_resolved, reservation_not_committed,
                    dead_lettered, quarantined, overloaded, order_on_hold, order_needs_attention,
                    order_closed, line_unknown, quantity_exceeded, shipment_unknown,
                    shipment_under_way, capture_refused, refund_exceeds_captured, refund_refused,
                    nothing_to_resume, nothing_to_resolve, nothing_to_retry, batch_incomplete)

std::string_view to_string(rejection why);

/// We were wrong: an invariant of domain.md does not hold. The actor stops and is rebuilt from the
/// journal; nothing of the change is kept. The text begins with the rule's number ("K3: ...").
struct broken_invariant : std::logic_error {
  using std::logic_error::logic_error;
};

} // namespace purser
