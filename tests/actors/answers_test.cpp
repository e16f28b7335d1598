// What a client is told of commands whose money hangs in the balance, and what crashes may not
// lose of it.
#include "tests/actors/simulated_node.hpp"

#include <doctest/doctest.h>

using namespace purser;
using namespace purser::tests;

namespace {

const entity_ref order_1{entity_kind::order, "o-1"};
const entity_ref booking{entity_kind::reservation, "r-1"};

place_order one_mug(const std::string& token, capture_policy capture) {
  place_order made;
  made.order_id = order_1.key;
  made.customer_id = "c-1";
  made.currency = "EUR";
  made.lines = {{"1", "mug", "main", 1, 100}};
  made.payment = {"card", token};
  made.capture = capture;
  return made;
}

void adjust(simulated_node& shop, const std::string& id, std::int64_t delta) {
  shop.submit({entity_kind::adjustment, id}, "stock.adjust",
              adjust_stock{id, "mug", "main", delta, "a count", true});
}

simulated_node with_two_mugs() {
  simulated_node shop{1};
  adjust(shop, "first", 2);
  shop.run_until_quiet();
  return shop;
}

/// A command that is handled, and durable, while all that it causes is still on its way.
void submit_first(simulated_node& shop, const entity_ref& to, command_body body) {
  shop.submit(to, "first", std::move(body));
  REQUIRE(shop.overtake([&](const envelope& message) { return message.to == to; }));
}

order_status status(simulated_node& shop) {
  return std::get<order_view>(shop.at(order_1).view(shop.now())).status;
}

} // namespace

TEST_CASE("I7: a shipment whose money is unknown is answered so, and definitely when repeated") {
  for (const bool refused : {true, false}) {
    auto shop = with_two_mugs();
    shop.submit(order_1, "place",
                one_mug(refused ? "tok_no_capture" : "tok_ok", capture_policy::on_ship));
    shop.run_until_quiet();
    const ship_order shipment{.order_id = "o-1", .shipment_id = "s-1"};

    shop.set_line(provider_line::noisy);
    const auto asked = shop.submit(order_1, "ship", shipment);
    shop.run_until_quiet();
    CHECK(status(shop) == order_status::needs_attention);
    CHECK(shop.command(asked).answer == rejection::payment_unknown);

    shop.set_line(provider_line::up);
    shop.run_until_quiet();
    shop.submit(order_1, "ship", shipment);
    shop.run_until_quiet();
    CHECK(shop.command(asked).answer == (refused ? rejection::capture_refused : rejection::none));
  }
}

TEST_CASE("I7: an operator's finding survives a crash before the payment has it") {
  auto shop = with_two_mugs();
  shop.submit(order_1, "place", one_mug("tok_timeout", capture_policy::on_confirm));
  shop.run_until_quiet();
  REQUIRE(status(shop) == order_status::needs_attention);

  submit_first(shop, order_1, resolve_order{"o-1", payment_finding::voided, "asked by phone"});
  shop.crash_process();
  shop.run_until_quiet();

  CHECK(status(shop) == order_status::canceled);
}

TEST_CASE("C3: what the customer did is heard of even if the process ends before the order does") {
  auto shop = with_two_mugs();
  shop.submit(order_1, "place", one_mug("tok_action", capture_policy::on_ship));
  shop.run_until_quiet();
  REQUIRE(status(shop) == order_status::awaiting_payment);

  shop.provider().act();
  shop.reach_provider();
  REQUIRE(
    shop.overtake([](const envelope& message) { return message.to.kind == entity_kind::payment; }));
  shop.crash_process();
  shop.run_until_quiet();

  CHECK(status(shop) == order_status::confirmed);
}

TEST_CASE("K10, Q4: a lost hold is heard of even if the process ends before its owner does") {
  auto shop = with_two_mugs();
  shop.submit(booking, "reserve", reserve_stock{booking.key, {{"mug", "main", 2}}, 60});
  shop.run_until_quiet();

  adjust(shop, "second", -1);
  REQUIRE(shop.overtake([](const envelope&) { return true; })); // the document
  REQUIRE(shop.overtake([](const envelope& message) { return message.to.key == "mug"; }));
  shop.crash_process();
  shop.run_until_quiet();
  CHECK(std::get<reservation_view>(shop.at(booking).view(1)).status ==
        reservation_status::backordered);

  adjust(shop, "third", 1);
  shop.run_until_quiet();
  CHECK(std::get<reservation_view>(shop.at(booking).view(1)).status == reservation_status::held);
}
