#include "actors/domain/order.hpp"

#include "actors/domain/order_tables.hpp"

#include <boost/describe/enum_to_string.hpp>

namespace purser {

namespace {

struct order_evolution {
  order& current;

  void operator()(const order_placed& event) const {
    current.customer_id = event.customer_id;
    current.currency = event.currency;
    current.lines = event.lines;
    current.shipping = event.shipping;
    current.total = event.total;
    current.payment = event.payment;
    current.placed_at = event.placed_at.ms;
    current.metadata = event.metadata;
  }
  void operator()(const order_rejected& event) const { current.reason = to_string(event.why); }
  void operator()(const payment_failed&) const { current.reason = payment_declined; }
  void operator()(const cancel_requested& event) const { current.reason = event.reason; }
  void operator()(const order_shipped& event) const { current.shipments.push_back(event.shipment); }
  void operator()(const order_parked& event) const { current.reason = event.reason; }
  void operator()(const order_resumed&) const { current.reason.clear(); }
  void operator()(const order_reserved&) const {}
  void operator()(const order_confirmed&) const {}
  void operator()(const order_canceled&) const {}
  void operator()(const order_completed&) const {}
};

} // namespace

std::string_view to_string(order_status status) {
  return boost::describe::enum_to_string(status, "unknown");
}

bool has_open_step(const order& current) {
  switch (current.status) {
  case order_status::reserving:
  case order_status::awaiting_payment:
  case order_status::fulfilling:
  case order_status::canceling: return true;
  case order_status::needs_attention:
  case order_status::absent:
  case order_status::confirmed:
  case order_status::completed:
  case order_status::canceled:
  case order_status::rejected: return false;
  }
  return false;
}

bool must_resume(const order& current) {
  return has_open_step(current) ||
         (current.status == order_status::needs_attention && current.reason == waits_for_payment);
}

void evolve(order& current, const order_event& event) {
  const auto type = std::visit([](const auto& e) { return e.type; }, event);
  const auto next = next_status(current.status, type);
  if (!next)
    throw broken_invariant("the order's table does not allow " +
                           std::string{std::visit([](const auto& e) { return e.name; }, event)} +
                           " while " + std::string{to_string(current.status)});
  std::visit(order_evolution{current}, event);
  if (*next == order_status::needs_attention)
    current.parked_from = current.status;
  current.status = *next == order_status::absent ? current.parked_from : *next;
}

} // namespace purser
