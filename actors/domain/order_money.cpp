#include "actors/domain/order_money.hpp"

#include <algorithm>

namespace purser {

namespace {

minor_units total_of(const order_line& line) {
  return line_total(line).value();
}

/// floor(total x part / whole) without overflow.
minor_units part_of(minor_units total, std::int64_t part, std::int64_t whole) {
  __extension__ using wide = __int128;
  return static_cast<minor_units>(static_cast<wide>(total) * part / whole);
}

} // namespace

minor_units share_of(minor_units line_total, std::int64_t quantity, std::int64_t already,
                     std::int64_t units) {
  return part_of(line_total, already + units, quantity) - part_of(line_total, already, quantity);
}

minor_units price_of(const order& current, const line_units& units) {
  const auto& line = current.lines.at(units.line);
  const auto& counts = current.counts.at(units.line);
  return share_of(total_of(line), line.quantity, counts.canceled + counts.shipped, units.quantity);
}

minor_units price_of_shipment(const order& current, const std::vector<line_units>& units) {
  minor_units sum = current.shipments.empty() ? current.shipping : 0;
  for (const auto& part : units)
    sum += price_of(current, part);
  return sum;
}

minor_units refund_of(const order& current, const line_units& units) {
  const auto& line = current.lines.at(units.line);
  const auto& counts = current.counts.at(units.line);
  const auto share =
    share_of(total_of(line), line.quantity, counts.canceled + counts.returned, units.quantity);
  return std::clamp<minor_units>(share, 0, counts.captured - counts.refunded);
}

minor_units refund_of(const order& current, const std::vector<line_units>& units) {
  minor_units sum = 0;
  for (const auto& part : units)
    sum += refund_of(current, part);
  return std::min(sum, refundable(current));
}

bool is_paid_before_shipment(const order& current) {
  return current.capture == capture_policy::on_confirm;
}

minor_units refundable(const order& current) {
  return current.captured - current.refunded;
}

} // namespace purser
