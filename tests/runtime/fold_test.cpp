#include "actors/domain/stock.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/memory_store.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

using namespace purser;
using namespace purser::tests;

namespace {

void append_durably(group_commit_journal& log, const entity_ref& stream, std::uint64_t version,
                    const std::vector<event_record>& events) {
  log.append(stream, version, events);
  wait_durable(log);
}

std::size_t due_marks(store& disk) {
  std::size_t count = 0;
  disk.for_each_mark(marks::due, [&](std::string_view, std::string_view) { ++count; });
  return count;
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

  // The index and a batch of snapshots were written; then the process ended.
  auto& disk = log.disk();
  const auto span = tail_span(log, 0);
  auto made = result_of(fold(disk, span));
  made.index.shard = 0;
  made.index.covered = span.up_to;
  disk.write_index(made.index);
  store_batch some;
  some.snapshots = std::move(made.snapshots);
  some.marks.emplace_back(std::string{marks::due} + marks::due_rest(lapses, mug), std::string{});
  disk.write(some);
  REQUIRE(due_marks(disk) == 1);

  append_durably(log, mug, 2, {record_of(units_released{owner, {{"main", 2}}})});
  run_checkpoint(log, 0);

  CHECK(due_marks(disk) == 0);
  CHECK(log.checkpoint(0) == disk.last_chunk(0));
}
