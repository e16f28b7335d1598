#include "tests/actors/shop_player.hpp"

#include <algorithm>

namespace purser::tests {

namespace {

constexpr std::array skus{"mug", "pen", "hat"};
constexpr std::array locations{"main", "main", "main", "east"};
constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour;

} // namespace

move player::next(const naive_shop& shop) {
  ++made_;
  move made;
  const auto kind = any_of(100);
  if (made_ <= 4)
    made = received(made_ == 4 ? "east" : "main", skus.at(static_cast<std::size_t>(made_ - 1) % 3));
  else if (kind < 5 && !made_before_.empty())
    made = one_of(made_before_);
  else if (auto wanted = one_in(4) ? about_unfinished_money(shop) : std::nullopt)
    made = *wanted;
  else if (kind < 62)
    made = about_an_order(shop);
  else if (kind < 72)
    made = about_stock(shop);
  else if (kind < 82)
    made = about_a_reservation(shop);
  else
    made = about_the_world(shop);
  const bool calm = std::any_of(shop.operations.begin(), shop.operations.end(),
                                [](const auto& operation) { return operation.given_up; });
  made.seed = static_cast<std::uint32_t>(random_());
  made.steps = crashes_ && !calm ? static_cast<int>(any_of(30)) : 0;
  const auto* found = std::get_if<resolve_order>(&made.body);
  if (found != nullptr && shop.wire == provider_line::down)
    made.steps = 0; // the finding may be wrong
  if (made.what == move_kind::command)
    made_before_.push_back(made);
  return made;
}

move player::command(entity_kind kind, const std::string& id, std::string key, command_body body) {
  return {.to = {kind, id}, .key = std::move(key), .body = std::move(body)};
}

move player::command(const std::string& order, command_body body) {
  return command(entity_kind::order, order, "command/" + std::to_string(made_), std::move(body));
}

template <class Like>
std::string player::order_like(const naive_shop& shop, Like like) {
  std::vector<std::string> all{"o-9"}, wanted;
  for (const auto& [id, order] : shop.orders) {
    all.push_back(id);
    if (like(order))
      wanted.push_back(id);
  }
  return wanted.empty() || one_in(5) ? one_of(all) : one_of(wanted);
}

std::vector<line_quantity> player::part_of(const naive_shop& shop, const std::string& order) {
  std::vector<line_quantity> parts;
  if (const auto found = shop.orders.find(order); found != shop.orders.end())
    for (const auto& line : found->second.lines)
      if (one_in(2))
        parts.push_back({line.wanted.line_id, 1 + any_of(2)});
  if (parts.empty())
    parts.push_back({one_in(9) ? "9" : "1", 1 + any_of(2)});
  return parts;
}

move player::placed(const naive_shop& shop) {
  place_order made;
  made.order_id = "o-" + std::to_string(one_in(8) ? 1 + any_of(9) : 1 + shop.orders.size());
  made.customer_id = "c-1";
  made.currency = "EUR";
  constexpr std::array<minor_units, 5> prices{0, 1, 10, 33, 100};
  const bool free = one_in(12);
  const auto lines = 1 + any_of(3);
  for (std::uint32_t i = 1; i <= lines; ++i)
    made.lines.push_back({std::to_string(i), one_of(skus), one_of(locations), 1 + any_of(3),
                          free ? 0 : one_of(prices), 0, 0});
  if (!free) {
    made.shipping = 5 * static_cast<minor_units>(any_of(3));
    made.lines.front().tax = any_of(3);
    made.lines.back().discount =
      any_of(static_cast<std::size_t>(line_total(made.lines.back()).value()) + 1) / 2;
  }
  made.payment = {"card", one_of(tokens)};
  made.capture = one_in(2) ? capture_policy::on_confirm : capture_policy::on_ship;
  made.allow_backorder = one_in(2);
  return command(entity_kind::order, made.order_id, "order.place", made);
}

move player::shipped(const naive_shop& shop) {
  const auto id = order_like(shop, [](const auto& order) {
    return order.phase == order_status::confirmed || order.phase == order_status::fulfilling;
  });
  ship_order made{id, small_id(), std::nullopt, std::nullopt, std::nullopt};
  if (!one_in(3))
    made.lines = part_of(shop, id);
  return command(entity_kind::order, id, "shipment/" + made.shipment_id, made);
}

move player::returned(const naive_shop& shop) {
  const auto id = order_like(shop, [](const auto& order) { return !order.shipments.empty(); });
  return_order made{id, small_id(), {}, std::nullopt};
  for (const auto& part : part_of(shop, id))
    made.lines.push_back({part.line_id, part.quantity, !one_in(3)});
  if (one_in(3))
    made.refund = any_of(60);
  return command(entity_kind::order, id, "return/" + made.return_id, made);
}

move player::canceled(const naive_shop& shop) {
  const auto id = order_like(shop, [](const auto& order) {
    return order.phase != order_status::canceled && order.phase != order_status::rejected;
  });
  cancel_order made{id, std::nullopt, std::nullopt};
  if (!one_in(3))
    made.lines = part_of(shop, id);
  if (one_in(2))
    made.reason = "changed my mind";
  return command(id, made);
}

/// Mostly the truth.
move player::resolved(const naive_shop& shop) {
  const auto id = order_like(shop, [](const auto& order) { return order.parked; });
  auto finding = static_cast<payment_finding>(1 + any_of(3));
  if (const auto* unknown = shop.unknown_operation(id); unknown != nullptr && !one_in(4)) {
    const bool done = unknown->effect == payment_answer_kind::succeeded;
    finding = unknown->kind == operation_kind::refund
                ? (done ? payment_finding::refunded : payment_finding::captured)
              : unknown->kind == operation_kind::void_authorization
                ? (done ? payment_finding::voided : payment_finding::captured)
                : (done ? payment_finding::captured : payment_finding::voided);
  }
  return command(id, resolve_order{id, finding, "asked by phone"});
}

/// An operator errs, the line is down, and the provider tells the truth when it is up again (C6).
std::optional<move> player::about_a_late_success(const naive_shop& shop) {
  for (const auto& operation : shop.operations) {
    if (operation.given_up)
      return move{.what = one_in(2) ? move_kind::line_up : move_kind::confess};
    if (operation.kind != operation_kind::authorize || !operation.unknown ||
        operation.effect != payment_answer_kind::succeeded || !one_in(4))
      continue;
    if (shop.wire != provider_line::down)
      return move{.what = move_kind::line_down};
    return command(operation.order,
                   resolve_order{operation.order, payment_finding::voided, "misheard"});
  }
  return std::nullopt;
}

/// Orders that wait for the provider get what they seldom get else.
std::optional<move> player::about_unfinished_money(const naive_shop& shop) {
  if (auto made = about_a_late_success(shop))
    return made;
  for (const auto& [id, order] : shop.orders) {
    if (order.declined)
      return command(id, retry_payment{id, {"card", one_of(tokens)}});
    if (order.parked && one_in(2))
      return resolved(shop);
    if (order.phase == order_status::returning && has_task(order, "refund/")) {
      if (order.parked)
        return command(id, resolve_order{id, payment_finding::captured, "misheard"});
      return move{.what = move_kind::line_noisy};
    }
    if (order.phase == order_status::awaiting_payment && !order.on_hold && !order.parked)
      return command(id, hold_order{id, "a look"});
    if (shop.wire == provider_line::up || order.shipments.empty() || !one_in(2))
      continue;
    if (one_in(2))
      return returned(shop);
    const grant_refund made{id, small_id(), 1 + any_of(3), std::nullopt};
    return command(entity_kind::order, id, "refund/" + made.refund_id, made);
  }
  return std::nullopt;
}

move player::about_an_order(const naive_shop& shop) {
  const auto is = [](order_status phase) {
    return [phase](const auto& order) { return order.phase == phase; };
  };
  const auto kind = any_of(57);
  if (kind < 14 && shop.orders.size() < 8) {
    auto made = placed(shop);
    if (one_in(12) && !shop.orders.contains(made.to.key))
      made.what = move_kind::place_and_cancel;
    return made;
  }
  if (kind < 24)
    return shipped(shop);
  if (kind < 29)
    return canceled(shop);
  if (kind < 35)
    return returned(shop);
  if (kind < 39) {
    const auto id = order_like(shop, [](const auto& order) { return !order.shipments.empty(); });
    return command(id, deliver_order{id, one_in(3) ? std::optional{small_id()} : std::nullopt});
  }
  if (kind < 43) {
    const auto id = order_like(shop, is(order_status::awaiting_payment));
    return command(id, hold_order{id, "a look"});
  }
  if (kind < 46) {
    const auto id = order_like(shop, [](const auto& order) { return order.on_hold; });
    return command(id, resume_order{id, std::nullopt});
  }
  if (kind < 48) {
    const auto id = order_like(shop, [](const auto& order) { return order.declined; });
    return command(id, retry_payment{id, {"card", one_of(tokens)}});
  }
  if (kind < 53) {
    const auto id = order_like(shop, [](const auto& order) { return order.captured > 0; });
    const grant_refund made{id, small_id(), any_of(30), std::nullopt};
    return command(entity_kind::order, id, "refund/" + made.refund_id, made);
  }
  return resolved(shop);
}

move player::received(const std::string& location, const std::string& sku) {
  const receive_stock made{std::to_string(made_), sku, location, 3 + any_of(6)};
  return command(entity_kind::receipt, made.receipt_id, "stock.receive", made);
}

move player::about_stock(const naive_shop&) {
  const auto id = std::to_string(one_in(9) ? any_of(9) : made_);
  if (one_in(2)) {
    const receive_stock made{id, one_of(skus), one_of(locations), 1 + any_of(4)};
    return command(entity_kind::receipt, id, "stock.receive", made);
  }
  if (one_in(3)) {
    receive_batch made{id, {}};
    for (std::uint32_t i = 0; i <= any_of(3); ++i)
      made.lines.push_back({one_of(skus), one_of(locations), 1 + any_of(3)});
    return command(entity_kind::batch, id, "stock.receive_batch", made);
  }
  const auto delta = static_cast<std::int64_t>(any_of(8)) - 5;
  const adjust_stock made{id,        one_of(skus), one_of(locations), delta == 0 ? 1 : delta,
                          "a count", !one_in(3)};
  return command(entity_kind::adjustment, id, "stock.adjust", made);
}

move player::about_a_reservation(const naive_shop& shop) {
  const auto fresh = "r-" + std::to_string(1 + shop.reservations.size());
  if (one_in(3) && shop.reservations.size() < 6) {
    reserve_stock made{one_in(6) ? "r-1" : fresh, {}, 60 * (1 + any_of(600))};
    for (std::uint32_t i = 0; i <= any_of(2); ++i)
      made.lines.push_back({one_of(skus), one_of(locations), 1 + any_of(2)});
    return command(entity_kind::reservation, made.reservation_id, "stock.reserve", made);
  }
  const auto id = "r-" + std::to_string(1 + any_of(shop.reservations.size() + 1));
  const auto key = "command/" + std::to_string(made_);
  switch (any_of(4)) {
  case 0: return command(entity_kind::reservation, id, key, release_reservation{id});
  case 1: return command(entity_kind::reservation, id, key, ship_reservation{id});
  default: break;
  }
  auto made = command(entity_kind::reservation, id, key, commit_reservation{id});
  if (one_in(2))
    made.what = move_kind::commit_after_expiry;
  return made;
}

move player::about_the_world(const naive_shop& shop) {
  move made;
  made.what = move_kind::advance;
  made.ms = 1 + any_of(1'000);
  const auto kind = any_of(18);
  if (shop.wire != provider_line::up && kind < 8)
    made.what = move_kind::line_up;
  else if (kind < 2)
    made.what = move_kind::line_noisy;
  else if (kind < 5)
    made.what = move_kind::line_down;
  else if (kind < 7)
    made.what = move_kind::act;
  else if (kind < 8)
    made.what = move_kind::stop_acting;
  else if (kind < 9)
    made.what = move_kind::confess;
  else if (kind < 12)
    made.ms += any_of(30) * minute;
  else if (kind < 14)
    made.ms += any_of(30) * hour;
  else if (kind < 15)
    made.ms += 31 * day;
  return made;
}

} // namespace purser::tests
