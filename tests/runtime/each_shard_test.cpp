#include "runtime/journal/each_shard.hpp"
#include "runtime/journal/memory_store.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace purser;
using namespace purser::tests;

TEST_CASE("each shard is called for once, with however many threads") {
  for (const unsigned threads : {0U, 1U, 2U, 3U, 8U, 100U}) {
    CAPTURE(threads);
    constexpr std::uint16_t shards = 8;
    std::vector<int> calls(shards); // of a shard: written by one thread
    for_each_shard(shards, threads, [&](std::uint16_t shard) { ++calls.at(shard); });
    CHECK(calls == std::vector<int>(shards, 1));
  }
  for_each_shard(0, 2, [](std::uint16_t) { FAIL("there is none"); });
}

TEST_CASE("with one thread shards are called for in order") {
  std::vector<int> order;
  for_each_shard(5, 1, [&](std::uint16_t shard) { order.push_back(shard); });
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("several shards are called for at once") {
  constexpr std::chrono::seconds patience{20};
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  std::atomic<bool> met{true};
  for_each_shard(3, 3, [&](std::uint16_t) { // none returns before all are there
    std::unique_lock lock{mutex};
    ++inside;
    changed.notify_all();
    if (!changed.wait_for(lock, patience, [&] { return inside == 3; }))
      met = false;
  });
  CHECK(met);
}

TEST_CASE("what the lowest shard throws is thrown, once all have returned") {
  for (const unsigned threads : {1U, 2U, 8U}) {
    CAPTURE(threads);
    std::atomic<int> returned{0};
    try {
      for_each_shard(8, threads, [&](std::uint16_t shard) {
        ++returned;
        if (shard == 6 || shard == 3 || shard == 7)
          throw std::runtime_error("shard " + std::to_string(shard));
      });
      FAIL("nothing was thrown");
    } catch (const std::runtime_error& error) {
      CHECK(std::string{error.what()} == "shard 3");
    }
    CHECK(returned == 8);
  }
}

TEST_CASE("a journal is the same whether its shards were recovered by one thread or by many") {
  constexpr int streams = 100;
  constexpr std::uint64_t versions = 20;
  scratch_directory directory;
  const auto opened = [&](unsigned threads) {
    journal_options options;
    options.recovery_threads = threads;
    return std::make_unique<group_commit_journal>(open_rocks_store(directory.path() / "data"),
                                                  options);
  };
  position last = 0;
  {
    const auto log = opened(1);
    for (std::uint64_t version = 0; version < versions; ++version)
      for (int stream = 0; stream < streams; ++stream)
        last = append_one(*log, order_ref(stream), version, std::to_string(version));
  }
  for (const unsigned threads : {1U, 8U}) {
    CAPTURE(threads);
    const auto log = opened(threads);
    CHECK(log->durable() == last);
    for (int stream = 0; stream < streams; ++stream)
      log->load(order_ref(stream), [&](const stored_stream& found, const std::string& error) {
        CHECK(error.empty());
        REQUIRE(found.tail.size() == versions);
        CHECK(found.tail.back().event.payload == std::to_string(versions - 1));
      });
  }
}

TEST_CASE("of several shards that cannot be recovered the lowest is told of") {
  for (const unsigned threads : {1U, 8U}) {
    CAPTURE(threads);
    auto disk = std::make_unique<memory_store>();
    store_batch bad;
    bad.marks.emplace_back(marks::format, marks::encode_number(marks::first_format));
    bad.marks.emplace_back(marks::shards, marks::encode_number(8));
    for (const std::uint16_t shard : {std::uint16_t{6}, std::uint16_t{2}, std::uint16_t{5}})
      bad.chunks.push_back({shard, 1, "no chunk at all"});
    disk->write(bad);
    journal_options options;
    options.recovery_threads = threads;
    std::string why;
    try {
      group_commit_journal{std::move(disk), options};
    } catch (const journal_corrupt& error) {
      why = error.what();
    }
    CHECK(why.find("shard 2") != std::string::npos);
  }
}
