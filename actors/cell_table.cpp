#include "actors/cell_table.hpp"

#include <algorithm>

namespace purser {

entity_cell* cell_table::find(std::uint64_t hash, const entity_ref& ref) const {
  const auto found = cells_.find(name{hash, ref});
  return found == cells_.end() ? nullptr : found->cell.get();
}

void cell_table::remove(const entity_cell& cell) {
  const auto found = cells_.find(name{cell.hash, cell.ref});
  if (found != cells_.end())
    cells_.erase(found);
}

std::vector<entity_cell_ptr> cell_table::all() const {
  std::vector<entity_cell_ptr> found;
  found.reserve(cells_.size());
  for (const auto& each : cells_)
    found.push_back(each.cell);
  return found;
}

void cell_table::link(entity_cell& cell) {
  cell.newer = nullptr;
  cell.older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &cell;
  newest_ = &cell;
}

void cell_table::unlink(entity_cell& cell) {
  (cell.newer == nullptr ? newest_ : cell.newer->older) = cell.older;
  (cell.older == nullptr ? oldest_ : cell.older->newer) = cell.newer;
}

void cell_table::to_front(entity_cell& cell) {
  if (newest_ == &cell)
    return;
  unlink(cell);
  link(cell);
}

void cell_table::open(entity_cell& cell) {
  cell.open = true;
  cell.chances = 0;
  cell.counted_at = ++openings_;
  ++open_ones_;
  link(cell);
}

void cell_table::close(entity_cell& cell) {
  if (!cell.open)
    return;
  cell.open = false;
  --open_ones_;
  unlink(cell);
}

void cell_table::use(entity_cell& cell) {
  if (openings_ - cell.counted_at >= pause) {
    cell.counted_at = openings_;
    cell.chances = std::min<std::uint8_t>(cell.chances + 1, most_chances);
  }
  to_front(cell);
}

std::vector<entity_cell*> cell_table::next_to_leave(std::size_t most) {
  constexpr std::size_t looks_for_each = 8;
  std::vector<entity_cell*> found;
  for (auto looks = std::min(open_ones_, most * looks_for_each); looks > 0 && found.size() < most;
       --looks) {
    auto& cell = *oldest_;
    to_front(cell);
    if (cell.chances == 0)
      found.push_back(&cell);
    else
      --cell.chances;
  }
  return found;
}

} // namespace purser
