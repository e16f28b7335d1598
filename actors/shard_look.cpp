#include "actors/shard_look.hpp"

#include "actors/router.hpp"
#include "actors/shard_actor.hpp"

#include <algorithm>
#include <unordered_set>

namespace purser {

namespace {

/// Of the entities in the order of use so many are looked at, however many there are.
constexpr std::size_t looked_at = 256;

constexpr std::int64_t ns_per_ms = 1'000'000;

entity_look look_at_cell(const entity_cell& cell, std::int64_t now_ns) {
  entity_look made;
  made.ref = cell.ref;
  made.running = cell.alive;
  made.quarantined = cell.quarantined;
  made.waiting = cell.box.waiting();
  made.messages = cell.box.pushed();
  if (made.running)
    made.uptime_ms = (now_ns - cell.started_at_ns) / ns_per_ms;
  return made;
}

bool busier(const entity_look& one, const entity_look& other) {
  return std::pair{one.waiting, one.messages} > std::pair{other.waiting, other.messages};
}

} // namespace

shard_look look_at(const shard_state& shard, const shard_inbox& inbox,
                   const shard_question& question, std::int64_t now_ns) {
  shard_look made;
  made.shard = shard.index;
  made.messages = inbox.messages();
  made.live = shard.live;
  made.uptime_ms = (now_ns - shard.started_at_ns) / ns_per_ms;
  std::vector<entity_look> newest;
  for (const auto& cell : inbox.newest(looked_at))
    newest.push_back(look_at_cell(*cell, now_ns));
  const auto count = std::min(question.most, newest.size());
  std::partial_sort(newest.begin(), newest.begin() + static_cast<std::ptrdiff_t>(count),
                    newest.end(), busier);
  newest.resize(count);
  std::unordered_set<entity_ref, entity_ref_hash> named;
  for (const auto& entity : newest)
    named.insert(entity.ref);
  for (const auto& wanted : question.also)
    if (const auto found = inbox.find(wanted); found && named.insert(wanted).second)
      newest.push_back(look_at_cell(*found, now_ns));
  made.entities = std::move(newest);
  return made;
}

} // namespace purser
