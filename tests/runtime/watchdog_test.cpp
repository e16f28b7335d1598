// What does not come to an end is noticed from outside, told once, and forgotten when it goes on.
#include "actors/work_board.hpp"
#include "runtime/engine.hpp"
#include "runtime/engine_monitor.hpp"
#include "runtime/journal/group_commit.hpp"
#include "runtime/journal/memory_store.hpp"
#include "runtime/system_ports.hpp"
#include "runtime/tree.hpp"
#include "runtime/watchdog.hpp"
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"
#include "tests/runtime/promised_call.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <doctest/doctest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <thread>

using namespace purser;
using namespace purser::tests;

namespace {

const entity_ref some_order{entity_kind::order, "o-1"};

/// Alarms and notices of an engine, to be waited for.
class heard {
public:
  void tell(const std::string& what) {
    const std::lock_guard lock{mutex_};
    all_.push_back(what);
    came_.notify_all();
  }

  /// Waits for one that begins so.
  std::string wait_for(const std::string& beginning) {
    std::unique_lock lock{mutex_};
    std::string found;
    const bool in_time = came_.wait_for(lock, std::chrono::seconds{60}, [&] {
      const auto at =
        std::ranges::find_if(all_, [&](const auto& each) { return each.starts_with(beginning); });
      if (at != all_.end())
        found = *at;
      return at != all_.end();
    });
    REQUIRE_MESSAGE(in_time, beginning);
    return found;
  }

  std::size_t count(const std::string& beginning) {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(
      std::ranges::count_if(all_, [&](const auto& each) { return each.starts_with(beginning); }));
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> all_;
};

/// Blocks whoever logs that an actor crashed: a shard, on a thread of the scheduler.
class blocking_sink final : public spdlog::sinks::sink {
public:
  void log(const spdlog::details::log_msg& message) override {
    const std::string_view text{message.payload.data(), message.payload.size()};
    if (text.starts_with("child_crashed"))
      released.wait();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  std::latch released{1};
};

/// A provider that does not come back from a call until it is released.
class blocking_provider final : public payment_gateway {
public:
  void submit(const payment_call& call, std::function<void(payment_answer)> done) override {
    released.wait();
    done({payment_answer_kind::succeeded, {}, call.idempotency_key});
  }

