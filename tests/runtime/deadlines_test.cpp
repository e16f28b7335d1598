// Deadlines of a whole engine whose time is driven (C8): over crashes, restarts, and by the
// thousand.
#include "runtime/engine.hpp"
#include "runtime/simulated_provider.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <future>
#include <vector>

using namespace purser;
using namespace purser::tests;

namespace {

constexpr std::int64_t timeout_ms = 120'000;
constexpr unix_millis start = 1'767'258'000'000; // 2026-01-01T09:00:00Z
constexpr std::int64_t minute = 60'000;
constexpr std::int64_t day = 86'400'000;

engine_options driven(std::optional<std::filesystem::path> data = {}) {
  engine_options made;
  made.data_dir = std::move(data);
  made.time = engine_time::driven;
  return made;
}

command receipt(const std::string& sku, std::uint32_t quantity) {
  return {"", {}, receive_stock{"r-" + sku, sku, "main", quantity}};
}

command an_order(const std::string& id, const std::string& token) {
  place_order made;
  made.order_id = id;
  made.customer_id = "c-1";
  made.currency = "EUR";
  made.lines = {{"1", "mug", "main", 1, 100}};
  made.payment = {"card", token};
  return {"", {}, made};
}

order_view look(engine& shop, const std::string& id) {
  return std::get<order_view>(shop.query({entity_kind::order, id}).get().view);
}

void carry_out(engine& shop, command request) {
  auto answered = shop.submit(std::move(request));
  REQUIRE(shop.wait_idle(timeout_ms));
  REQUIRE(answered.get().result == outcome::accepted);
}

} // namespace

TEST_CASE(
  "C8: a deadline survives a restart, in order or by a kill, before and after a checkpoint") {
  for (const bool killed : {false, true})
    for (const bool checkpointed : {false, true}) {
      CAPTURE(killed);
      CAPTURE(checkpointed);
      const scratch_directory folder;
      auto shop = engine::start(driven(folder.path()));
      REQUIRE(shop->advance_time(start, timeout_ms));
      carry_out(*shop, receipt("mug", 2));
      carry_out(*shop, an_order("o-1", "tok_action"));
      carry_out(*shop, an_order("o-2", "tok_ok"));
      carry_out(*shop, {"", {}, ship_order{.order_id = "o-2", .shipment_id = "s-1"}});
      carry_out(*shop, {"d-1", {}, deliver_order{"o-2", std::nullopt}});
      if (checkpointed)
        REQUIRE(shop->audit().invariants.broken == 0); // it moves every checkpoint
      if (killed)
        shop->kill();
      shop = nullptr;
      shop = engine::start(driven(folder.path()));

      REQUIRE(shop->advance_time(start + 14 * minute, timeout_ms));
      CHECK(look(*shop, "o-1").status == order_status::awaiting_payment);
      REQUIRE(shop->advance_time(start + 16 * minute, timeout_ms));
      CHECK(look(*shop, "o-1").status == order_status::canceled);
      CHECK(look(*shop, "o-1").reason == "payment_timeout");
      REQUIRE(shop->advance_time(start + 29 * day, timeout_ms));
      CHECK(look(*shop, "o-2").status == order_status::completed);
      REQUIRE(shop->advance_time(start + 31 * day, timeout_ms));
      CHECK(look(*shop, "o-2").status == order_status::closed);
    }
}

TEST_CASE("C8: several deadlines that were missed together fire in order, each once") {
  const scratch_directory folder;
  auto shop = engine::start(driven(folder.path()));
  REQUIRE(shop->advance_time(start, timeout_ms));
  carry_out(*shop, receipt("mug", 1));
  carry_out(*shop, {"", {}, reserve_stock{"cart", {{"mug", "main", 1}}, 60}});
  auto waiting = an_order("o-1", "tok_ok");
  std::get<place_order>(waiting.body).allow_backorder = true;
  carry_out(*shop, waiting);
  CHECK(look(*shop, "o-1").status == order_status::backordered);
  shop->stop();
  shop = nullptr;
  shop = engine::start(driven(folder.path()));

  REQUIRE(shop->advance_time(start + 365 * day, timeout_ms)); // the cart lapses first

  CHECK(look(*shop, "o-1").status == order_status::confirmed);
}

TEST_CASE("the stock of 10,000 orders whose holds end while payments are unknown, declined, late") {
#if defined(__SANITIZE_THREAD__)
  constexpr int orders = 1'000; // a race shows as well, in a tenth of the minutes
#else
  constexpr int orders = 10'000;
#endif
  constexpr int at_once = orders / 5;
  const std::array<std::string, 8> tokens{"tok_unknown",       "tok_decline", "tok_late",
                                          "tok_timeout",       "tok_action",  "tok_ok",
                                          "tok_timeout_after", "tok_twice"};
  auto provider = std::make_shared<simulated_provider>();
  auto options = driven();
  options.provider = provider;
  const auto shop = engine::start(options);
  REQUIRE(shop->advance_time(start, timeout_ms));
  carry_out(*shop, receipt("mug", orders));
  std::vector<std::future<answer>> answers;
  for (int i = 0; i < orders; ++i) {
    answers.push_back(
      shop->submit(an_order("o-" + std::to_string(i), tokens.at(i % tokens.size()))));
    if (i % at_once == at_once - 1)
      REQUIRE(shop->advance_time(shop->now() + 5 * minute, timeout_ms)); // the deadlines mingle
  }

  REQUIRE(shop->advance_time(shop->now() + 2 * day, timeout_ms));
  for (auto& each : answers)
    CHECK(each.get().result == outcome::accepted);
  const auto held = shop->audit();
  provider->confess();
  REQUIRE(shop->advance_time(shop->now() + 2 * day, timeout_ms));
  const auto report = shop->audit();

  constexpr int each = orders / 8;
  CHECK(held.invariants.broken == 0);
  CHECK(held.stock.held == each); // those that nobody knows of, and no other
  CHECK(held.orders.by_status.at("needs_attention") == each);
  CHECK(report.invariants.broken == 0);
  CHECK(report.orders.by_status.at("confirmed") == 5 * each); // unknown, late, ok, after, twice
  CHECK(report.orders.by_status.at("canceled") == 3 * each);  // declined, never, not confirmed
  CHECK(report.stock.on_hand == orders);
  CHECK(report.stock.committed == 5 * each);
  CHECK(report.stock.held == 0);
  CHECK(report.money.at("EUR").captured == 5 * each * 100);
  CHECK(report.money.at("EUR").refunded == 0);
}
