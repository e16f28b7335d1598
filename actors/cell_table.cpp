#include "actors/cell_table.hpp"

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

void cell_table::open(entity_cell& cell) {
  cell.open = true;
  ++open_ones_;
  cell.newer = nullptr;
  cell.older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &cell;
  newest_ = &cell;
}

void cell_table::close(entity_cell& cell) {
  if (!cell.open)
    return;
  cell.open = false;
  --open_ones_;
  (cell.newer == nullptr ? newest_ : cell.newer->older) = cell.older;
  (cell.older == nullptr ? oldest_ : cell.older->newer) = cell.newer;
}

void cell_table::use(entity_cell& cell) {
  if (newest_ == &cell)
    return;
  close(cell);
  open(cell);
}

} // namespace purser
