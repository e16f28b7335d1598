// Simulated worlds (runtime/simulation): they hold, they repeat, and they reach everything; and
// what they found once, by itself.
#include "runtime/addressing.hpp"
#include "runtime/simulation/campaign.hpp"
#include "runtime/simulation/simulated_process.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace purser;
using namespace purser::simulation;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t some_seeds = 100;
#else
constexpr std::uint64_t some_seeds = 1'000;
#endif

std::string traced(std::uint64_t seed) {
  std::string trace;
  run_options run;
  run.seed = seed;
  run.trace = [&](const std::string& line) { trace += line + '\n'; };
  simulate(run);
  return trace;
}

/// One simulated node, moved by hand.
class rig {
public:
  explicit rig(crash_injector crash = {}, process_settings settings = {})
      : bank_(chance_, {}, [](fault) {}) {
    simulated_process::hooks hooks;
    hooks.journal.fate = [](bool) { return write_fate::done; };
    hooks.journal.fails = [](const entity_ref&) { return false; };
    hooks.crash = std::move(crash);
    hooks.on_supervision = [](const supervisors::supervision_event&) {};
    hooks.on_alarm = [](const std::string&) {};
    process_.emplace(simulated_world{disk_, bank_, clock_, chance_}, settings, std::move(hooks));
  }

  struct call final : client_call {
    std::optional<answer> result;
    void deliver(answer found) override { result = std::move(found); }
  };

  std::shared_ptr<call> submit(command_body body, const std::string& id) {
    auto made = std::make_shared<call>();
    auto message = addressed({id, {}, std::move(body)}, clock_.now());
    message.client = made;
    process_->send(std::move(message));
    return made;
  }

  void run() {
    while (process_->step())
      ;
  }
  /// Up to the next thing that is due, and all that follows.
  void wait() {
    run();
    const auto due = process_->next_due();
    REQUIRE(due);
    clock_.advance_to(*due);
    process_->time_moved();
    run();
  }

  simulated_process& process() { return *process_; }

private:
  dice chance_{7};
  simulated_disk disk_;
  simulated_clock clock_;
  simulated_bank bank_;
  std::optional<simulated_process> process_;
};

reserve_stock a_reservation() {
  return {"r-1", {{"mug", "main", 2}}, 600};
}

/// Crashes the deliveries of a message, one after another, at these points.
crash_injector crashing(const std::string& name, std::vector<crash_point> points) {
  return [name, points = std::move(points)](const envelope& message) -> std::optional<crash_point> {
    const auto delivery = static_cast<std::size_t>(message.deliveries);
    if (name_of(message.body) != name || delivery > points.size())
      return std::nullopt;
    return points[delivery - 1];
  };
}

} // namespace

