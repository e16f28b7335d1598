#include "runtime/fold.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/each_shard.hpp"
#include "runtime/journal/marks.hpp"

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <span>
#include <stdexcept>
#include <tuple>

namespace purser {

namespace {

entity_image image_of(const entity_ref& ref, std::string_view snapshot) {
  entity_image image{ref};
  image.restore(snapshot);
  return image;
}

/// What one folding has to look at.
struct folding {
  store& disk;
  folded_span result;
  folded_entities::value_type* last = nullptr; ///< whose event was last: often the next one's, too
};

/// An entity before the first event of a span that touches it.
folded_entity entity_before(const folding& in, const recorded_event& event) {
  auto& disk = in.disk;
  const auto& ref = event.stream;
  folded_entity before;
  const bool is_new = event.version == 1 && !in.result.cut_short; // nothing is stored of it
  const auto stored = is_new ? std::nullopt : disk.snapshot(ref);
  if (!stored) {
    before.image = std::make_unique<entity_image>(ref);
    return before;
  }
  const auto opened = marks::open_snapshot(ref, *stored);
  before.image = std::make_unique<entity_image>(image_of(ref, opened.bytes));
  const auto& image = *before.image;
  before.chunks.assign(opened.chunks.begin(), opened.chunks.end());
  before.due_before = image.due();
  // A snapshot that is newer is of a checkpoint that was cut short: the marks are older.
  before.open_before = image.must_resume() || image.version() + 1 != event.version;
  return before;
}

/// X2: what the log forgets when it notes the event's command.
void keep_forgotten(const entity_image& image, std::vector<index_batch::id>& ids) {
  if (const auto* oldest = image.commands().next_to_forget())
    ids.push_back({image.ref(),
                   oldest->key,
                   {oldest->fingerprint, command_outcome::unknown_version,
                    static_cast<std::uint16_t>(oldest->outcome)}});
}

/// An event of before the snapshot: a program of formats 1 and 2 that was cut short may have left
/// the snapshot, and its ids in an index that is gone. What is in the index twice does no harm.
void keep_if_forgotten(const entity_image& image, const recorded_event& event,
                       std::vector<index_batch::id>& ids) {
  if (event.event.fingerprint != 0 && image.commands().find(event.event.cause) == nullptr)
    ids.push_back(id_of(event));
}

void fold_event(folding& in, std::uint64_t chunk, const recorded_event& event) {
  auto& result = in.result;
  if (in.last == nullptr || in.last->first != event.stream) {
    auto at = result.entities.find(event.stream);
    if (at == result.entities.end())
      at = result.entities.emplace(event.stream, entity_before(in, event)).first;
    in.last = &*at;
  }
  auto& entity = in.last->second;
  if (entity.chunks.empty() || entity.chunks.back() < chunk)
    entity.chunks.push_back(chunk);
  auto& image = *entity.image;
  if (event.version <= image.version()) { // its snapshot is newer than the checkpoint
    keep_if_forgotten(image, event, result.ids);
    return;
  }
  if (event.event.fingerprint != 0)
    keep_forgotten(image, result.ids);
  image.evolve(event);
}

/// Calls, and names the entity when what is stored of it is bad.
template <class Call>
void naming(const entity_ref& entity, Call call) {
  try {
    call();
  } catch (const journal_corrupt& error) {
    throw entity_unreadable(entity, error.what());
  } catch (const codec::decode_error& error) {
    throw entity_unreadable(entity, error.what());
  } catch (const broken_invariant& error) {
    throw entity_unreadable(entity, error.what());
  }
}

/// An entity under the first bytes of its name: sorting seldom has to look at the name itself.
struct named_entity {
  std::array<std::uint64_t, 2> begin{}; ///< big endian: they compare as the bytes do
  const entity_ref* ref = nullptr;
  folded_entity* folded = nullptr; ///< or
  const tail_entry* at_rest = nullptr;

  named_entity(const entity_ref& name, folded_entity* is_folded, const tail_entry* rests)
      : ref(&name), folded(is_folded), at_rest(rests) {
    constexpr std::size_t size = sizeof begin;
    const auto& key = name.key;
    std::array<char, size> bytes{static_cast<char>(name.kind)};
    key.copy(bytes.data() + 1, size - 1);
    std::memcpy(begin.data(), bytes.data(), size);
    for (auto& part : begin)
      part = __builtin_bswap64(part);
  }

