// Engines to test, and commands for them.
#pragma once

#include "runtime/engine.hpp"

#include <string>
#include <utility>
#include <vector>

namespace purser::tests {

inline command receive(const std::string& sku, std::uint32_t quantity,
                       const std::string& id = "r-1") {
  command made;
  made.body = receive_stock{id + "-" + sku, sku, std::string{default_location}, quantity};
  return made;
}

inline command order_of(const std::string& id, const std::string& sku, std::uint32_t quantity,
                        std::optional<std::string> token = {}) {
  place_order order;
  order.order_id = id;
  order.customer_id = "c-1";
  order.currency = "EUR";
  order.payment = {"card", std::move(token)};
  order_line line;
  line.sku = sku;
  line.quantity = quantity;
  line.unit_price = 500;
  order.lines.push_back(std::move(line));
  command made;
  made.body = std::move(order);
  return made;
}

inline command ship(const std::string& id) {
  command made;
  made.body = ship_order{id, id + "-1", {}, {}};
  return made;
}

inline command cancel(const std::string& id, const std::string& command_id) {
  command made;
  made.command_id = command_id;
  made.body = cancel_order{id, {}};
  return made;
}

inline order_view order_in(engine& from, const std::string& id) {
  return std::get<order_view>(from.query({entity_kind::order, id}).get().view);
}

inline stock_view stock_in(engine& from, const std::string& sku) {
  return std::get<stock_view>(from.query({entity_kind::stock, sku}).get().view);
}

} // namespace purser::tests
