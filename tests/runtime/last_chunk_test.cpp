#include "runtime/journal/memory_store.hpp"
#include "runtime/journal/rocks_store.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace purser;
using namespace purser::tests;

namespace {

void put(store& disk, std::uint16_t shard, const std::vector<std::uint64_t>& numbers) {
  store_batch batch;
  for (const auto number : numbers)
    batch.chunks.push_back({shard, number, "bytes"});
  disk.write(batch);
  disk.sync();
}

} // namespace

TEST_CASE("the last chunk of each shard is found, whatever the others have") {
  constexpr std::uint16_t shards = 9;
  constexpr std::array<std::uint64_t, shards> lasts{0, 1, 2, 3, 7, 8, 9, 1'000, 5};
  scratch_directory directory;
  auto disk = open_rocks_store(directory.path() / "data");
  for (std::uint64_t number = 1; number <= 1'000; ++number)
    for (std::uint16_t shard = 0; shard < shards; ++shard)
      if (number <= lasts.at(shard))
        put(*disk, shard, {number});
  for (const bool reopened : {false, true}) { // from the table in memory, and from one on disk
    CAPTURE(reopened);
    if (reopened) {
      disk.reset();
      disk = open_rocks_store(directory.path() / "data");
    }
    const auto moment = disk->moment();
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      CAPTURE(shard);
      CHECK(disk->last_chunk(shard) == lasts.at(shard));
      CHECK(moment->last_chunk(shard) == lasts.at(shard));
    }
    CHECK(disk->last_chunk(shards) == 0);
  }
}

TEST_CASE("a last chunk is found behind missing ones, which reading then tells of") {
  constexpr std::uint16_t shards = 4;
  const std::array<std::vector<std::uint64_t>, shards> there{
    {{5}, {1, 3}, {1, 2, 3, 4, 5, 6, 100}, {7, 8, 4'000, 4'001, 1'000'000}}};
  scratch_directory directory;
  for (const bool on_disk : {false, true}) {
    CAPTURE(on_disk);
    std::unique_ptr<store> disk;
    if (on_disk)
      disk = open_rocks_store(directory.path() / "data");
    else
      disk = std::make_unique<memory_store>();
    for (std::uint16_t shard = 0; shard < shards; ++shard)
      put(*disk, shard, there.at(shard));
    for (std::uint16_t shard = 0; shard < shards; ++shard)
      CHECK(disk->last_chunk(shard) == there.at(shard).back());
    CHECK_THROWS_AS(disk->for_each_chunk(1, 0, 3, [](std::uint64_t, std::string_view) {}),
                    journal_corrupt);
  }
}