  friend bool operator<(const named_entity& one, const named_entity& other) {
    return one.begin != other.begin ? one.begin < other.begin : *one.ref < *other.ref;
  }
};

std::vector<named_entity> in_order(folded_span& span) {
  std::vector<named_entity> found;
  found.reserve(span.entities.size() + span.at_rest.size());
  for (auto& [ref, entity] : span.entities)
    found.emplace_back(ref, &entity, nullptr);
  for (const auto* entry : span.at_rest)
    found.emplace_back(entry->stream, nullptr, entry);
  std::sort(found.begin(), found.end());
  return found;
}

/// A stream's name, which lives elsewhere.
using stream_name = std::pair<entity_kind, std::string_view>;

/// The index comes first (X3): whether a checkpoint of the span was, and came to no end.
bool was_cut_short(store& disk, const checkpoint_span& span) {
  return disk.index_covered(span.shard) > span.after;
}

/// @returns what the frame lists: a history that is too long for that goes to the index (X1).
std::span<const std::uint64_t>
listed_in_frame(const entity_ref& ref, std::span<const std::uint64_t> chunks, index_batch& index) {
  if (chunks.size() <= marks::most_listed_chunks)
    return chunks;
  index.postings.push_back({ref, {chunks.begin(), chunks.end()}});
  return {};
}

/// Nothing is stored of it, and its image tells all that a checkpoint has to know.
bool tells_all(const tail_entry& entry) {
  return entry.is_new && entry.image && !entry.image->has_forgotten;
}

} // namespace

folded_span fold(store& disk, const checkpoint_span& span, const tail_generation& entities) {
  if (was_cut_short(disk, span))
    return fold(disk, span);
  folding in{disk, {}};
  auto& at_rest = in.result.at_rest;
  at_rest.reserve(entities.size());
  boost::unordered_flat_set<stream_name, boost::hash<stream_name>> to_fold;
  std::uint64_t seen = 0; // events
  for (const auto& entry : entities)
    if (tells_all(entry)) {
      at_rest.push_back(&entry);
      seen += entry.version; // from the first one on
    } else {
      to_fold.emplace(entry.stream.kind, entry.stream.key);
    }
  const auto chosen = [&](entity_kind kind, std::string_view key) {
    return to_fold.contains({kind, key});
  };
  const auto all = read_span(disk, span, chosen, [&](std::uint64_t chunk, recorded_event&& event) {
    naming(event.stream, [&] { fold_event(in, chunk, event); });
    ++seen;
  });
  if (seen != all) // else an entity would lose events in silence
    throw std::logic_error("shard " + std::to_string(span.shard) + " has " + std::to_string(all) +
                           " events up to chunk " + std::to_string(span.up_to) + ", and " +
                           std::to_string(seen) + " are known");
  return std::move(in.result);
}

folded_span fold(store& disk, const checkpoint_span& span, const unreadable_visitor& tell) {
  std::set<entity_ref> unreadable;
  folding in{disk, {}};
  in.result.cut_short = was_cut_short(disk, span);
  read_span(disk, span, [&](std::uint64_t chunk, recorded_event&& event) {
    if (!unreadable.empty() && unreadable.contains(event.stream))
      return;
    try {
      naming(event.stream, [&] { fold_event(in, chunk, event); });
    } catch (const entity_unreadable& error) {
      if (!tell)
        throw;
      tell(error);
      in.result.entities.erase(event.stream);
      in.last = nullptr;
      unreadable.insert(event.stream);
    }
  });
  return std::move(in.result);
}

checkpoint_span tail_span(group_commit_journal& journal, std::uint16_t shard) {
  return {shard, journal.checkpoint(shard), journal.disk().last_chunk(shard)};
}

checkpoint_result result_of(folded_span folded) {
  auto by_key = in_order(folded);
  checkpoint_result result;
  result.snapshots.reserve(by_key.size());
  result.dues.reserve(by_key.size());
  for (const auto& named : by_key) {
    const auto& ref = *named.ref;
    if (named.at_rest != nullptr) {
      const auto& image = *named.at_rest->image;
      result.snapshots.add({&ref, image.version,
                            listed_in_frame(ref, named.at_rest->chunks, result.index),
                            image.snapshot});
      result.dues.push_back({std::nullopt, image.due});
      continue;
    }
    const auto& [image, chunks, due_before, open_before] = *named.folded;
    result.snapshots.keep(ref, image->version(), listed_in_frame(ref, chunks, result.index),
                          image->snapshot());
    result.dues.push_back({due_before, image->due()});
    if (image->must_resume())
      result.opened.push_back(ref);
    else if (open_before)
      result.closed.push_back(ref);
  }
  std::sort(folded.ids.begin(), folded.ids.end(), [](const auto& one, const auto& other) {
    return std::tie(one.stream, one.key) < std::tie(other.stream, other.key);
  });
  result.index.ids = std::move(folded.ids);
  result.cut_short = folded.cut_short;
  return result;
}

checkpoint_part begun_checkpoint(group_commit_journal& journal, std::uint16_t shard) {
  const auto span = journal.begin_checkpoint(shard);
  return {span, result_of(fold(journal.disk(), span, journal.folding(shard)))};
}

void run_checkpoint(group_commit_journal& journal, std::uint16_t shard) {
  std::vector<checkpoint_part> parts;
  parts.push_back(begun_checkpoint(journal, shard));
  journal.complete_checkpoints(std::move(parts));
}

void run_checkpoints(group_commit_journal& journal) {
  std::vector<checkpoint_part> parts;
  for (std::uint16_t shard = 0; shard < journal.shards(); ++shard)
    if (journal.tail_bytes(shard) > 0)
      parts.push_back(begun_checkpoint(journal, shard));
  journal.complete_checkpoints(std::move(parts));
}

namespace {

/// What a shard's tail says of work that is open.
struct open_in_tail {
  std::vector<entity_ref> opened;
  std::vector<entity_ref> closed; ///< were open at the checkpoint
  std::vector<std::pair<entity_ref, unix_millis>> timers;
  std::vector<entity_unreadable> unreadable;
};

open_in_tail open_in(group_commit_journal& journal, std::uint16_t shard) {
  open_in_tail found;
  const auto folded =
    fold(journal.disk(), tail_span(journal, shard),
         [&](const entity_unreadable& error) { found.unreadable.push_back(error); });
  for (const auto& [ref, entity] : folded.entities) {
    if (entity.image->must_resume())
      found.opened.push_back(ref);
    else if (entity.open_before)
      found.closed.push_back(ref);
    if (const auto due = entity.image->due())
      found.timers.emplace_back(ref, *due);
  }
  return found;
}

} // namespace

open_work find_open_work(group_commit_journal& journal, const unreadable_visitor& tell) {
  std::vector<open_in_tail> tails(journal.shards());
  for_each_shard(journal.shards(), journal.recovery_threads(),
                 [&](std::uint16_t shard) { tails[shard] = open_in(journal, shard); });
  open_work found;
  std::set<entity_ref> open;
  for (auto& entity : journal.open_at_checkpoint())
    open.insert(std::move(entity));
  for (const auto& tail : tails) {
    for (const auto& error : tail.unreadable)
      tell(error);
    open.insert(tail.opened.begin(), tail.opened.end());
    for (const auto& ref : tail.closed)
      open.erase(ref);
    found.timers.insert(found.timers.end(), tail.timers.begin(), tail.timers.end());
  }
  found.steps.assign(open.begin(), open.end());
  return found;
}

void for_each_entity(group_commit_journal& journal,
                     const std::function<void(const entity_image&)>& visit) {
  std::vector<folded_entities> tails; // by shard
  for (std::uint16_t shard = 0; shard < journal.shards(); ++shard)
    tails.push_back(std::move(fold(journal.disk(), tail_span(journal, shard)).entities));
  journal.disk().for_each_snapshot([&](const entity_ref& ref, std::string_view stored) {
    if (!tails[shard_of(ref, journal.shards())].contains(ref))
      visit(image_of(ref, marks::open_snapshot(ref, stored).bytes));
  });
  for (const auto& tail : tails)
    for (const auto& [ref, entity] : tail)
      visit(*entity.image);
}

entity_image load_entity(group_commit_journal& journal, const entity_ref& ref) {
  entity_image image{ref};
  std::string failure;
  journal.load(ref, [&](stored_stream stream, std::string error) {
    failure = std::move(error);
    if (failure.empty())
      image.rebuild(stream);
  });
  if (!failure.empty())
    throw journal_corrupt(failure);
  return image;
}

} // namespace purser
