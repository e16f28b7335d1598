#include "actors/domain/stock.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/memory_store.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>

using namespace purser;
using namespace purser::tests;

namespace {

void append_durably(group_commit_journal& log, const entity_ref& stream, std::uint64_t version,
                    const std::vector<event_record>& events) {
  log.append_once(stream, version, events);
  wait_durable(log);
}

} // namespace

TEST_CASE("a checkpoint that was cut short leaves no timer behind when the next one is done") {
  journal_options how;
  how.shards = 1;
  group_commit_journal log{std::make_unique<memory_store>(), how};
  const entity_ref mug{entity_kind::stock, "mug"};
  const entity_ref owner{entity_kind::order, "o-1"};
  constexpr unix_millis lapses = 500;
  append_durably(log, mug, 0,
                 {record_of(stock_received{{"main", 5}}),
                  record_of(units_held{owner, {{"main", 2}}, {lapses}})});

  // The index and the snapshots were written; then the process ended.
  auto& disk = log.disk();
  const auto span = tail_span(log, 0);
  auto made = result_of(fold(disk, span));
  store_index(disk, span, std::move(made.index));
  disk.write_snapshots(std::array<const snapshot_list*, 1>{&made.snapshots});
  store_batch some;
  some.marks.emplace_back(marks::due_key(lapses, mug), std::string{});
  disk.write(some);
  REQUIRE(due_marks(disk).size() == 1);

  append_durably(log, mug, 2, {record_of(units_released{owner, {{"main", 2}}})});
  run_checkpoint(log, 0);

  CHECK(due_marks(disk).size() == 0);
  CHECK(log.checkpoint(0) == disk.last_chunk(0));
}

namespace {

/// What a store tells of its entities: snapshots and marks.
std::map<std::string, std::string> contents(store& disk) {
  std::map<std::string, std::string> found;
  disk.for_each_snapshot([&](const entity_ref& ref, std::string_view stored) {
    found["snapshot " + to_string(ref)] = stored;
  });
  disk.for_each_mark({}, [&](std::string_view key, std::string_view value) {
    found["mark " + std::string{key}] = value;
  });
  return found;
}

std::vector<event_record> commands(int count) {
  std::vector<event_record> made;
  for (int i = 0; i < count; ++i) {
    made.push_back(record_of(stock_received{{"main", 1}}));
    made.back().cause = "c-" + std::to_string(i);
    made.back().fingerprint = 7;
  }
  return made;
}

} // namespace

TEST_CASE("entities that left memory are checkpointed by their image as by their events") {
  const entity_ref owner{entity_kind::order, "o-1"};
  const entity_ref known{entity_kind::stock, "known"};     // from before
  const entity_ref fresh{entity_kind::stock, "fresh"};     // with a timer
  const entity_ref again{entity_kind::stock, "again"};     // used once more
  const entity_ref forgets{entity_kind::stock, "forgets"}; // more commands than a snapshot tells
  const entity_ref in_memory{entity_kind::stock, "in-memory"}; // did not leave
  journal_options how;
  how.shards = 1;
  group_commit_journal by_events{std::make_unique<memory_store>(), how};
  group_commit_journal by_images{std::make_unique<memory_store>(), how};
  for (auto* log : {&by_events, &by_images}) {
    const auto rest = [&](const entity_ref& ref) {
      if (log == &by_images)
        log->rest(ref, load_entity(*log, ref).at_rest(), {});
    };
    append_durably(*log, known, 0, {record_of(stock_received{{"main", 5}})});
    run_checkpoint(*log, 0);
    append_durably(*log, known, 1, {record_of(stock_received{{"main", 6}})});
    append_durably(
      *log, fresh, 0,
      {record_of(stock_received{{"main", 5}}), record_of(units_held{owner, {{"main", 2}}, {500}})});
    append_durably(*log, again, 0, {record_of(stock_received{{"main", 5}})});
    append_durably(*log, forgets, 0, commands(40));
    append_durably(*log, in_memory, 0, commands(2));
    for (const auto& ref : {known, fresh, again, forgets})
      rest(ref);
    append_durably(*log, again, 1, {record_of(stock_received{{"main", 7}})});
    for (const auto& ref : {known, fresh, again, forgets, in_memory}) {
      const auto found = load_now(*log, ref);
      const bool is_image = log == &by_images && ref != again && ref != in_memory;
      CHECK(found.tail.empty() == is_image);
      entity_image image{ref};
      image.rebuild(found);
      CHECK(image.same_state(load_entity(by_events, ref)));
    }
    run_checkpoint(*log, 0);
  }

  CHECK(contents(by_images.disk()) == contents(by_events.disk()));
  CHECK(due_marks(by_images.disk()).size() == 1);
  for (const auto& entry : commands(40)) // X2: also those that the snapshot does not tell
    by_images.find_command(forgets, entry.cause, [&](auto found, const std::string& error) {
      CHECK(error.empty());
      CHECK(found);
    });
}

TEST_CASE("an image is taken for what it is only while nothing follows it") {
  const entity_ref mug{entity_kind::stock, "mug"};
  journal_options how;
  how.shards = 1;
  group_commit_journal log{std::make_unique<memory_store>(), how};
  append_durably(log, mug, 0, {record_of(stock_received{{"main", 5}})});
  log.rest(mug, {2, "of a version that was never there", {}, false}, {});
  CHECK(load_now(log, mug).tail.size() == 1);
  auto image = load_entity(log, mug).at_rest();
  image.due = 77; // to see that it is the image which counts
  log.rest(mug, image, {});
  CHECK(load_now(log, mug).tail.empty());

  const auto span = log.begin_checkpoint(0);
  append_durably(log, mug, 1, {record_of(stock_received{{"main", 6}})}); // behind the span
  log.rest(mug, load_entity(log, mug).at_rest(), {});
  log.complete_checkpoints(one_part(span, result_of(fold(log.disk(), span, log.folding(0)))));
  CHECK(due_marks(log.disk()).size() == 1);
  CHECK(load_now(log, mug).tail.empty());
  CHECK(load_entity(log, mug).version() == 2);

  const entity_ref unseen{entity_kind::stock, "unseen"};
  log.rest(unseen, {0, {}, {}, false}, {}); // it has no event that could be left out
  CHECK_FALSE(load_now(log, unseen).snapshot);
}
