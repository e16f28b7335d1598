// The snapshots that a checkpoint makes of a span.
#pragma once

#include "runtime/journal/store.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

class new_snapshots final : public snapshot_list {
public:
  /// What it is made of; all but the version lives elsewhere, for as long as the list.
  struct parts {
    const entity_ref* entity = nullptr;
    std::uint64_t version = 0;
    std::span<const std::uint64_t> chunks; ///< for the frame's list (marks.hpp, X1)
    std::string_view image;
  };

  /// Behind those that were added before.
  void add(const parts& snapshot) { all_.push_back(snapshot); }

  /// The same, and the list has all of it itself.
  void keep(const entity_ref& entity, std::uint64_t version, std::span<const std::uint64_t> chunks,
            std::string image);

  void reserve(std::size_t count) { all_.reserve(count); }
  const parts& at(std::size_t index) const { return all_.at(index); }

  std::size_t size() const override { return all_.size(); }
  const entity_ref& entity(std::size_t index) const override { return *all_[index].entity; }
  void append_frame(std::size_t index, std::string& to) const override;

private:
  struct kept {
    entity_ref entity;
    std::vector<std::uint64_t> chunks;
    std::string image;
  };

  std::vector<parts> all_;
  std::deque<kept> kept_; ///< they stay where they are, also when the list moves
};

} // namespace purser
