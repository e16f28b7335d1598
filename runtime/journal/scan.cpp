// Of journal_scan: the shards' chunks merged by position.
#include "runtime/journal/group_commit.hpp"

namespace purser {

journal_scan::journal_scan(group_commit_journal& source)
    : source_(source), lanes_(source.shards()) {
  refresh();
}

void journal_scan::refresh() {
  limit_ = source_.durable();
  for (auto& lane : lanes_)
    lane.exhausted = false;
}

void journal_scan::fill(std::uint16_t shard) {
  auto& lane = lanes_[shard];
  while (lane.events.empty() && !lane.exhausted) {
    const auto bytes = source_.disk().chunk(shard, lane.next_chunk);
    if (!bytes || read_header(*bytes).first > limit_) {
      lane.exhausted = true;
      return;
    }
    ++lane.next_chunk;
    read_chunk(*bytes, [&](recorded_event&& event) {
      if (event.at_position > after_)
        lane.events.push_back(std::move(event));
    });
  }
}

bool journal_scan::next(recorded_event& event) {
  shard_lane* earliest = nullptr;
  for (std::uint16_t shard = 0; shard < source_.shards(); ++shard) {
    fill(shard);
    auto& lane = lanes_[shard];
    if (!lane.events.empty() && (earliest == nullptr || lane.events.front().at_position <
                                                          earliest->events.front().at_position))
      earliest = &lane;
  }
  if (earliest == nullptr || earliest->events.front().at_position > limit_)
    return false;
  event = std::move(earliest->events.front());
  if (event.at_position != after_ + 1) // a chunk is missing: never skip events in silence
    throw journal_corrupt("position " + std::to_string(after_ + 1) + " is missing: position " +
                          std::to_string(event.at_position) + " comes next");
  after_ = event.at_position;
  earliest->events.pop_front();
  return true;
}

void journal_scan::seek_after(position after) {
  after_ = after;
  for (std::uint16_t shard = 0; shard < source_.shards(); ++shard) {
    auto& lane = lanes_[shard];
    lane = {};
    // The last chunk that begins at or before `after` may hold events behind it.
    std::uint64_t low = 1;
    std::uint64_t high = source_.disk().last_chunk(shard) + 1;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      const auto bytes = source_.disk().chunk(shard, middle);
      if (bytes && read_header(*bytes).first <= after)
        low = middle + 1;
      else
        high = middle;
    }
    lane.next_chunk = low > 1 ? low - 1 : 1;
  }
}

} // namespace purser
