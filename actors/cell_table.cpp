#include "actors/cell_table.hpp"

#include <algorithm>

namespace purser {

entity_cell* cell_table::find(std::uint64_t hash, const entity_ref& ref) const {
  const auto found = cells_.find(sought_name{hash, ref});
  return found == cells_.end() ? nullptr : found->to.get();
}

void cell_table::remove(const entity_cell& cell) {
  const auto found = cells_.find(sought_name{cell.hash, cell.ref});
  if (found != cells_.end())
    cells_.erase(found);
}

std::vector<entity_cell_ptr> cell_table::all() const {
  std::vector<entity_cell_ptr> found;
  found.reserve(cells_.size());
  for (const auto& each : cells_)
    found.push_back(each.to);
  return found;
}

void cell_table::use_order::add(entity_cell& cell) {
  cell.newer = nullptr;
  cell.older = newest;
  (newest == nullptr ? oldest : newest->newer) = &cell;
  newest = &cell;
  ++size;
}

void cell_table::use_order::remove(entity_cell& cell) {
  (cell.newer == nullptr ? newest : cell.newer->older) = cell.older;
  (cell.older == nullptr ? oldest : cell.older->newer) = cell.newer;
  --size;
}

void cell_table::to_front(entity_cell& cell) {
  cell.used_at = openings_;
  auto& order = order_of(cell);
  if (order.newest == &cell)
    return;
  order.remove(cell);
  order.add(cell);
}

void cell_table::open(entity_cell& cell) {
  cell.open = true;
  cell.used_again = false;
  cell.chances = 0;
  cell.used_at = cell.counted_at = ++openings_;
  once_.add(cell);
}

void cell_table::close(entity_cell& cell) {
  if (!cell.open)
    return;
  cell.open = false;
  order_of(cell).remove(cell);
}

void cell_table::use(entity_cell& cell) {
  if (openings_ - cell.counted_at < pause)
    return to_front(cell);
  cell.used_at = cell.counted_at = openings_;
  cell.chances = std::min<std::uint8_t>(cell.chances + 1, most_chances);
  order_of(cell).remove(cell);
  cell.used_again = true;
  again_.add(cell);
}

std::vector<entity_cell*> cell_table::newest(std::size_t most) const {
  std::vector<entity_cell*> found;
  for (const auto* order : {&once_, &again_})
    for (auto* each = order->newest; each != nullptr && found.size() < most; each = each->older)
      found.push_back(each);
  return found;
}

std::vector<entity_cell*> cell_table::next_to_leave(std::size_t most, leaving first) {
  constexpr std::size_t looks_for_each = 8;
  std::vector<entity_cell*> found;
  auto once = first == leaving::used_once ? once_.size : 0; // so many are left to be looked at
  auto again = again_.size;
  for (auto looks = most * looks_for_each; looks > 0 && once + again > 0 && found.size() < most;
       --looks) {
    const bool many =
      once > std::max(few_used_once, (open_ones() - found.size()) / share_used_once);
    const bool from_once =
      once > 0 && (again == 0 || many || once_.oldest->used_at <= again_.oldest->used_at);
    auto& cell = *(from_once ? once_ : again_).oldest;
    --(from_once ? once : again);
    to_front(cell);
    if (cell.chances == 0)
      found.push_back(&cell);
    else
      --cell.chances;
  }
  return found;
}

} // namespace purser