TEST_CASE("every simulated world holds, whatever goes wrong, and all of it does") {
  campaign_options many;
  many.seeds = some_seeds;
  const auto report = run_campaign(many);
  if (report.failure)
    FAIL("seed " << report.failure->seed << ": " << report.failure->broken);
  CHECK(report.runs == some_seeds);
  std::string missing;
  for (const auto& name : not_reached(report, many.run))
    missing += name + "\n";
  if (some_seeds >= 1'000)
    CHECK(missing == "");
}

TEST_CASE("worlds that did not hold once do now") {
  // 512085: a parked order left memory between asking its payment and each answer, and asked again.
  // 537846: a reservation was judged in the midst of shipping, one SKU gone and one still there.
  // 601921, 742004: a SKU was quarantined while it was looked at, and judged to be empty.
  // 990742: a SKU that had refused an order crashed, was asked again, and held for ever.
  // 745494: an authorization that had run out was told as a void that was refused, after a crash.
  // 709479: an order that was sold, got its money back and was sold again was judged charged twice.
  for (const std::uint64_t seed : {512'085, 537'846, 601'921, 709'479, 742'004, 745'494, 990'742}) {
    campaign_options one;
    one.from = seed;
    one.seeds = 1;
    const auto report = run_campaign(one);
    if (report.failure)
      FAIL_CHECK("seed " << seed << ": " << report.failure->broken);
  }
}

TEST_CASE("the same seed does the same, step by step") {
  const auto first = traced(7);
  CHECK(first.size() > 10'000);
  for (int again = 0; again < 100; ++again)
    REQUIRE(traced(7) == first);
  CHECK(traced(8) != first);
}

TEST_CASE("a process that ends at any append or sync, clean, torn or not synced, loses nothing") {
  using crash = run_options::crash_at_write;
  run_options run;
  run.seed = 7;
  run.faults = {};
  run.crash = crash{};
  const auto writes = simulate(run).writes;
  CHECK(writes > 200);
  for (std::uint64_t number = 1; number <= writes; ++number)
    for (const auto how : {crash::way::clean, crash::way::torn, crash::way::not_synced}) {
      run.crash = {number, how};
      const auto report = simulate(run);
      INFO("write " << number << ", way " << static_cast<int>(how));
      REQUIRE(report.broken == "");
      REQUIRE(report.processes == 3); // the one that ended, the next, and the last look
    }
}

TEST_CASE("a run that fails is made smaller, and fails still") {
  run_options run;
  run.commands = 40;
  const auto smallest = shrink(run, [](const run_options& tried) {
    return tried.faults.contains(fault::kill) && tried.commands >= 7;
  });
  CHECK(smallest.faults == fault_set{fault::kill});
  CHECK(smallest.commands == 7);
}

TEST_CASE("D5: a supervisor that dies takes no message with it") {
  for (int steps = 0; steps < 60; ++steps) {
    rig shop;
    shop.run();
    const auto goods = shop.submit(receive_stock{"d-1", "mug", "main", 5}, "c-1");
    const auto hold = shop.submit(a_reservation(), "c-2");
    for (int i = 0; i < steps; ++i)
      shop.process().step();
    shop.process().crash_supervisor();
    shop.run();

    INFO("after " << steps << " steps");
    REQUIRE_FALSE(shop.process().over());
    REQUIRE(goods->result);
    CHECK(goods->result->result == outcome::accepted);
    CHECK(hold->result.has_value());
  }
}

TEST_CASE("A7: an entity that waits for its restart is restarted when its shard dies meanwhile") {
  process_settings one_shard;
  one_shard.shards = 1;
  rig shop{crashing("stock.receive", {crash_point::before_append, crash_point::before_append}),
           one_shard};
  shop.run();
  const auto goods = shop.submit(receive_stock{"d-1", "mug", "main", 5}, "c-1");
  shop.run(); // it has crashed twice, and waits
  REQUIRE_FALSE(goods->result);

  shop.process().crash_shard();
  shop.run();

  REQUIRE(goods->result);
  CHECK(goods->result->result == outcome::accepted);
}

TEST_CASE("B3: a command that took effect before its last crash is no dead letter") {
  rig shop{crashing("stock.receive", {crash_point::before_append, crash_point::before_append,
                                      crash_point::after_append})};
  shop.run();
  const auto goods = shop.submit(receive_stock{"d-1", "mug", "main", 5}, "c-1");
  shop.wait();
  while (!goods->result)
    shop.wait();

  CHECK(goods->result->result == outcome::accepted);
  const auto again = shop.submit(receive_stock{"d-1", "mug", "main", 5}, "c-1");
  shop.run();
  CHECK(again->result->result == outcome::accepted);
  CHECK(again->result->duplicate);
}

TEST_CASE("B3: a message that crashes every time is a dead letter, and stays one") {
  const auto always = crash_point::before_append;
  rig shop{crashing("stock.receive", {always, always, always, always, always})};
  shop.run();
  const auto goods = shop.submit(receive_stock{"d-1", "mug", "main", 5}, "c-1");
  shop.run();
  while (!goods->result)
    shop.wait();

  CHECK(goods->result->why == rejection::dead_lettered);
  const auto again = shop.submit(receive_stock{"d-1", "mug", "main", 5}, "c-1");
  shop.run();
  CHECK(again->result->why == rejection::dead_lettered);
  CHECK(again->result->duplicate);
}
