// The entities of a shard by name, and those that are open in the order of their use. Not
// thread-safe.
//
// Which of them leaves memory is for "second chance" to say, with counts (as in GCLOCK): the one
// that was used least recently, unless it was used again and again with pauses. Else every order,
// which nobody asks for again for a while, would push out the SKU that the next one needs.
#pragma once

#include "actors/entity_cell.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace purser {

class cell_table {
public:
  /// `hash`: the stable_hash of `ref`. @returns null when it has none of that name.
  entity_cell* find(std::uint64_t hash, const entity_ref& ref) const;
  entity_cell* find(const entity_ref& ref) const { return find(stable_hash(ref), ref); }

  /// One whose name it does not have yet.
  void add(entity_cell_ptr cell) { cells_.insert({cell->hash, std::move(cell)}); }

  /// One that is not open.
  void remove(const entity_cell& cell);

  std::vector<entity_cell_ptr> all() const;

  // -- Those that are open ------------------------------------------------------------------------

  /// Counts as used now.
  void open(entity_cell& cell);
  void close(entity_cell& cell);
  void use(entity_cell& cell);

  std::size_t open_ones() const noexcept { return open_ones_; }
  entity_cell* newest() const noexcept { return newest_; }
  entity_cell* oldest() const noexcept { return oldest_; }

  /// Counts a use only when so many others were opened since it was opened, or since the last use
  /// that counted: the messages of one workflow are one use.
  static constexpr std::uint64_t pause = 256;
  static constexpr std::uint8_t most_chances = 3;

  /// At most so many that may leave memory; they count as used now. Those with chances left lose
  /// one and count as used now, too. Looks at each once, and not at many more than were asked for.
  std::vector<entity_cell*> next_to_leave(std::size_t most);

private:
  struct entry {
    std::uint64_t hash = 0; ///< beside the pointer: what is not looked for stays out of the cache
    entity_cell_ptr cell;
  };
  struct name {
    std::uint64_t hash = 0;
    const entity_ref& ref;
  };
  struct hashed {
    using is_transparent = void;
    using is_avalanching = void; // stable_hash is; but in one shard its last bits are all the same
    std::size_t operator()(const auto& of) const noexcept { return of.hash ^ of.hash >> 32; }
  };
  struct same {
    using is_transparent = void;
    bool operator()(const entry& one, const entry& other) const noexcept {
      return one.cell == other.cell;
    }
    bool operator()(const name& one, const entry& other) const noexcept {
      return one.hash == other.hash && one.ref == other.cell->ref;
    }
    bool operator()(const entry& one, const name& other) const noexcept {
      return (*this)(other, one);
    }
  };

  void link(entity_cell& cell);
  void unlink(entity_cell& cell);
  void to_front(entity_cell& cell);

  boost::unordered_flat_set<entry, hashed, same> cells_;
  entity_cell* newest_ = nullptr;
  entity_cell* oldest_ = nullptr;
  std::size_t open_ones_ = 0;
  std::uint64_t openings_ = 0; ///< so far
};

} // namespace purser
