#include "actors/domain/stock.hpp"
#include "runtime/checkpointer.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/marks.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

using namespace purser;
using namespace purser::tests;

namespace {

std::unique_ptr<group_commit_journal> in_memory(journal_options options = {}) {
  return std::make_unique<group_commit_journal>(std::make_unique<memory_store>(),
                                                std::move(options));
}

std::vector<std::string> payloads(const stored_stream& stream) {
  std::vector<std::string> all;
  for (const auto& event : stream.tail)
    all.push_back(event.event.payload);
  return all;
}

/// Until there is a commit behind the first `before` of them, or the time is over.
void leave_time_to_commit(const group_commit_journal& log, std::uint64_t before,
                          std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until && log.figures().commits == before)
    std::this_thread::yield();
}

/// Runs one body over both stores; `reopen` closes the journal and opens it again.
struct both_stores {
  scratch_directory directory;
  bool on_disk;
  std::unique_ptr<group_commit_journal> log;

  explicit both_stores(bool disk) : on_disk(disk) { open(); }

  void open() {
    if (on_disk) {
      log = std::make_unique<group_commit_journal>(open_rocks_store(directory.path() / "data"),
                                                   journal_options{});
    } else if (!log) {
      log = in_memory();
    }
  }
  void reopen() {
    if (!on_disk)
      return;
    log.reset();
    open();
  }
};

} // namespace

TEST_CASE("J1: positions are dense, in the order of the appends") {
  const auto log = in_memory();

  CHECK(append_one(*log, order_ref(1), 0) == 1);
  CHECK(append_one(*log, order_ref(2), 0) == 2);
  const std::vector<event_record> three{event_with("a"), event_with("b"), event_with("c")};
  CHECK(log->append_once(order_ref(1), 1, three) == 5);
  wait_durable(*log);

  journal_scan scan{*log};
  recorded_event event;
  std::vector<position> positions;
  while (scan.next(event))
    positions.push_back(event.at_position);
  CHECK(positions == std::vector<position>{1, 2, 3, 4, 5});
}

TEST_CASE("J2: an output never runs before what it tells is synced") {
  auto disk = std::make_unique<memory_store>();
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  disk->before_sync = [&] {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return open; });
  };
  open = true; // for the opening
  group_commit_journal log{std::move(disk), {}};
  {
    const std::lock_guard lock{mutex};
    open = false;
  }

  append_one(log, order_ref(1), 0);
  std::vector<int> ran;
  std::promise<void> last;
  log.when_durable([&] { ran.push_back(1); });
  log.when_durable([&] {
    ran.push_back(2);
    last.set_value();
  });
  CHECK(log.durable() == 0);
  CHECK(ran.empty());
  {
    const std::lock_guard lock{mutex};
    open = true;
  }
  changed.notify_all();
  last.get_future().get();

  CHECK(ran == std::vector<int>{1, 2});
  CHECK(log.durable() == 1);
}

TEST_CASE("an output that waits for nothing runs at once") {
  const auto log = in_memory();
  bool ran = false;

  log->when_durable([&ran] { ran = true; });

  CHECK(ran);
}

TEST_CASE("J4: a second writer of a stream is refused, and so is one that skips an event") {
  const auto log = in_memory();
  append_one(*log, order_ref(1), 0);

  CHECK_THROWS_AS(append_one(*log, order_ref(1), 0), version_conflict);
  CHECK_THROWS_AS(append_one(*log, order_ref(1), 2), version_conflict);
  CHECK_NOTHROW(append_one(*log, order_ref(1), 1));
}

TEST_CASE("J5: a load sees events that are not durable yet") {
  auto disk = std::make_unique<memory_store>();
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  std::atomic<bool> guarded{false};
  disk->before_sync = [&] {
    if (guarded)
      opened.wait();
  };
  group_commit_journal log{std::move(disk), {}};
  guarded = true;
  append_one(log, order_ref(1), 0, "in flight");
  append_one(log, order_ref(1), 1, "queued");

  CHECK(payloads(load_now(log, order_ref(1))) == std::vector<std::string>{"in flight", "queued"});

  CHECK(log.durable() == 0);
  gate.set_value();
}

