// Orders among crashes, without threads: the real aggregates, a journal that loses its newest
// events, messages in every order that the router allows. What must hold at the end is exact.
#include "tests/actors/simulated_node.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace purser;
using namespace purser::tests;

namespace {

constexpr int units_in_stock = 5;
constexpr std::uint32_t orders = 4;
const shop_policy policy_of_shop;

command_body order_of(const std::string& id, const std::string& token, capture_policy capture,
                      bool allow_backorder) {
  place_order made;
  made.allow_backorder = allow_backorder;
  made.capture = capture;
  made.order_id = id;
  made.customer_id = "c-1";
  made.currency = "EUR";
  for (const auto* sku : {"mug", "pen"})
    made.lines.push_back({sku, sku, "main", 2, 100, 0, 1}); // 201: shares do not divide evenly
  made.payment = {"card", token};
  return made;
}

void receive(simulated_node& shop, const std::string& id, const std::string& sku,
             std::uint32_t units) {
  shop.submit({entity_kind::receipt, id}, "stock.receive", receive_stock{id, sku, "main", units});
}

entity_ref order_at(std::uint32_t number) {
  return {entity_kind::order, "o-" + std::to_string(number)};
}

const entity_ref booking{entity_kind::reservation, "r-1"};
constexpr std::uint32_t booked_seconds = 10;
constexpr unix_millis far_future = 1'000'000'000'000; ///< every hold that can lapse has

/// What the order says it has, against what the provider moved (M4, M5).
void check_money(const order_view& view, const moody_provider& provider) {
  const auto moved = [&](operation_kind kind) { return provider.moved(view.order_id, kind); };
  const auto open = moved(operation_kind::authorize) - moved(operation_kind::capture) -
                    moved(operation_kind::void_authorization);
  const bool may_stay_open = view.status == order_status::confirmed ||
                             view.status == order_status::fulfilling ||
                             view.status == order_status::on_hold;
  CHECK(open >= 0);
  CHECK((open == 0 || may_stay_open));
  CHECK(moved(operation_kind::capture) - moved(operation_kind::refund) ==
        view.captured - view.refunded);
}

void check_end(simulated_node& shop, std::int64_t received) {
  std::map<std::string, std::int64_t> committed, gone;
  for (std::uint32_t i = 0; i < orders; ++i) {
    const auto id = order_at(i).key;
    CAPTURE(id);
    const auto view = std::get<order_view>(shop.at(order_at(i)).view(0));
    check_money(view, shop.provider());
    CHECK(view.status != order_status::reserving);
    CHECK(view.status != order_status::awaiting_payment);
    CHECK(view.status != order_status::canceling);
    CHECK(view.status != order_status::returning);
    CHECK(view.status != order_status::needs_attention);
    CHECK(view.status != order_status::backordered);
    for (const auto& line : view.lines) {
      const bool rejected = view.status == order_status::rejected;
      CHECK((rejected || line.quantity == line.canceled + line.committed + line.shipped));
      committed[line.sku] += line.committed;
      gone[line.sku] += line.shipped - line.returned;
    }
  }
  const auto reserved = std::get<reservation_view>(shop.at(booking).view(0));
  const int booked = reserved.status == reservation_status::committed ? 1 : 0;
  for (const auto* sku : {"mug", "pen"}) {
    const auto view = std::get<stock_view>(shop.at({entity_kind::stock, sku}).view(far_future));
    CHECK(view.held == 0);
    CHECK(view.committed == committed[sku] + booked);
    CHECK(view.shipped - view.restocked == gone[sku]);
    CHECK(view.available == received + view.adjusted - committed[sku] - booked - gone[sku]);
    CHECK(view.backordered == 0);
  }
  for (const auto& [ref, image] : shop.entities()) {
    CHECK_FALSE(image.has_open_step());
    image.state().check();
  }
}

/// Any command that an order may get, with an id of its own.
void submit_any(simulated_node& shop, std::uint32_t number, std::mt19937& random) {
  const auto ref = order_at(random() % orders);
  const auto id = std::to_string(number);
  const auto* line = random() % 2 == 0 ? "mug" : "pen";
  const auto quantity = static_cast<std::uint32_t>(1 + random() % 2);
  const std::optional<std::vector<line_quantity>> part{{{line, quantity}}};
  const auto send = [&](command_body body) { shop.submit(ref, id, std::move(body)); };
  switch (random() % 14) {
  case 0: return send(cancel_order{ref.key, std::nullopt, std::nullopt});
  case 1: return send(cancel_order{ref.key, std::nullopt, part});
  case 2:
  case 3: return send(ship_order{.order_id = ref.key, .shipment_id = id, .lines = part});
  case 4: return send(ship_order{.order_id = ref.key, .shipment_id = id});
  case 5:
  case 6: return send(return_order{ref.key, id, {{line, quantity}}, std::nullopt});
  case 7: return send(grant_refund{ref.key, id, 7, std::nullopt});
  case 8: return send(hold_order{ref.key, "a look"});
  case 9: return send(resume_order{ref.key, std::nullopt});
  case 10: return send(deliver_order{ref.key, std::nullopt});
  case 11: return send(retry_payment{ref.key, {"card", "card"}});
  case 12: return send(hold_order{ref.key, "another look"});
  case 13:
    shop.submit({entity_kind::adjustment, id}, "stock.adjust",
                adjust_stock{id, line, "main", -1, "a count", true});
    return;
  }
}

/// PURSER_RUNS=1000000 looks longer.
std::uint32_t wanted_runs() {
  const auto* wanted = std::getenv("PURSER_RUNS"); // NOLINT(concurrency-mt-unsafe): one thread
  return wanted == nullptr ? 3'000 : static_cast<std::uint32_t>(std::stoul(wanted));
}

} // namespace

