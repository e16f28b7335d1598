// Entities rebuilt from stretches of the journal, without actors: for checkpoints, openings and
// audits.
#pragma once

#include "actors/entity_image.hpp"
#include "runtime/journal/group_commit.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace purser {

/// An entity with events in a span.
struct folded_entity {
  std::unique_ptr<entity_image> image; ///< at the span's end
  /// With events: those that its snapshot listed at the span's beginning, then those of the span.
  boost::container::small_vector<std::uint64_t, 4> chunks;
  std::optional<unix_millis> due_before; ///< of its timer, at the span's beginning
  bool open_before = false;              ///< it may be marked as open at the span's beginning
};

using folded_entities = boost::unordered_flat_map<entity_ref, folded_entity, entity_ref_hash>;

struct folded_span {
  folded_entities entities;
  std::vector<const tail_entry*> at_rest; ///< the others: their images are known
  std::vector<index_batch::id> ids;       ///< which the snapshots at the span's end do not tell
  bool cut_short = false; ///< a checkpoint of it was, and may have stored snapshots and due marks
};

/// An entity whose snapshot or events are bad, in a journal that is whole.
struct entity_unreadable : journal_corrupt {
  using journal_corrupt::journal_corrupt;
  entity_unreadable(const entity_ref& entity, const std::string& why)
      : journal_corrupt(to_string(entity) + " cannot be rebuilt: " + why) {}
};
using unreadable_visitor = std::function<void(const entity_unreadable&)>;

/// Every entity with events in the span, as it was at the span's end.
/// Throws journal_corrupt, store_error; entity_unreadable, unless there is somebody to be told of
/// it: then that entity is left out.
folded_span fold(store& disk, const checkpoint_span& span, const unreadable_visitor& tell = {});

/// The same by who has begun a checkpoint and knows which entities have events in its span. Those
/// that began in it and are at rest are not folded; they live until the checkpoint is completed.
folded_span fold(store& disk, const checkpoint_span& span, const tail_generation& entities);

/// What a checkpoint stores of a folded span: snapshots, who has a step under way, and what the
/// index has to tell from now on (marks.hpp, X1, X2); all in the order of the store's keys, in
/// which RocksDB takes them at half the cost. Snapshots of what is at rest refer to it.
checkpoint_result result_of(folded_span folded);

/// The span from a shard's checkpoint to its last chunk.
checkpoint_span tail_span(group_commit_journal& journal, std::uint16_t shard);

/// Folds a shard's tail into snapshots. Throws what the journal throws; entity_unreadable: then the
/// shard's checkpoint never comes to an end.
checkpoint_part begun_checkpoint(group_commit_journal& journal, std::uint16_t shard);

/// The same, and moves its checkpoint.
void run_checkpoint(group_commit_journal& journal, std::uint16_t shard);

/// Moves the checkpoints of all shards that have a tail, together.
void run_checkpoints(group_commit_journal& journal);

struct open_work {
  std::vector<entity_ref> steps; ///< entities with a step of a workflow under way
  std::vector<std::pair<entity_ref, unix_millis>> timers; ///< of the tails; others are on disk
};

/// What an engine has to take up at its start, from the checkpoints and the tails. Tells of
/// entities that cannot be rebuilt, and goes on without them (B5).
open_work find_open_work(group_commit_journal& journal, const unreadable_visitor& tell);

/// Visits every entity of a quiet journal as it is now, in no particular order.
void for_each_entity(group_commit_journal& journal,
                     const std::function<void(const entity_image&)>& visit);

/// One entity as it is now.
entity_image load_entity(group_commit_journal& journal, const entity_ref& ref);

} // namespace purser