  std::latch released{1};
};

engine_options watched(heard& by) {
  engine_options made;
  made.hang_ms = 200;
  made.audit_every_ms = 0;
  made.on_alarm = [&by](const std::string& text) { by.tell(text); };
  made.on_supervision = [&by](const supervision_notice& notice) {
    by.tell(notice.what + " " + notice.path);
  };
  return made;
}

bool has_reason(engine& of, const std::string& beginning) {
  const auto health = of.health();
  return health.degraded && std::ranges::any_of(health.reasons, [&](const auto& reason) {
           return reason.starts_with(beginning);
         });
}

} // namespace

TEST_CASE("W2: work is told once when it has not gone on for the limit, and once when it does") {
  hang_rule rule{100};
  const std::vector<watched_work> one{{"a", "works", 1}};
  const std::vector<watched_work> next{{"a", "works", 2}};

  CHECK(rule.look(0, one).all.empty());
  CHECK(rule.look(99, one).all.empty());
  const auto first = rule.look(100, one);
  CHECK(first.begun == std::vector<hang>{{"a", "works", 100}});
  const auto again = rule.look(150, one);
  CHECK(again.begun.empty());
  CHECK(again.all == std::vector<hang>{{"a", "works", 150}});
  const auto progress = rule.look(200, next);
  CHECK(progress.all.empty());
  CHECK(progress.ended == std::vector<hang>{{"a", "works", 150}});
  CHECK(rule.look(310, next).begun.size() == 1);
  CHECK(rule.look(320, {}).ended.size() == 1);
}

TEST_CASE("W2: work that goes on is never told, however long it lasts") {
  hang_rule rule{100};
  for (std::uint64_t turn = 0; turn < 50; ++turn)
    CHECK(rule.look(static_cast<std::int64_t>(turn * 90), {{"a", "works", turn}}).all.empty());
}

TEST_CASE("W1: a board shows what each thread does, with another turn for each message") {
  work_board board;
  CHECK(board.look().empty());
  {
    const work_board::scope working{&board, work_kind::entity, some_order};
    const auto before = board.look();
    board.next_message();
    const auto after = board.look();
    REQUIRE(before.size() == 1);
    CHECK(before.front().entity == some_order);
    CHECK(after.front().turn != before.front().turn);
    const work_board::scope inner{&board, 3};
    CHECK(board.look().front().kind == work_kind::shard);
  }
  CHECK(board.look().empty());
}

TEST_CASE("W2: places of a board outlive their threads") {
  work_board board;
  std::latch working{1};
  std::latch enough{1};
  std::thread other{[&] {
    const work_board::scope scope{&board, 5};
    working.count_down();
    enough.wait();
  }};
  working.wait();
  CHECK(board.look().size() == 1);
  enough.count_down();
  other.join();
  CHECK(board.look().empty());
}

TEST_CASE("B9: an actor that hangs degrades the engine, with its path, and is forgotten when it "
          "goes on") {
  heard told;
  auto options = watched(told);
  options.threads = 2;
  const auto sink = std::make_shared<blocking_sink>();
  options.logger = std::make_shared<spdlog::logger>("test", sink);
  const auto shop = engine::start(options);
  const auto place = order_of("o-1", "mug", 1);
  shop->submit(receive("mug", 10)).get();
  shop->crash({some_order, {}, 1});

  auto placed = shop->submit(place);
  const auto path = "root/shards/shard-" + std::to_string(shard_of(some_order, 8));
  const auto alarm = told.wait_for("actor_hangs path=" + path + " ");

  CHECK(alarm.find("for_ms=") != std::string::npos);
  CHECK(has_reason(*shop, path + " has handed out messages for "));
  CHECK(shop->health().ready);
  const auto tree = shop->tree(50);
  const auto row = std::ranges::find(tree.rows, path, &tree_row::path);
  REQUIRE(row != tree.rows.end());
  CHECK(row->state == "not_responding");

  sink->released.count_down();
  CHECK(placed.get().result == outcome::accepted);
  told.wait_for("actor_goes_on " + path);
  CHECK(told.count("actor_hangs path=" + path + " ") == 1);
  CHECK_FALSE(has_reason(*shop, path));
}

TEST_CASE("B9: an entity that hangs is named; its shard and its siblings go on") {
  std::latch released{1};
  group_commit_journal log{std::make_unique<memory_store>(), {}};
  system_clock time;
  system_random random;
  router way{1};
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing")).set("scheduler.max-threads", std::size_t{2});
  caf::actor_system system{config};
  node_context context{log, time, random, way, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  work_board board;
  context.at_work = &board;
  context.inject_crash = [&](const envelope& message) -> std::optional<crash_point> {
    if (message.to.key == "stuck")
      released.wait();
    return std::nullopt;
  };
  heard told;
  task_queue delivery{[](const std::string&) {}};
  engine_monitor monitor{
    {system, context, board, delivery},
    {[&](const supervision_notice& notice) { told.tell(notice.what + " " + notice.path); },
     [&](const std::string& text) { told.tell(text); }}};
  const shard_states shards{std::make_shared<shard_state>(std::uint16_t{0})};
  std::promise<void> started;
  supervisors::supervisor_hooks hooks;
  hooks.on_started = [&started](const std::string&) { started.set_value(); };
  auto root = start_tree(system, context, shards, std::move(hooks));
  started.get_future().get();
  monitor.set_root(root);
  monitor.start_watchdog(200);
  const auto receive_as = [&](const std::string& id) {
    auto made = std::make_shared<promised_call>();
    auto future = made->promise.get_future();
    envelope message;
    message.to = {entity_kind::receipt, id};
    message.client = std::move(made);
    message.key = "stock.receive";
    message.fingerprint = 7;
    message.at = 1'000;
    message.body = command_body{receive_stock{id, "mug", "main", 1}};
    way.send(std::move(message));
    return future;
  };

  auto stuck = receive_as("stuck");
  told.wait_for("actor_hangs path=root/shards/shard-0/receipt/stuck ");
  auto behind = receive_as("stuck");             // waits in its mailbox
  const auto sibling = receive_as("free").get(); // the shard has handed out what came before
  const auto tree = monitor.tree(30'000);

  CHECK(sibling.result == outcome::accepted);
  const auto row =
    std::ranges::find(tree.rows, "root/shards/shard-0/receipt/stuck", &tree_row::path);
  REQUIRE(row != tree.rows.end());
  CHECK(row->state == "running");
  CHECK(row->mailbox == 1);
  CHECK(std::ranges::find(tree.rows, "root/shards/shard-0", &tree_row::path)->state == "running");
  released.count_down();
  CHECK(stuck.get().result == outcome::accepted);
  CHECK(behind.get().duplicate);
  told.wait_for("actor_goes_on root/shards/shard-0/receipt/stuck");
  monitor.stop_watchdog();
  monitor.set_root(nullptr);
  stop_tree(system, context, shards, root);
}

TEST_CASE("a scheduler without a free thread is noticed") {
  heard told;
  auto options = watched(told);
  options.threads = 1;
  const auto sink = std::make_shared<blocking_sink>();
  options.logger = std::make_shared<spdlog::logger>("test", sink);
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 10)).get();
  shop->crash({some_order, {}, 1});

  auto placed = shop->submit(order_of("o-1", "mug", 1));
  told.wait_for("actor_hangs path=scheduler ");

  CHECK(has_reason(*shop, "scheduler has had no thread free for "));
  const auto tree = shop->tree(20);
  CHECK(
    std::ranges::all_of(tree.rows, [](const auto& row) { return row.state == "not_responding"; }));
  sink->released.count_down();
  CHECK(placed.get().result == outcome::accepted);
  told.wait_for("actor_goes_on scheduler");
}

TEST_CASE("a provider that does not come back is noticed, and named") {
  heard told;
  auto options = watched(told);
  const auto provider = std::make_shared<blocking_provider>();
  options.provider = provider;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 10)).get();