TEST_CASE("J6: what is asked for after a record waits until it is durable") {
  auto disk = memory_store::with_synced_copy();
  auto& raw = *disk;
  group_commit_journal log{std::move(disk), {}};
  std::promise<void> may_sync;
  raw.before_sync = [gate = may_sync.get_future().share()] { gate.wait(); };

  log.put_record("letter/x", "1");
  std::promise<void> told;
  auto future = told.get_future();
  log.when_durable([&told] { told.set_value(); });
  const bool early = future.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  may_sync.set_value();
  future.get();
  raw.forget_unsynced();

  CHECK_FALSE(early);
  CHECK(raw.mark("letter/x") == "1");
  CHECK(log.last() == 0); // no event was needed for it
  log.put_record("letter/x", "2");
  log.put_record("letter/x", std::nullopt);
  log.flush_records();
  CHECK_FALSE(raw.mark("letter/x")); // the last word counts
  log.stop();
  CHECK_THROWS_AS(log.put_record("letter/y", "1"), journal_stopped);
}

TEST_CASE("J6: a record that cannot be written is told, and what waits for it never comes") {
  auto disk = std::make_unique<memory_store>();
  auto& raw = *disk;
  group_commit_journal log{std::move(disk), {}};
  raw.fail_after(1, "the disk is full");
  bool told = false;

  log.put_record("letter/x", "1");
  log.when_durable([&told] { told = true; });

  CHECK_THROWS_AS(log.flush_records(), journal_stopped);
  log.stop();
  CHECK_FALSE(told);
}

TEST_CASE("J7: a letter and the event behind it are in one commit, however soon the writer wakes") {
  group_commit_journal log{std::make_unique<memory_store>(), {}};
  const auto before = log.figures().commits;
  {
    const journal::together as_one{log};
    log.put_record("letter/x", "1");
    // Time for the writer to take the letter alone, which is what it must not do.
    leave_time_to_commit(log, before, std::chrono::milliseconds{100});
    CHECK(log.figures().commits == before);
    append_one(log, order_ref(1), 0);
  }
  log.flush_records();
  CHECK(log.durable() == 1);
  CHECK(log.figures().commits == before + 1);
}

