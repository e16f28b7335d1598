// What parts of an order cost (domain.md, M7): shares of a line that add up to the line.
#pragma once

#include "actors/domain/order.hpp"

#include <cstdint>
#include <vector>

namespace purser {

/// The share of units number `already` + 1 to `already` + `units` of a line of `quantity` units:
/// floor(total x (already + units) / quantity) - floor(total x already / quantity).
minor_units share_of(minor_units line_total, std::int64_t quantity, std::int64_t already,
                     std::int64_t units);

/// What the units of a shipment cost, with the shipping if it is the first (capture on shipment).
minor_units price_of_shipment(const order& current, const std::vector<line_units>& units);

/// What a line of a shipment costs: its share.
minor_units price_of(const order& current, const line_units& units);

/// What goes back for a line's units that were paid for and are canceled or come back: their share,
/// at most what was captured for the line and has not gone back yet.
minor_units refund_of(const order& current, const line_units& units);

/// Whether units that have not shipped are paid for: not with capture on shipment (M6).
bool is_paid_before_shipment(const order& current);

/// The sum of refund_of over lines, at most `refundable`.
minor_units refund_of(const order& current, const std::vector<line_units>& units);

/// Captured, and not given back or about to be (M4).
minor_units refundable(const order& current);

} // namespace purser
