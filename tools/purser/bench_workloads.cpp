#include "tools/purser/bench_workloads.hpp"

#include <algorithm>
#include <future>

namespace purser::tools {

namespace {

std::string sku_name(std::uint64_t number) {
  return "sku-" + std::to_string(number);
}

std::string order_name(std::uint64_t number) {
  return "o-" + std::to_string(number);
}

command named(std::uint64_t number, command_body body) {
  command made;
  made.command_id = "b-" + std::to_string(number);
  made.body = std::move(body);
  return made;
}

/// A line of one unit for each SKU.
place_order order_of(std::uint64_t number, std::initializer_list<std::uint64_t> skus) {
  place_order order;
  order.order_id = order_name(number);
  order.customer_id = "c-1";
  order.currency = "EUR";
  order.payment.method = "card";
  for (const auto sku : skus) {
    order_line line;
    line.sku = sku_name(sku);
    line.quantity = 1;
    line.unit_price = 1'000;
    order.lines.push_back(std::move(line));
  }
  return order;
}

place_order two_lines(std::uint64_t number, std::uint64_t random, std::uint32_t skus) {
  return order_of(number, {random % skus, (random >> 32) % skus});
}

receive_stock receipt_of(std::uint64_t sku, std::uint32_t units) {
  return {"", sku_name(sku), std::string{default_location}, units};
}

/// The steps of a life, each the next of one client.
enum life_step : std::uint32_t { to_place, to_cancel, to_ship, to_deliver, to_return };

command next_of_a_life(bench_client& client, std::uint64_t number, std::uint32_t skus) {
  const auto id = order_name(client.order);
  switch (client.step) {
  case to_cancel: client.step = to_place; return named(number, cancel_order{id, {}, {}});
  case to_ship: {
    client.step = to_deliver;
    ship_order shipment;
    shipment.order_id = id;
    shipment.shipment_id = "s-" + std::to_string(number);
    return named(number, std::move(shipment));
  }
  case to_deliver:
    client.step = client.random % 4 == 0 ? to_return : to_place;
    return named(number, deliver_order{id, {}});
  case to_return: {
    client.step = to_place;
    return named(number, return_order{id, "r-" + std::to_string(number), {{"1", 1, true}}, {}});
  }
  default: break;
  }
  client.order = number;
  client.step = client.random % 5 == 0 ? to_cancel : to_ship;
  auto order = two_lines(number, client.random, skus);
  order.capture = capture_policy::on_ship;
  return named(number, std::move(order));
}

} // namespace

command_maker two_line_orders(std::uint32_t skus) {
  return [skus](bench_client& client, std::uint64_t number) {
    return named(number, two_lines(number, client.random, skus));
  };
}

command_maker one_unit_reservations(std::uint32_t skus) {
  return [skus](bench_client& client, std::uint64_t number) {
    constexpr std::uint32_t an_hour = 3'600;
    return named(number,
                 reserve_stock{"v-" + std::to_string(number),
                               {{sku_name(client.random % skus), std::string{default_location}, 1}},
                               an_hour});
  };
}

command_maker whole_lives(std::uint32_t skus) {
  return [skus](bench_client& client, std::uint64_t number) {
    return next_of_a_life(client, number, skus);
  };
}

command_maker new_skus(std::uint32_t units) {
  return [units](bench_client&, std::uint64_t number) {
    return named(number, receipt_of(number, units));
  };
}

command_maker batches_of_new_skus(std::uint32_t lines, std::uint32_t units, std::uint64_t skus) {
  return [=](bench_client&, std::uint64_t number) {
    receive_batch batch;
    batch.lines.reserve(lines);
    const auto end = std::min<std::uint64_t>((number + 1) * lines, skus);
    for (std::uint64_t sku = number * lines; sku < end; ++sku)
      batch.lines.push_back({sku_name(sku), std::string{default_location}, units});
    return named(number, std::move(batch));
  };
}

command_maker one_unit_orders() {
  return [](bench_client&, std::uint64_t number) { return named(number, order_of(number, {0})); };
}

void stock_up(engine& target, std::uint32_t skus) {
  constexpr std::uint32_t units = 1'000'000; // the most of one receipt
  constexpr std::uint32_t receipts_of_a_hot_one = 10;
  constexpr std::size_t at_once = 1'000;
  std::vector<std::future<answer>> answers;
  const auto wait = [&answers] {
    for (auto& each : answers)
      each.get();
    answers.clear();
  };
  std::uint64_t number = 0;
  for (std::uint32_t sku = 0; sku < skus; ++sku)
    for (std::uint32_t i = 0; i < (skus == 1 ? receipts_of_a_hot_one : 1); ++i) {
      command made;
      made.command_id = "stock-" + std::to_string(number++);
      made.body = receipt_of(sku, units);
      answers.push_back(target.submit(std::move(made)));
      if (answers.size() == at_once)
        wait();
    }
  wait();
}

const std::vector<workload>& all_workloads() {
  static const std::vector<workload> all{
    {.name = "orders", .what = "orders of two lines", .make = two_line_orders},
    {.name = "half-load",
     .what = "the same at half of that rate, open loop",
     .half_load = true,
     .make = two_line_orders},
    {.name = "hot-orders",
     .what = "orders that all take one SKU",
     .one_sku = true,
     .make = two_line_orders},
    {.name = "reservations", .what = "reservations of one unit", .make = one_unit_reservations},
    {.name = "hot-reservations",
     .what = "reservations that all take one SKU",
     .one_sku = true,
     .make = one_unit_reservations},
    {.name = "mixed", .what = "whole lives: cancels, shipments, returns", .make = whole_lives},
    {.name = "one-client",
     .what = "orders, one client",
     .one_client = true,
     .make = two_line_orders},
  };
  return all;
}

} // namespace purser::tools
