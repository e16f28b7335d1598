// Histories and ids that are partly in snapshots, partly in the index: X1, X2, X3 (marks.hpp).
#include "actors/domain/stock.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/marks.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

using namespace purser;
using namespace purser::tests;

namespace {

namespace fs = std::filesystem;

const entity_ref mug{entity_kind::stock, "mug"};

std::string command_key(std::uint64_t version) {
  return "command/c-" + std::to_string(version);
}

struct old_frames final : snapshot_list {
  std::vector<std::pair<entity_ref, std::string>> all;

  std::size_t size() const override { return all.size(); }
  const entity_ref& entity(std::size_t index) const override { return all[index].first; }
  void append_frame(std::size_t index, std::string& to) const override { to += all[index].second; }
};

/// A journal of one shard on a disk, that can be closed, opened and robbed of its index.
struct shop_journal {
  scratch_directory directory;
  std::unique_ptr<group_commit_journal> log;
  std::map<entity_ref, std::uint64_t> versions;

  shop_journal() { open(); }

  fs::path data() const { return directory.path() / "data"; }

  void open() {
    journal_options how;
    how.shards = 1;
    log = std::make_unique<group_commit_journal>(open_rocks_store(data()), how);
  }
  void close() { log.reset(); }
  void reopen() {
    close();
    open();
  }
  void lose_index() {
    close();
    fs::remove_all(data() / "index");
    open();
  }

  /// Each event in a chunk of its own.
  void receive(const entity_ref& sku, int times = 1) {
    for (int i = 0; i < times; ++i) {
      auto& version = versions[sku];
      auto record = record_of(stock_received{{"main", 1}});
      record.cause = command_key(version + 1);
      record.fingerprint = 1'000 + version + 1;
      log->append_once(sku, version, std::vector{record});
      ++version;
      wait_durable(*log);
    }
  }

  /// A checkpoint that ended before its last mark was written: of `snapshots` snapshots, at most.
  void cut_short(std::size_t snapshots) {
    auto& disk = log->disk();
    const auto span = tail_span(*log, 0);
    const auto before = log->checkpoint(0);
    auto made = result_of(fold(disk, span));
    store_index(disk, span, std::move(made.index));
    if (snapshots == 0)
      return;
    const auto all = std::exchange(made.snapshots, {});
    for (std::size_t i = 0; i < std::min(snapshots, all.size()); ++i)
      made.snapshots.add(all.at(i));
    store_checkpoint(disk, one_part(span, std::move(made)));
    put(marks::checkpoint_key(0), before);
  }

  /// What a program of format 1 did: frames without chunks, and everything in the index.
  void old_checkpoint(bool whole = true) {
    auto& disk = log->disk();
    const auto before = log->checkpoint(0);
    const auto span = tail_span(*log, 0);
    index_batch index;
    std::map<entity_ref, std::vector<std::uint64_t>> postings;
    read_span(disk, span, [&](std::uint64_t chunk, recorded_event&& event) {
      postings[event.stream].push_back(chunk);
      index.ids.push_back(
        {event.stream, event.event.cause, {event.event.fingerprint, event.version, 0}});
    });
    for (auto& [stream, chunks] : postings)
      index.postings.push_back({stream, chunks});
    store_index(disk, span, std::move(index));
    old_frames snapshots;
    for (const auto& [ref, entity] : fold(disk, span).entities) {
      std::string frame;
      codec::put_varint(frame, entity.image->version());
      frame += entity.image->snapshot();
      const std::uint64_t checksum = XXH3_64bits(frame.data(), frame.size());
      frame.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
      snapshots.all.emplace_back(ref, std::move(frame));
    }
    std::sort(snapshots.all.begin(), snapshots.all.end());
    disk.write_snapshots(std::array<const snapshot_list*, 1>{&snapshots});
    put(marks::checkpoint_key(0), whole ? span.up_to : before);
    reopen();
  }

  void put(const std::string& key, std::uint64_t value) {
    store_batch batch;
    batch.marks.emplace_back(key, marks::encode_number(value));
    log->disk().write(batch);
    log->disk().sync(log->durable());
  }

  std::uint64_t format() {
    return marks::decode_number(log->disk().mark(marks::format).value(), marks::format);
  }