TEST_CASE("J8: a commit waits for what is to come, until that has come or its time is over") {
  std::atomic<bool> more{false};
  journal_options options;
  options.more_to_come = [&more] { return more.load(); };
  constexpr std::int64_t an_hour = 3'600'000'000;
  SUBCASE("all has come") {
    options.gathers_us = an_hour;
    group_commit_journal log{std::make_unique<memory_store>(), options};
    append_one(log, order_ref(1), 0);
    wait_durable(log);
    const auto before = log.figures().commits;

    more = true;
    append_one(log, order_ref(1), 1);
    append_one(log, order_ref(2), 0);
    leave_time_to_commit(log, before, std::chrono::milliseconds{50});
    CHECK(log.durable() == 1);
    append_one(log, order_ref(3), 0);
    more = false;
    log.no_more_to_come();

    wait_durable(log);
    CHECK(log.durable() == 4);
    CHECK(log.figures().commits == before + 1);
  }
  SUBCASE("its time is over") {
    options.gathers_us = 1'000;
    more = true;
    group_commit_journal log{std::make_unique<memory_store>(), options};
    for (std::uint64_t version = 0; version < 3; ++version) {
      append_one(log, order_ref(1), version);
      wait_durable(log);
    }
    CHECK(log.durable() == 3);
  }
  SUBCASE("its time grows while more is to come, and is as it was once that has run out") {
    options.gathers_us = 400;
    more = true;
    group_commit_journal log{std::make_unique<memory_store>(), options};
    std::vector<std::int64_t> waited;
    const auto commit = [&] {
      append_one(log, order_ref(1), waited.size());
      wait_durable(log);
      waited.push_back(log.figures().gathers_us);
    };
    for (int i = 0; i < 25; ++i)
      commit();
    CHECK(waited[0] == 400);
    CHECK(waited[1] == 500);
    CHECK(waited[2] == 600);
    CHECK(waited.back() == 2'400);
    log.no_more_to_come(); // and at once there is more again
    commit();
    CHECK(waited.back() == 400);
    commit();
    CHECK(waited.back() == 500);
  }
  SUBCASE("the journal stops") {
    options.gathers_us = an_hour;
    group_commit_journal log{std::make_unique<memory_store>(), options};
    append_one(log, order_ref(1), 0);
    wait_durable(log);
    more = true;
    append_one(log, order_ref(1), 1);
    log.stop();
    CHECK(log.durable() == 2);
  }
}

namespace {

/// A disk that syncs nothing while somebody else holds the gate.
std::unique_ptr<memory_store> disk_behind(std::mutex& gate) {
  auto made = std::make_unique<memory_store>();
  made->before_sync = [&gate] { const std::lock_guard lock{gate}; };
  return made;
}

} // namespace

TEST_CASE("J2: outputs that others release come in order and once, and none is left at the end") {
  std::atomic<int> asked{0};
  std::atomic<bool> others{true};
  journal_options options;
  options.outputs.others_release = [&] {
    ++asked;
    return others.load();
  };
  std::mutex disk_waits; // so that nothing is durable before its outputs wait
  group_commit_journal log{disk_behind(disk_waits), options};
  std::vector<int> ran; // by one thread at a time, which is what is tested
  std::thread::id by;
  const auto append_with_outputs = [&](int number) {
    const auto before = asked.load();
    const std::lock_guard lock{disk_waits};
    append_one(log, order_ref(number), 0);
    for (const int output : {2 * number, 2 * number + 1})
      log.when_durable([&, output] {
        ran.push_back(output);
        by = std::this_thread::get_id();
      });
    return before;
  };
  const auto wait_asked = [&](int before) {
    while (asked == before)
      std::this_thread::yield();
  };

  wait_asked(append_with_outputs(0));
  wait_asked(append_with_outputs(1));
  CHECK(ran.empty()); // nobody has come yet
  log.release();
  log.release();
  CHECK(ran == std::vector{0, 1, 2, 3});
  CHECK(by == std::this_thread::get_id());

  others = false;
  append_with_outputs(2);
  std::promise<void> reached;
  {
    const std::lock_guard lock{disk_waits};
    append_one(log, order_ref(3), 0);
    log.when_durable([&reached] { reached.set_value(); });
  }
  reached.get_future().get();
  CHECK(by != std::this_thread::get_id());
  others = true;
  wait_asked(append_with_outputs(4));
  log.stop();
  CHECK(ran == std::vector{0, 1, 2, 3, 4, 5, 8, 9});
}

TEST_CASE(
  "J2: who comes to release outputs while one takes its time does not wait, and none is lost") {
  std::atomic<int> asked{0};
  journal_options options;
  options.outputs.others_release = [&asked] {
    ++asked;
    return true;
  };
  std::mutex disk_waits; // so that nothing is durable before its output waits
  group_commit_journal log{disk_behind(disk_waits), options};
  std::promise<void> runs;
  std::promise<void> may_end;
  std::vector<std::string> ran;
  int events = 0;
  const auto put = [&](journal::task output) {
    const auto before = asked.load();
    {
      const std::lock_guard lock{disk_waits};
      append_one(log, order_ref(++events), 0);
      log.when_durable(std::move(output));
    }
    while (asked == before)
      std::this_thread::yield();
  };
  put([&] {
    runs.set_value();
    may_end.get_future().wait();
    ran.emplace_back("slow");
  });
  std::thread first{[&log] { log.release(); }};
  runs.get_future().wait();

  put([&ran] { ran.emplace_back("behind it"); });
  log.release(); // comes back at once
  log.release();
  CHECK(ran.empty());
  const auto before = asked.load();
  may_end.set_value();
  first.join();
  CHECK(asked == before + 1); // who was at it has seen that there is more
  CHECK(ran == std::vector<std::string>{"slow"});
  log.release();
  CHECK(ran == std::vector<std::string>{"slow", "behind it"});
}

TEST_CASE("J3: a failed write or sync ends the journal: nothing is retried, nothing is told") {
  for (int call = 1; call <= 4; ++call) { // write, sync, write, sync
    CAPTURE(call);
    auto disk = std::make_unique<memory_store>();
    auto* faults = disk.get();
    std::promise<std::string> failed;
    journal_options options;
    options.on_failure = [&failed](const std::string& why) { failed.set_value(why); };
    group_commit_journal log{std::move(disk), options};
    faults->fail_after(call, "the disk is full");

    const int commits_before = (call - 1) / 2;
    for (int i = 0; i < commits_before; ++i) {
      append_one(log, order_ref(1), static_cast<std::uint64_t>(i));
      wait_durable(log);
    }
    append_one(log, order_ref(2), 0);
    bool told = false;
    log.when_durable([&told] { told = true; });

    CHECK(failed.get_future().get() == "the disk is full");
    CHECK_THROWS_AS(append_one(log, order_ref(3), 0), journal_stopped);
    log.stop();
    CHECK_FALSE(told);
    CHECK(log.durable() == static_cast<position>(commits_before));
  }
}

TEST_CASE("J1: a power cut loses only what no output has told") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 50; ++round) {
    auto disk = memory_store::with_synced_copy();
    auto* power = disk.get();
    journal_options options;
    std::atomic<int> syncs_left{static_cast<int>(random() % 20)};
    std::atomic<position> told{0};
    disk->before_sync = [&] {
      if (--syncs_left < 0)
        throw store_error("the power is gone");
    };
    std::unique_ptr<group_commit_journal> log;
    syncs_left += 1; // the opening's own
    log = std::make_unique<group_commit_journal>(std::move(disk), options);
    try {
      for (std::uint64_t version = 0; version < 200; ++version) {
        const auto at = append_one(*log, order_ref(1), version);
        log->when_durable([&told, at] { told = std::max(told.load(), at); });
      }
    } catch (const journal_stopped&) {
    }
    log->stop();
    power->forget_unsynced();

    std::uint64_t events = 0;
    for (std::uint16_t shard = 0; shard < 8; ++shard)
      for (std::uint64_t number = 1; number <= power->last_chunk(shard); ++number)
        read_chunk(power->chunk(shard, number).value(), [&](recorded_event&&) { ++events; });
    CHECK(events >= told);
  }
}

