#include "runtime/journal/new_snapshots.hpp"

#include "runtime/journal/marks.hpp"

#include <utility>

namespace purser {

void new_snapshots::keep(const entity_ref& entity, std::uint64_t version,
                         std::span<const std::uint64_t> chunks, std::string image) {
  const auto& mine =
    kept_.emplace_back(kept{entity, {chunks.begin(), chunks.end()}, std::move(image)});
  add({&mine.entity, version, mine.chunks, mine.image});
}

void new_snapshots::append_frame(std::size_t index, std::string& to) const {
  const auto& snapshot = all_[index];
  marks::append_sealed_snapshot(to, snapshot.version, snapshot.chunks, snapshot.image);
}

} // namespace purser
