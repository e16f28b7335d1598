// What a running engine tells of itself: the tree, its health, its supervision decisions.
#include "runtime/engine.hpp"
#include "runtime/supervision_log.hpp"
#include "tests/runtime/engine_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <map>

using namespace purser;
using namespace purser::tests;

namespace {

constexpr std::int64_t timeout_ms = 30'000;

std::map<std::string, tree_row> rows_of(engine& from) {
  std::map<std::string, tree_row> made;
  for (auto& row : from.tree(timeout_ms).rows)
    made.emplace(row.path, row);
  return made;
}

std::string path_of(const entity_ref& entity) {
  return "root/shards/shard-" + std::to_string(shard_of(entity, 8)) + "/" + to_string(entity);
}

const entity_ref some_order{entity_kind::order, "o-1"};

} // namespace

TEST_CASE("S21: the tree has every supervisor and shard, parents first, and entities that run") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 10)).get();
  shop->submit(order_of("o-1", "mug", 1)).get();

  const auto tree = shop->tree(timeout_ms);
  auto rows = rows_of(*shop);

  CHECK(tree.rows.front().path == "root");
  CHECK(tree.rows.at(1).path == "root/shards");
  CHECK(std::ranges::all_of(tree.rows, [](const auto& row) { return row.state == "running"; }));
  for (int shard = 0; shard < 8; ++shard)
    CHECK(rows.at("root/shards/shard-" + std::to_string(shard)).kind == "shard");
  const auto& order = rows.at(path_of(some_order));
  CHECK(order.kind == "order");
  CHECK(order.messages > 0);
  CHECK(order.mailbox == 0);
  CHECK(rows.contains(path_of({entity_kind::stock, "mug"})));
  CHECK(tree.entities_left_out == 0);
}

TEST_CASE("S21: a row tells how often its actor was restarted, and why") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 10)).get();
  shop->crash({some_order, {}, 2});
  shop->submit(order_of("o-1", "mug", 1)).get();

  const auto row = rows_of(*shop).at(path_of(some_order));

  CHECK(row.restarts == 2);
  CHECK(row.last_cause.find("told to crash") != std::string::npos);
  CHECK(row.state == "running");
}

TEST_CASE("the rows of entities are bounded, and what is left out is counted") {
  const auto shop = engine::start({});
  std::vector<std::future<answer>> answers;
  for (int i = 0; i < 400; ++i)
    answers.push_back(shop->submit(receive("sku-" + std::to_string(i), 1)));
  for (auto& each : answers)
    each.get();

  const auto tree = shop->tree(timeout_ms);

  CHECK(tree.rows.size() <= 2 + 8 + 8 * 8);
  CHECK(tree.entities_left_out + tree.rows.size() >= 2 + 8 + 400);
}

TEST_CASE("a tree that has stopped says so") {
  const auto shop = engine::start({});
  shop->stop();

  const auto tree = shop->tree(timeout_ms);

  CHECK(tree.rows.size() == 2 + 8);
  CHECK(std::ranges::all_of(tree.rows, [](const auto& row) { return row.state == "stopped"; }));
}

TEST_CASE(
  "B8: supervision decisions are a stream, with cause, path, restarts and how long it took") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 10)).get();
  std::promise<std::vector<supervision_notice>> healed;
  std::vector<supervision_notice> notices;
  auto watch = shop->watch_supervision([&](const supervision_notice& notice) {
    notices.push_back(notice);
    if (notice.what == "child_restarted")
      healed.set_value(notices);
  });
  shop->crash({some_order, {}, 1});

  shop->submit(order_of("o-1", "mug", 1)).get();
  const auto told = healed.get_future().get();
  watch.reset(); // from here on nobody is called

  REQUIRE(told.size() == 2);
  CHECK(told[0].what == "child_crashed");
  CHECK(told[0].path == path_of(some_order));
  CHECK_FALSE(told[0].cause.empty());
  CHECK(told[1].healing_us > 0);
  CHECK(told[1].number == told[0].number + 1);
  CHECK(told[0].at > 0);
  const auto kept = shop->supervision_events(told[0].number);
  REQUIRE(kept.size() == 1);
  CHECK(kept.front().what == "child_restarted");
}

TEST_CASE("an engine is ready until it is stopped") {
  const auto shop = engine::start({});

  const auto health = shop->health();
  CHECK(health.live);
  CHECK(health.ready);
  CHECK_FALSE(health.degraded);
  CHECK(health.reasons.empty());

  shop->stop();
  CHECK_FALSE(shop->health().ready);
  CHECK_THROWS_AS(shop->watch_supervision({}), engine_error);
}

TEST_CASE("figures count what was submitted, and what waits") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 10)).get();
  shop->submit(order_of("o-1", "mug", 1)).get();

  const auto figures = shop->figures();

  CHECK(figures.commands == 2);
  CHECK(figures.orders == 1);
  CHECK(figures.in_flight == 0);
}

TEST_CASE("a log of decisions keeps the newest, and never forgets what is in quarantine") {
  supervision_log log;
  supervision_notice bad;
  bad.what = "entity_quarantined";
  bad.path = "root/shards/shard-0/order/bad";
  bad.cause = "a hole";
  log.note(bad);
  for (std::size_t i = 0; i < 10 * supervision_log::most_actors; ++i) {
    supervision_notice notice;
    notice.what = "child_restarted";
    notice.path = "root/shards/shard-0/order/o-" + std::to_string(i);
    log.note(notice);
  }

  CHECK(log.after(0).size() == supervision_log::most_notices);
  CHECK(log.after(0).back().number == 10 * supervision_log::most_actors + 1);
  CHECK(log.newest_paths(5).size() == 5);
  REQUIRE(log.quarantined().size() == 1);
  CHECK(log.quarantined().front().second == "a hole");
  CHECK_FALSE(log.of("root/shards/shard-0/order/o-0"));
  supervision_notice freed;
  freed.what = "child_started";
  freed.path = bad.path;
  log.note(freed);
  CHECK(log.quarantined().empty());
}
