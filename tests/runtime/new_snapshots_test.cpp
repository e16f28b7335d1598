// The list of a checkpoint's snapshots (runtime/journal/new_snapshots.hpp), and how several become
// one table.
#include "runtime/journal/marks.hpp"
#include "runtime/journal/new_snapshots.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace purser;
using namespace purser::tests;

namespace {

std::string frame_of(const new_snapshots& list, std::size_t index) {
  std::string frame;
  list.append_frame(index, frame);
  return frame;
}

} // namespace

TEST_CASE("a list of snapshots stays good when it moves, and frames go behind what is there") {
  const entity_ref elsewhere = order_ref(1);
  const std::vector<std::uint64_t> chunks{7, 300};
  new_snapshots before;
  before.add({&elsewhere, 3, chunks, "short"});
  for (int i = 2; i < 100; ++i) // both short strings, which live in what moves, and long ones
    before.keep(order_ref(i), 4, std::vector<std::uint64_t>{8, 9},
                std::string(static_cast<std::size_t>(i), 'x'));

  const auto list = std::move(before);
  REQUIRE(list.size() == 99);
  CHECK(list.entity(0) == elsewhere);
  CHECK(frame_of(list, 0) == sealed_snapshot(3, chunks, "short"));
  for (std::size_t i = 1; i < list.size(); ++i) {
    CHECK(list.entity(i) == order_ref(static_cast<int>(i) + 1));
    const auto frame = frame_of(list, i);
    const auto opened = marks::open_snapshot(list.entity(i), frame);
    CHECK(opened.version == 4);
    CHECK(opened.chunks == std::vector<std::uint64_t>{8, 9});
    CHECK(opened.bytes == std::string(i + 1, 'x'));
  }
  std::string frames = frame_of(list, 0);
  list.append_frame(1, frames);
  CHECK(frames == frame_of(list, 0) + frame_of(list, 1));
}

TEST_CASE("lists of snapshots become one table in the order of all, whatever is in which") {
  scratch_directory directory;
  const auto disk = open_rocks_store(directory.path() / "data");
  std::array<new_snapshots, 4> lists; // one of them empty
  std::vector<entity_ref> all;
  for (int i = 100; i < 1'000; ++i) { // as many digits: in order
    all.push_back(order_ref(i));
    lists[static_cast<std::size_t>(i * i % 7 % 3)].keep(all.back(), 1, {},
                                                        "state " + std::to_string(i));
  }
  disk->write_snapshots(
    std::array<const snapshot_list*, 4>{&lists[0], &lists[1], &lists[2], &lists[3]});

  std::vector<entity_ref> found;
  disk->for_each_snapshot([&](const entity_ref& ref, std::string_view stored) {
    CHECK(marks::open_snapshot(ref, stored).bytes == "state " + ref.key.substr(2));
    found.push_back(ref);
  });
  CHECK(found == all);
  disk->write_snapshots(std::array<const snapshot_list*, 1>{&lists[3]}); // nothing at all
}