TEST_CASE("C3, C8, M1: an order comes to an end, and money and stock agree, wherever it crashes") {
  const auto runs = wanted_runs();
  std::set<std::string> reached;
  const std::array<std::string, 8> tokens{"card",           "card",        "tok_decline",
                                          "tok_no_capture", "tok_expires", "tok_action",
                                          "tok_twice",      "tok_late"};
  for (std::uint32_t seed = 1; seed <= runs; ++seed) {
    CAPTURE(seed);
    simulated_node shop{seed, seed % 8 == 0};
    std::mt19937 random{seed};
    for (const auto* sku : {"mug", "pen"})
      receive(shop, sku, sku, units_in_stock);
    shop.run_until_quiet();
    const auto steps = [&shop] {
      for (int i = 0; i < 40; ++i)
        shop.step();
    };
    for (std::uint32_t i = 0; i < orders; ++i)
      shop.submit(order_at(i), "order.place",
                  order_of(order_at(i).key, tokens.at((3 * i + seed) % tokens.size()),
                           random() % 2 == 0 ? capture_policy::on_confirm : capture_policy::on_ship,
                           random() % 2 == 0));
    shop.submit(
      booking, "stock.reserve",
      reserve_stock{booking.key, {{"mug", "main", 1}, {"pen", "main", 1}}, booked_seconds});
    steps();
    shop.submit(booking, "commit", commit_reservation{booking.key});
    for (std::uint32_t i = 0; i < 16; ++i) {
      submit_any(shop, i, random);
      steps();
    }
    if (seed % 2 == 1) // the deadline comes while a payment is in flight
      shop.jump_by(policy_of_shop.orders.hold_ms);
    if (seed % 3 == 0)
      shop.provider().act();
    shop.run_until_quiet();
    const std::uint32_t late = random() % 8; // some backorders get what they wait for
    for (const auto* sku : {"mug", "pen"})
      if (late > 0)
        receive(shop, std::string{"late "} + sku, sku, late);
    shop.advance_to(shop.now() + 40LL * 86'400'000); // others do not
    for (std::uint32_t i = 0; i < orders; ++i)       // what was declined on hold is given up
      shop.submit(order_at(i), "resume at the end", resume_order{order_at(i).key, std::nullopt});
    shop.run_until_quiet();
    check_end(shop, units_in_stock + late);
    reached.insert(shop.happened().begin(), shop.happened().end());
  }
  std::string missed;
  for (const auto kind : {entity_kind::order, entity_kind::payment, entity_kind::stock})
    for (std::uint16_t type = 1; !event_name(kind, type).empty(); ++type)
      if (const auto name = event_name(kind, type); !reached.contains(std::string{name}))
        missed += std::string{name} + " ";
  CHECK(missed == "payment_resolved ");
}
