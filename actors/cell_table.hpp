// The entities of a shard by name, and those that are open in the order of their use. Not
// thread-safe.
//
// Which of them leaves memory is decided as in a segmented LRU. Who was used in one go only, as an
// order is, leaves first while there are many of them: soon, so that its memory is still in the
// cache, and without pushing out the SKU that the next order needs. Who is used again and again
// with pauses, as a SKU is, has chances to stay besides (as in GCLOCK).
#pragma once

#include "actors/entity_cell.hpp"
#include "actors/name_set.hpp"

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

  std::size_t open_ones() const noexcept { return once_.size + again_.size; }

  /// At most so many, those used in one go only before the others, each the newest first.
  std::vector<entity_cell*> newest(std::size_t most) const;

  /// Counts a use only when so many others were opened since it was opened, or since the last use
  /// that counted: the messages of one workflow are one use.
  static constexpr std::uint64_t pause = 128;
  static constexpr std::uint8_t most_chances = 3;

  /// Those used in one go only leave first while they are more than this, and more than one of so
  /// many open ones; else whoever was used least recently does.
  static constexpr std::size_t few_used_once = 2 * pause; ///< each can show that it is used again
  static constexpr std::size_t share_used_once = 8;

  enum class leaving : std::uint8_t {
    used_once, ///< these first while they are many
    used_again ///< these only: the others are busy
  };

  /// At most so many that may leave memory; they count as used now. Those with chances left lose
  /// one and count as used now, too. Looks at each once, and not at many more than were asked for.
  std::vector<entity_cell*> next_to_leave(std::size_t most, leaving first = leaving::used_once);

private:
  /// In the order of use.
  struct use_order {
    entity_cell* newest = nullptr;
    entity_cell* oldest = nullptr;
    std::size_t size = 0;

    void add(entity_cell& cell);
    void remove(entity_cell& cell);
  };

  use_order& order_of(const entity_cell& cell) { return cell.used_again ? again_ : once_; }
  void to_front(entity_cell& cell);

  name_set<entity_cell_ptr, &entity_cell::ref> cells_;
  use_order once_;             ///< used in one go only, so far
  use_order again_;            ///< used again after a pause
  std::uint64_t openings_ = 0; ///< so far
};

} // namespace purser