TEST_CASE("what was appended is there after a reopening, with and without checkpoints") {
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    both_stores stores{on_disk};
    for (std::uint64_t version = 0; version < 10; ++version)
      for (int stream = 0; stream < 20; ++stream)
        append_one(*stores.log, order_ref(stream), version,
                   std::to_string(stream) + "/" + std::to_string(version));
    wait_durable(*stores.log);
    stores.reopen();

    for (int stream = 0; stream < 20; ++stream) {
      const auto found = payloads(load_now(*stores.log, order_ref(stream)));
      REQUIRE(found.size() == 10);
      CHECK(found.back() == std::to_string(stream) + "/9");
      CHECK_THROWS_AS(append_one(*stores.log, order_ref(stream), 9), version_conflict);
      CHECK_NOTHROW(append_one(*stores.log, order_ref(stream), 10));
    }
  }
}

TEST_CASE("after a checkpoint a stream is its snapshot and what came later") {
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    both_stores stores{on_disk};
    const auto ref = order_ref(1);
    const auto shard = shard_of(ref, 8);
    append_one(*stores.log, ref, 0, "a");
    append_one(*stores.log, ref, 1, "b");

    const auto span = stores.log->begin_checkpoint(shard);
    append_one(*stores.log, ref, 2, "c"); // while the checkpoint is under way
    int read = 0;
    std::vector<std::uint64_t> chunks; // one or two: a commit may have come between the events
    read_span(stores.log->disk(), span, [&](std::uint64_t chunk, recorded_event&&) {
      ++read;
      if (chunks.empty() || chunks.back() != chunk)
        chunks.push_back(chunk);
    });
    CHECK(read == 2);
    checkpoint_result result;
    result.snapshots.keep(ref, 2, chunks, "state of b");
    result.opened = {order_ref(7)};
    stores.log->complete_checkpoints(one_part(span, std::move(result)));
    wait_durable(*stores.log);
    stores.reopen();

    const auto found = load_now(*stores.log, ref);
    CHECK(found.snapshot == "state of b");
    CHECK(payloads(found) == std::vector<std::string>{"c"});
    CHECK(stores.log->open_at_checkpoint() == std::vector<entity_ref>{order_ref(7)});
    std::vector<std::string> history;
    stores.log->history(ref,
                        [&](recorded_event&& event) { history.push_back(event.event.payload); });
    CHECK(history == std::vector<std::string>{"a", "b", "c"});
  }
}