  auto placed = shop->submit(order_of("o-1", "mug", 1));
  told.wait_for("actor_hangs path=payment_desk ");

  CHECK(has_reason(*shop, "payment_desk has been calling the provider for payment/o-1 for "));
  provider->released.count_down();
  CHECK(placed.get().result == outcome::accepted);
  told.wait_for("actor_goes_on payment_desk");
}

TEST_CASE("B9: an engine that cannot stop says where it is, and for whom it waits") {
  heard told;
  auto options = watched(told);
  const auto provider = std::make_shared<blocking_provider>();
  options.provider = provider;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 10)).get();
  auto placed = shop->submit(order_of("o-1", "mug", 1));
  told.wait_for("actor_hangs path=payment_desk ");

  std::thread stopping{[&] { shop->stop(); }};
  while (shop->health().ready ||
         shop->health().reasons.front().find("provider") == std::string::npos)
    std::this_thread::yield();
  const auto health = shop->health();

  CHECK(health.live);
  CHECK_FALSE(health.ready);
  CHECK(health.reasons.front() == "the engine stops; it is at the payment provider");
  CHECK(std::ranges::any_of(health.reasons, [](const auto& reason) {
    return reason.starts_with("payment_desk has been calling");
  }));
  provider->released.count_down();
  stopping.join();
  CHECK(placed.get().result != outcome::rejected);
}

TEST_CASE("a callback that blocks is noticed") {
  heard told;
  auto options = watched(told);
  options.on_alarm = nullptr; // they would wait behind it
  const auto shop = engine::start(options);
  std::latch released{1};

  shop->submit(receive("mug", 10), [&](const answer&) { released.wait(); });
  while (!has_reason(*shop, "callbacks have been blocked for "))
    std::this_thread::yield();

  released.count_down();
  told.wait_for("actor_goes_on callbacks");
  CHECK_FALSE(has_reason(*shop, "callbacks"));
}
