// What orders are asked for.
#include "tests/actors/naive_shop.hpp"

#include <algorithm>

namespace purser::tests {

namespace {

using status = order_status;

bool is_one_of(order_status phase, std::initializer_list<order_status> phases) {
  return std::find(phases.begin(), phases.end(), phase) != phases.end();
}

} // namespace

/// What every command is told that comes too late, or to nobody.
rejection naive_shop::over_for(const naive_order& order) const {
  switch (order.phase) {
  case status::absent: return rejection::order_unknown;
  case status::rejected: return rejection::order_rejected;
  case status::canceling:
  case status::canceled: return rejection::order_canceled;
  case status::closed: return rejection::order_closed;
  default: return rejection::none;
  }
}

rejection naive_shop::on(const std::string& id, const place_order& command) {
  auto& order = orders[id];
  order.wanted = command;
  order.token = command.payment.token.value_or("");
  order.total = order_total(command).value();
  for (const auto& line : command.lines)
    order.lines.push_back({line});
  order.phase = status::reserving;
  if (!stock_is_slow)
    reserve(id);
  return rejection::none;
}

std::vector<line_quantity> naive_shop::all_left(const naive_order& order) const {
  std::vector<line_quantity> parts;
  for (const auto& line : order.lines)
    if (left_of(line) > 0)
      parts.push_back({line.wanted.line_id, static_cast<std::uint32_t>(left_of(line))});
  return parts;
}

/// Why these units can neither be canceled nor shipped, or none.
rejection naive_shop::cannot_take(naive_order& order,
                                  const std::vector<line_quantity>& parts) const {
  for (const auto& part : parts) {
    const auto* line = find_line(order, part.line_id);
    if (line == nullptr)
      return rejection::line_unknown;
    if (part.quantity > left_of(*line))
      return rejection::quantity_exceeded;
  }
  return parts.empty() ? rejection::order_already_shipped : rejection::none;
}

rejection naive_shop::on(const std::string& id, const cancel_order& command) {
  auto& order = orders[id];
  if (order.parked)
    return rejection::payment_unknown;
  if (!command.lines && is_one_of(order.phase, {status::canceling, status::canceled}))
    return rejection::none;
  if (const auto over = over_for(order); over != rejection::none)
    return over;
  const bool early =
    is_one_of(order.phase, {status::reserving, status::awaiting_payment, status::backordered});
  if (command.lines && early)
    return rejection::order_not_confirmed;
  if (is_one_of(order.phase, {status::completed, status::returning}))
    return rejection::order_already_shipped;
  if (has_task(order, "ship/"))
    return rejection::shipment_under_way;
  const auto parts = command.lines.value_or(all_left(order));
  if (const auto why = cannot_take(order, parts); why != rejection::none)
    return why;
  std::int64_t rest = 0;
  for (const auto& part : all_left(order))
    rest += part.quantity;
  for (const auto& part : parts)
    rest -= part.quantity;
  if (order.shipments.empty() && rest == 0)
    cancel(id, command.reason.value_or("canceled_by_request"));
  else
    cancel_units(id, parts);
  return rejection::none;
}

void naive_shop::cancel_units(const std::string& id, const std::vector<line_quantity>& parts) {
  auto& order = orders.at(id);
  minor_units money = 0;
  for (const auto& part : parts) {
    auto& line = *find_line(order, part.line_id);
    if (order.wanted.capture == capture_policy::on_confirm) // else it was never captured
      money += refund_units(line, part.quantity);
    line.canceled += part.quantity;
    take_out(order_ref(id), line.wanted, part.quantity);
  }
  money = std::min(money, order.captured - order.refunded);
  refund(id, money, "cancel/" + std::to_string(++order.cancellations));
}

rejection naive_shop::on(const std::string& id, const ship_order& command) {
  auto& order = orders[id];
  if (order.parked)
    return rejection::order_needs_attention;
  if (order.on_hold)
    return rejection::order_on_hold;
  if (const auto over = over_for(order); over != rejection::none)
    return over;
  if (is_one_of(order.phase, {status::completed, status::returning}))
    return rejection::order_already_shipped;
  if (!is_one_of(order.phase, {status::confirmed, status::fulfilling}))
    return rejection::order_not_confirmed;
  const auto parts = command.lines.value_or(all_left(order));
  if (const auto why = cannot_take(order, parts); why != rejection::none)
    return why;
  if (order.wanted.capture == capture_policy::on_confirm) {
    ship(id, command.shipment_id, parts, 0);
    return rejection::none;
  }
  if (has_task(order, "ship/"))
    return rejection::shipment_under_way;
  auto price = order.shipments.empty() ? order.wanted.shipping : 0;
  for (const auto& part : parts) {
    auto& line = *find_line(order, part.line_id);
    price += share(line.wanted, line.canceled + line.shipped, part.quantity);
    line.shipping += part.quantity;
  }
  const auto task = "ship/" + command.shipment_id;
  order.tasks.push_back(task);
  capture(id, price, [id, task, parts, price, shipment = command.shipment_id](auto& shop, bool ok) {
    auto& paid = shop.orders.at(id);
    for (const auto& part : parts)
      shop.find_line(paid, part.line_id)->shipping -= part.quantity;
    std::erase(paid.tasks, task);
    if (ok)
      return shop.ship(id, shipment, parts, price);
    paid.refused.insert(task);
    paid.on_hold = true;
    paid.hold_reason = "capture_refused";
  });
  return rejection::none;
}

/// Units leave the building; their money has come in.
void naive_shop::ship(const std::string& id, const std::string& shipment,
                      const std::vector<line_quantity>& parts, minor_units price) {
  auto& order = orders.at(id);
  for (const auto& part : parts) {
    auto& line = *find_line(order, part.line_id);
    if (order.wanted.capture == capture_policy::on_ship)
      line.captured += share(line.wanted, line.canceled + line.shipped, part.quantity);
    line.shipped += part.quantity;
    take_out(order_ref(id), line.wanted, part.quantity);
    skus[line.wanted.sku].on_hand[line.wanted.location] -= part.quantity;
  }
  order.captured += price;
  order.shipments.emplace_back(shipment, false);
  order.phase = status::fulfilling;
  end_task(id, "");
}

rejection naive_shop::on(const std::string& id, const deliver_order& command) {
  auto& order = orders[id];
  if (const auto over = over_for(order); over != rejection::none)
    return over;
  if (is_one_of(order.phase, {status::reserving, status::awaiting_payment, status::backordered}))
    return rejection::order_not_confirmed;
  bool found = false, news = false, all = true;
  for (auto& [shipment, delivered] : order.shipments) {
    const bool meant = !command.shipment_id || *command.shipment_id == shipment;
    found |= meant;
    news |= meant && !delivered;
    delivered |= meant;
    all &= delivered;
  }
  if (!found)
    return rejection::shipment_unknown;
  if (news && all && is_one_of(order.phase, {status::completed, status::returning}))
    order.close_at = now + policy_.close_after_ms;
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const return_order& command) {
  auto& order = orders[id];
  if (order.parked)
    return rejection::order_needs_attention;
  if (const auto over = over_for(order); over != rejection::none)
    return over;
  if (is_one_of(order.phase, {status::reserving, status::awaiting_payment, status::backordered}))
    return rejection::order_not_confirmed;
  if (order.phase == status::confirmed)
    return rejection::quantity_exceeded; // nothing has shipped
  for (const auto& part : command.lines) {
    const auto* line = find_line(order, part.line_id);
    if (line == nullptr)
      return rejection::line_unknown;
    if (part.quantity > line->shipped - line->returned)
      return rejection::quantity_exceeded;
  }
  if (command.refund && *command.refund > order.captured - order.refunded)
    return rejection::refund_exceeds_captured;
  minor_units money = 0;
  for (const auto& part : command.lines) {
    auto& line = *find_line(order, part.line_id);
    money += refund_units(line, part.quantity);
    line.returned += part.quantity;
    if (part.restock)
      skus[line.wanted.sku].on_hand[line.wanted.location] += part.quantity;
  }
  if (order.phase == status::completed)
    order.phase = status::returning;
  money = std::min(money, order.captured - order.refunded);
  refund(id, command.refund.value_or(money), "return/" + command.return_id);
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const hold_order& command) {
  auto& order = orders[id];
  if (order.parked)
    return rejection::order_needs_attention;
  if (order.on_hold)
    return rejection::none;
  if (const auto over = over_for(order); over != rejection::none)
    return over;
  if (is_one_of(order.phase, {status::reserving, status::backordered}))
    return rejection::order_not_confirmed;
  if (is_one_of(order.phase, {status::completed, status::returning}))
    return rejection::order_already_shipped;
  order.on_hold = true;
  order.hold_reason = command.reason;
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const resume_order&) {
  auto& order = orders[id];
  if (order.phase == status::absent)
    return rejection::order_unknown;
  if (order.parked || !order.on_hold)
    return rejection::nothing_to_resume;
  order.on_hold = false;
  if (order.declined)
    cancel(id, "payment_declined");
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const retry_payment& command) {
  auto& order = orders[id];
  if (order.phase == status::absent)
    return rejection::order_unknown;
  if (order.parked || !order.on_hold || !order.declined)
    return rejection::nothing_to_retry;
  order.declined = false;
  order.token = command.payment.token.value_or("");
  pay(id);
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const grant_refund& command) {
  auto& order = orders[id];
  if (order.parked)
    return rejection::order_needs_attention;
  if (const auto over = over_for(order); over != rejection::none)
    return over;
  if (is_one_of(order.phase, {status::reserving, status::awaiting_payment, status::backordered}))
    return rejection::order_not_confirmed;
  if (command.amount > order.captured - order.refunded)
    return rejection::refund_exceeds_captured; // M4
  refund(id, command.amount, "refund/" + command.refund_id);
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const resolve_order& command) {
  if (orders[id].phase == status::absent)
    return rejection::order_unknown;
  if (!orders.at(id).parked)
    return rejection::nothing_to_resolve;
  const auto found = std::find_if(operations.begin(), operations.end(), [&](const auto& operation) {
    return operation.order == id && !operation.given_up &&
           (operation.unknown || operation.needs_action);
  });
  if (found == operations.end())
    return rejection::none;
  const auto operation = *found;
  operations.erase(found);
  const auto done = operation.kind == operation_kind::void_authorization ? payment_finding::voided
                    : operation.kind == operation_kind::refund           ? payment_finding::refunded
                                                               : payment_finding::captured;
  if (command.payment != done && wire == provider_line::down && operation.effect) {
    operations.push_back(operation); // the provider may tell the truth one day
    operations.back().given_up = true;
    raced |= operation.kind != operation_kind::authorize;
  }
  finish(operation,
         command.payment == done ? payment_answer_kind::succeeded : payment_answer_kind::refused);
  return rejection::none;
}

} // namespace purser::tests
