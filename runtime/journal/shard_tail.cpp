#include "runtime/journal/shard_tail.hpp"

namespace purser {

tail_entry* tail_generation::find(std::uint64_t hash, const entity_ref& stream) const {
  const auto found = by_name_.find(sought_name{hash, stream});
  return found == by_name_.end() ? nullptr : found->to;
}

tail_entry& tail_generation::find_or_add(std::uint64_t hash, const entity_ref& stream) {
  if (auto* known = find(hash, stream))
    return *known;
  auto& made = entries_.emplace_back(stream);
  try {
    by_name_.insert({hash, &made});
  } catch (...) {
    entries_.pop_back();
    throw;
  }
  return made;
}

tail_entry& shard_tail::entry_of(std::uint64_t hash, const entity_ref& stream,
                                 stream_place& place) {
  if (place.generation != generation) {
    place.entry = &fresh.find_or_add(hash, stream);
    place.generation = generation;
  }
  return *static_cast<tail_entry*>(place.entry);
}

tail_entry* shard_tail::known_entry(std::uint64_t hash, const entity_ref& stream,
                                    const stream_place& place) const {
  if (place.generation == generation)
    return static_cast<tail_entry*>(place.entry);
  return fresh.find(hash, stream);
}

std::vector<std::uint64_t> shard_tail::chunks_of(std::uint64_t hash,
                                                 const entity_ref& stream) const {
  std::vector<std::uint64_t> numbers;
  for (const auto* part : {&folding, &fresh})
    if (const auto* entry = part->find(hash, stream))
      for (const auto number : entry->chunks)
        if (numbers.empty() || numbers.back() != number)
          numbers.push_back(number);
  return numbers;
}

const resting_image* shard_tail::image_of(std::uint64_t hash, const entity_ref& stream) const {
  for (const auto* part : {&fresh, &folding})
    if (const auto* entry = part->find(hash, stream))
      return entry->image.get();
  return nullptr;
}

void shard_tail::begin_checkpoint() {
  checkpointing = true;
  ++generation;
  folding = std::exchange(fresh, {});
  fresh.reserve(folding.size()); // the next one will be about as large
  folding_commands = std::exchange(fresh_commands, {});
  fresh_commands.reserve(folding_commands.size());
  bytes = 0;
}

} // namespace purser