  /// What went wrong; empty when every event and every id of an entity is told.
  std::string complaint(const entity_ref& sku) {
    std::uint64_t told = 0;
    log->history(sku, [&](recorded_event&& event) { told = event.version; });
    if (told != versions[sku])
      return to_string(sku) + ": the history ends at " + std::to_string(told) + ", not at " +
             std::to_string(versions[sku]);
    const auto image = load_entity(*log, sku);
    if (image.version() != versions[sku])
      return to_string(sku) + " is loaded at version " + std::to_string(image.version());
    for (std::uint64_t version = 1; version <= versions[sku]; ++version)
      if (image.commands().find(command_key(version)) == nullptr) {
        std::optional<command_outcome> found;
        log->find_command(sku, command_key(version), [&](auto outcome, const std::string& error) {
          CHECK(error.empty());
          found = outcome;
        });
        if (!found || found->fingerprint != 1'000 + version)
          return to_string(sku) + ": the id of version " + std::to_string(version) + " is lost";
      }
    return {};
  }
};

} // namespace

TEST_CASE("golden: the frame of a snapshot has exactly these bytes") {
  const fs::path golden = PURSER_SOURCE_DIR "/tests/golden/journal/snapshot_v3.bin";
  const std::vector<std::uint64_t> chunks{7, 300};
  const auto frame = sealed_snapshot(3, chunks, "state");
  if (std::getenv("PURSER_UPDATE_GOLDEN") != nullptr) // NOLINT(concurrency-mt-unsafe)
    write_file(golden, frame);

  CHECK(frame == read_file(golden));
  const auto opened = marks::open_snapshot(mug, frame);
  CHECK(opened.version == 3);
  CHECK(opened.chunks == chunks);
  CHECK(opened.bytes == "state");
}

TEST_CASE("X1, X2: a short history is in the snapshot alone, a long one is told as well") {
  shop_journal shop;
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    shop.receive(mug, 5);
    run_checkpoint(*shop.log, 0);
    CHECK(shop.complaint(mug) == "");
    if (round % 3 == 2) {
      shop.reopen();
      CHECK(shop.complaint(mug) == "");
    }
    if (round == 2) { // 15 chunks, 15 ids
      CHECK(shop.log->disk().postings(mug).empty());
      CHECK_FALSE(shop.log->disk().outcome(mug, command_key(1)));
    }
  }
  CHECK_FALSE(shop.log->disk().postings(mug).empty());
  CHECK(shop.log->disk().outcome(mug, command_key(1)));
  CHECK_FALSE(shop.log->disk().outcome(mug, command_key(150))); // the snapshot has it
}

TEST_CASE("X2: an id that left the entity's memory after the checkpoint is found in the snapshot") {
  shop_journal shop;
  shop.receive(mug, 20);
  run_checkpoint(*shop.log, 0);
  shop.receive(mug, 32); // the newest 32 are remembered, the others were never put into the index

  CHECK_FALSE(shop.log->disk().outcome(mug, command_key(1)));
  CHECK(shop.complaint(mug) == "");
}

TEST_CASE("snapshots of format 1 are read, and their histories and ids go on") {
  for (const int before : {3, 16, 17, 40}) {
    CAPTURE(before);
    shop_journal shop;
    shop.receive(mug, before);
    shop.old_checkpoint();
    CHECK(shop.format() == marks::first_format);
    CHECK(shop.complaint(mug) == "");

    shop.receive({entity_kind::stock, "cup"}, 2);
    shop.receive(mug, 2);
    run_checkpoint(*shop.log, 0);

    CHECK(shop.format() == marks::listed_format);
    CHECK(shop.complaint(mug) == "");
    shop.receive(mug, 40);
    run_checkpoint(*shop.log, 0);
    CHECK(shop.complaint(mug) == "");
    shop.lose_index();
    CHECK(shop.complaint(mug) == "");
    CHECK(shop.complaint({entity_kind::stock, "cup"}) == "");
  }
}

TEST_CASE("X3: snapshots of a checkpoint that was cut short rely on an index that is lost") {
  shop_journal shop;
  shop.receive(mug, 10);
  run_checkpoint(*shop.log, 0);
  shop.receive(mug, 30);
  shop.cut_short(1); // forgot 8 ids, and moved its chunks to the index
  shop.lose_index();

  CHECK(shop.log->disk().index_covered(0) == shop.log->disk().last_chunk(0));
  CHECK(shop.complaint(mug) == "");
  run_checkpoint(*shop.log, 0);
  CHECK(shop.complaint(mug) == "");
}

TEST_CASE(
  "ids of a checkpoint that an older program left half way are told, also when its index is lost") {
  shop_journal shop;
  shop.receive(mug, 5);
  shop.old_checkpoint();
  shop.receive(mug, 40); // more than the log of commands keeps
  shop.old_checkpoint(false);
  shop.lose_index();
  CHECK(shop.complaint(mug) == "");
  shop.receive(mug, 1);
  run_checkpoint(*shop.log, 0);
  CHECK(shop.complaint(mug) == "");
}

TEST_CASE("an index of before is made anew: what moved into it since is not taken for granted") {
  shop_journal shop;
  shop.receive(mug, 10);
  run_checkpoint(*shop.log, 0);
  shop.close();
  fs::copy(shop.data() / "index", shop.directory.path() / "older", fs::copy_options::recursive);
  shop.open();
  shop.receive(mug, 60);
  run_checkpoint(*shop.log, 0);
  shop.close();
  fs::remove_all(shop.data() / "index");
  fs::rename(shop.directory.path() / "older", shop.data() / "index");
  shop.open();

  CHECK(shop.complaint(mug) == "");
}

TEST_CASE("every history and id is told whatever happens to checkpoints, snapshots and the index") {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto below = [&](std::uint32_t limit) { return static_cast<int>(random() % limit); };
    const std::vector<entity_ref> skus{
      mug, {entity_kind::stock, "cup"}, {entity_kind::stock, "jug"}};
    shop_journal shop;
    bool old = below(2) == 0;
    for (int step = 0; step < 20; ++step) {
      for (int i = below(4); i > 0; --i)
        shop.receive(skus[static_cast<std::size_t>(below(3))], 1 + below(9));
      const auto what = below(8);
      if (what <= 2 && old)
        shop.old_checkpoint(below(3) != 0);
      else if (what <= 2)
        run_checkpoint(*shop.log, 0);
      else if (what <= 4 && !old)
        shop.cut_short(static_cast<std::size_t>(below(4)));
      if (what == 5 || what == 4)
        shop.reopen();
      if (what == 6)
        shop.lose_index();
      old = old && what != 7;
      for (const auto& sku : skus)
        REQUIRE(shop.complaint(sku) == "");
    }
  }
}