TEST_CASE("a power cut leaves no checkpoint without its snapshots, and none unannounced") {
  journal_options one_shard;
  one_shard.shards = 1;
  const std::array<entity_ref, 2> skus{entity_ref{entity_kind::stock, "mug"},
                                       entity_ref{entity_kind::stock, "cup"}};
  int checkpoints = 0;
  int only_snapshots = 0;
  for (const int call : {1, 2, 3, 4, 5, 6, 7, 8})              // until which all went well
    for (unsigned survivors = 0; survivors < 8; ++survivors) { // of the batches not synced then
      CAPTURE(call);
      CAPTURE(survivors);
      auto made = memory_store::with_synced_copy();
      auto& disk = *made;
      group_commit_journal log{std::move(made), one_shard};
      for (const auto& sku : skus) // a large snapshot: each is in a batch of its own
        log.append_once(sku, 0,
                        std::vector{record_of(stock_received{{std::string(80'000, 'w'), 10}})});
      const auto span = log.begin_checkpoint(0);
      auto result = result_of(fold(disk, span));
      disk.fail_after(call, "the power is gone");
      try {
        store_checkpoint(disk, one_part(span, std::move(result)));
      } catch (const store_error&) {
        CHECK(call < 8);
      }
      REQUIRE(disk.unsynced() <= 3);
      disk.forget_unsynced([&](std::size_t batch) { return (survivors >> batch & 1) != 0; });

      const auto stored = std::count_if(
        skus.begin(), skus.end(), [&](const auto& sku) { return disk.snapshot(sku).has_value(); });
      const bool announced = disk.mark(marks::indexed_key(0)) == marks::encode_number(span.up_to) &&
                             disk.mark(marks::format) == marks::encode_number(marks::listed_format);
      const bool is_there = disk.mark(marks::checkpoint_key(0)).has_value();
      CHECK((stored == 0 || announced));
      CHECK((!is_there || stored == 2));
      checkpoints += is_there ? 1 : 0;
      only_snapshots += stored != 0 && !is_there ? 1 : 0;
    }
  CHECK(checkpoints > 0);
  CHECK(only_snapshots > 0);
}

TEST_CASE(
  "however far a checkpoint came, after the next one each timer has its mark and no other") {
  journal_options one_shard;
  one_shard.shards = 1;
  const auto held = [](int owner, unix_millis until) {
    return std::vector{
      record_of(units_held{order_ref(owner), {{"main", 1}}, {until}}),
    };
  };
  const auto released = [](int owner) {
    return std::vector{record_of(units_released{order_ref(owner), {{"main", 1}}})};
  };
  const auto sku = [](std::string name) { return entity_ref{entity_kind::stock, std::move(name)}; };
  int cut_short = 0;
  for (int call = 1; call <= 8; ++call)
    for (unsigned survivors = 0; survivors < 8; ++survivors) {
      CAPTURE(call);
      CAPTURE(survivors);
      auto made = memory_store::with_synced_copy();
      auto& disk = *made;
      group_commit_journal log{std::move(made), one_shard};
      std::map<std::string, std::uint64_t> versions;
      const auto append = [&](group_commit_journal& to, const std::string& name,
                              const std::vector<event_record>& events) {
        to.append_once(sku(name), versions[name], events);
        versions[name] += events.size();
      };
      for (const auto* name : {"keeps", "moves", "loses", "moves-twice", "gets"})
        append(log, name, {record_of(stock_received{{"main", 9}})});
      for (const auto* name : {"keeps", "moves", "loses", "moves-twice"})
        append(log, name, held(1, 500));
      run_checkpoint(log, 0);
      REQUIRE(due_marks(disk).size() == 4);

      append(log, "keeps", {record_of(stock_received{{"main", 1}})});
      append(log, "moves", held(2, 400));
      append(log, "moves-twice", held(2, 400));
      append(log, "loses", released(1));
      append(log, "gets", held(1, 600));
      const auto span = log.begin_checkpoint(0);
      auto result = result_of(fold(disk, span));
      store_index(disk, span, std::move(result.index));
      disk.fail_after(call, "the power is gone");
      try {
        store_checkpoint(disk, one_part(span, std::move(result)));
      } catch (const store_error&) {
        ++cut_short;
      }
      disk.forget_unsynced([&](std::size_t batch) { return (survivors >> batch & 1) != 0; });
      log.abandon("the power is gone");

      group_commit_journal next{disk.moment(), one_shard};
      append(next, "moves-twice", held(3, 300));
      run_checkpoint(next, 0);
      std::set<std::string> expected;
      for (const auto& [name, version] : versions) {
        const auto image = load_entity(next, sku(name));
        CHECK(image.version() == version);
        if (const auto due = image.due())
          expected.insert(marks::due_rest(*due, sku(name)));
      }
      CHECK(due_marks(next.disk()) == expected);
      CHECK(expected.size() == 4);
    }
  CHECK(cut_short > 8);
}

TEST_CASE("what a killed process left of a table is not written through to the journal's tables") {
  scratch_directory directory;
  const auto journal = directory.path() / "journal";
  const entity_ref mug{entity_kind::stock, "mug"};
  const auto tables = [&] {
    std::vector<std::filesystem::path> found;
    for (const auto& file : std::filesystem::directory_iterator{journal})
      if (file.path().extension() == ".sst")
        found.push_back(file.path());
    return found;
  };
  group_commit_journal log{open_rocks_store(directory.path()), {}};
  log.append_once(mug, 0, std::vector{record_of(stock_received{{"main", 5}})});
  run_checkpoint(log, shard_of(mug, 8));
  REQUIRE(tables().size() == 1);
  const auto first = tables().front();
  const auto bytes = read_file(first);
  CHECK_FALSE(std::filesystem::exists(journal / "table.new"));
  std::filesystem::create_hard_link(first,
                                    journal / "table.new"); // killed between two of its steps

  log.append_once(mug, 1, std::vector{record_of(stock_received{{"main", 6}})});
  run_checkpoint(log, shard_of(mug, 8));

  CHECK(read_file(first) == bytes);
  CHECK(load_entity(log, mug).version() == 2);
}

TEST_CASE(
  "when a shard has grown enough for a checkpoint, those that have grown half of it go along") {
  journal_options three;
  three.shards = 3;
  group_commit_journal log{std::make_unique<memory_store>(), three};
  const std::array<std::size_t, 3> sizes{12'000, 7'000, 1'000};
  std::array<std::string, 3> names;
  for (int number = 0; names[0].empty() || names[1].empty() || names[2].empty(); ++number) {
    const auto name = "sku-" + std::to_string(number);
    names.at(shard_of({entity_kind::stock, name}, 3)) = name;
  }
  std::mutex mutex;
  std::vector<std::uint16_t> after;
  checkpointer checkpoints{log,
                           10'000,
                           {[](const std::string& why) { FAIL(why); },
                            [](const std::string& why) { FAIL(why); }, [](std::uint16_t) {},
                            [&](std::uint16_t shard) {
                              const std::lock_guard lock{mutex};
                              after.push_back(shard);
                            }}};
  for (std::size_t shard = 3; shard-- > 0;) // the one that has grown enough comes last
    log.append_once({entity_kind::stock, names.at(shard)}, 0,
                    std::vector{record_of(stock_received{{std::string(sizes.at(shard), 'w'), 1}})});
  wait_durable(log);
  while (checkpoints.completed() < 2) {
    checkpoints.committed();
    std::this_thread::yield();
  }
  checkpoints.stop();
  CHECK(after == std::vector<std::uint16_t>{0, 1});
  CHECK(log.checkpoint(0) > 0);
  CHECK(log.checkpoint(1) > 0);
  CHECK(log.checkpoint(2) == 0);
}

TEST_CASE("I8: the id of a command is found for ever, before and after it has left the tail") {
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    both_stores stores{on_disk};
    const auto ref = order_ref(1);
    auto event = event_with("a");
    event.cause = "command/c-1";
    event.fingerprint = 77;
    stores.log->append_once(ref, 0, std::vector{event});
    wait_durable(*stores.log);
    const auto find = [&](const std::string& key) {
      std::optional<command_outcome> outcome;
      stores.log->find_command(ref, key, [&](auto found, const std::string& error) {
        CHECK(error.empty());
        outcome = found;
      });
      return outcome;
    };

    REQUIRE(find("command/c-1").has_value());
    const auto span = stores.log->begin_checkpoint(shard_of(ref, 8));
    checkpoint_result result;
    result.index.ids.push_back({ref, "command/c-1", {77, 1, 0}});
    stores.log->complete_checkpoints(one_part(span, std::move(result)));
    stores.reopen();

    REQUIRE(find("command/c-1").has_value());
    CHECK(find("command/c-1")->fingerprint == 77);
    CHECK_FALSE(find("command/c-2").has_value());
  }
}

TEST_CASE("a scan goes on from any position, over all shards") {
  const auto log = in_memory();
  for (int i = 0; i < 500; ++i) {
    append_one(*log, order_ref(i), 0);
    if (i % 7 == 0)
      wait_durable(*log);
  }
  wait_durable(*log);

  for (const position after : {0, 1, 123, 499, 500}) {
    journal_scan scan{*log};
    scan.seek_after(after);
    recorded_event event;
    auto expected = after;
    while (scan.next(event))
      CHECK(event.at_position == ++expected);
    CHECK(expected == 500);
  }
}

TEST_CASE("a journal with another number of shards says so") {
  scratch_directory directory;
  { group_commit_journal log{open_rocks_store(directory.path()), {}}; }

  journal_options other;
  other.shards = 16;
  CHECK_THROWS_WITH_AS(
    group_commit_journal(open_rocks_store(directory.path()), other),
    "the journal has 8 shards, not 16; set engine.shards to that, or start a new "
    "data directory",
    store_error);
}
