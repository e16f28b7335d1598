#include "actors/domain/stock.hpp"
#include "runtime/audit_limits.hpp"
#include "runtime/continuous_audit.hpp"
#include "runtime/journal/memory_store.hpp"
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace purser;
using namespace purser::tests;

TEST_CASE("K2: a moment of a busy engine never breaks an invariant, on disk and in memory") {
  for (const bool on_disk : {true, false}) {
    CAPTURE(on_disk);
    const scratch_directory folder;
    engine_options options;
    if (on_disk)
      options.data_dir = folder.path();
    options.audit_every_ms = 1;
    options.crash_every = 50;
    const auto shop = engine::start(options);
    REQUIRE(shop->submit(receive("mug", 1'000'000)).get().result == outcome::accepted);

    // An audit that began before the first event saw nothing: it does not count. Each waits for
    // twenty times as long as the last one took: if orders came all the time, a slow build's audits
    // would have ever more to read.
    const auto busy_until = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    for (int round = 0; shop->figures().audits < 3 || shop->figures().audit_checked == 0; ++round) {
      REQUIRE(round < 10'000);
      if (std::chrono::steady_clock::now() > busy_until) {
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        continue;
      }
      std::vector<std::future<answer>> answers;
      for (int i = 0; i < 20; ++i) {
        const auto id = "o-" + std::to_string(round) + "-" + std::to_string(i);
        answers.push_back(shop->submit(order_of(id, "mug", 1)));
        answers.push_back(shop->submit(i % 2 == 0 ? cancel(id, "c-" + id) : ship(id)));
      }
      for (auto& each : answers)
        each.get();
    }

    const auto figures = shop->figures();
    CHECK(figures.audit_broken == 0);
    CHECK(figures.audit_checked > 0);
    CHECK(figures.audit_position > 0);
  }
}

TEST_CASE("K2: units that nobody claims are found, and count when two audits in a row find them") {
  group_commit_journal journal{std::make_unique<memory_store>(), {}};
  const entity_ref mug{entity_kind::stock, "mug"};
  const std::vector<event_record> events{
    record_of(stock_received{{"main", 5}}),
    record_of(units_held{{entity_kind::order, "o-1"}, {{"main", 2}}, {0}})};
  std::promise<void> durable;
  journal.append_once(mug, 0, events);
  journal.when_durable([&] { durable.set_value(); });
  durable.get_future().get();
  std::vector<std::string> told;
  constexpr std::int64_t never = 86'400'000;
  continuous_audit audits{journal, never, [&](const std::string& text) { told.push_back(text); }};

  CHECK(audits.audit_now().invariants.broken == 1);
  CHECK(told.empty()); // a message on its way might explain it
  audits.audit_now();
  audits.audit_now();

  CHECK(told == std::vector<std::string>{"K2: mug holds 2, orders and reservations 0"});
  CHECK(audits.figures().broken == 1);
  CHECK(audits.figures().position == 2);
}

TEST_CASE(
  "an audit compares so many SKUs at once, in every round others, and stops when it is told") {
  constexpr std::uint64_t skus = 64;
  constexpr std::size_t at_once = 10;
  group_commit_journal journal{std::make_unique<memory_store>(), {}};
  const std::vector<event_record> events{
    record_of(stock_received{{"main", 5}}),
    record_of(units_held{{entity_kind::order, "o-1"}, {{"main", 2}}, {0}})};
  for (std::uint64_t sku = 0; sku < skus; ++sku)
    journal.append_once({entity_kind::stock, "sku-" + std::to_string(sku)}, 0, events);
  std::promise<void> durable;
  journal.when_durable([&] { durable.set_value(); });
  durable.get_future().get();
  REQUIRE(audit(journal).findings.size() == skus);

  std::set<std::string> found;
  audit_limits limits;
  limits.skus_at_once = at_once;
  for (limits.round = 0; limits.round < skus; ++limits.round) {
    const auto report = audit_within(journal, limits);
    CHECK(report.skus == skus); // each is checked by itself
    CHECK(report.findings.size() <= at_once);
    found.insert(report.findings.begin(), report.findings.end());
  }
  CHECK(found.size() == skus);

  for (std::uint64_t sku = skus; sku < 1'000; ++sku)
    journal.append_once({entity_kind::stock, "sku-" + std::to_string(sku)}, 0, events);
  limits.stop = [] { return true; };
  std::promise<void> more;
  journal.when_durable([&] { more.set_value(); });
  more.get_future().get();
  CHECK_THROWS_AS(audit_within(journal, limits), audit_stopped);
}
