#include "runtime/fold.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/marks.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace purser {

namespace {

/// The image of an entity before the first event of a span that touches it.
entity_image image_before(store& disk, const entity_ref& ref) {
  entity_image image{ref};
  if (const auto stored = disk.snapshot(ref)) {
    stored_stream from;
    from.snapshot = marks::open_snapshot(ref, *stored).bytes;
    image.rebuild(from);
  }
  return image;
}

/// `cut_short`: a checkpoint of this span was, and may have stored snapshots and due marks.
void fold_event(store& disk, const recorded_event& event, bool cut_short, folded_span& result) {
  auto at = result.images.find(event.stream);
  if (at == result.images.end()) {
    const bool is_new = event.version == 1 && !cut_short; // nothing is stored of it
    auto before = is_new ? entity_image{event.stream} : image_before(disk, event.stream);
    // A snapshot that is newer is of a checkpoint that was cut short: the marks are older.
    if (!is_new && (before.must_resume() || before.version() + 1 != event.version))
      result.open_before.insert(event.stream);
    at = result.images.emplace(event.stream, std::move(before)).first;
    if (const auto due = at->second.due())
      result.due_before.emplace(event.stream, *due);
  }
  if (event.event.fingerprint != 0)
    result.ids.push_back({event.stream,
                          event.event.cause,
                          {event.event.fingerprint, event.version,
                           static_cast<std::uint16_t>(recorded_rejection(event.event))}});
  if (event.version > at->second.version()) // else: its snapshot is newer than the checkpoint
    at->second.evolve(event);
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

} // namespace

folded_span fold(store& disk, const checkpoint_span& span, const unreadable_visitor& tell) {
  folded_span result;
  std::set<entity_ref> unreadable;
  const bool cut_short = disk.index_covered(span.shard) > span.after; // the index comes first
  read_span(disk, span, [&](recorded_event&& event) {
    if (unreadable.contains(event.stream))
      return;
    try {
      naming(event.stream, [&] { fold_event(disk, event, cut_short, result); });
    } catch (const entity_unreadable& error) {
      if (!tell)
        throw;
      tell(error);
      result.images.erase(event.stream);
      unreadable.insert(event.stream);
    }
  });
  return result;
}

checkpoint_span tail_span(group_commit_journal& journal, std::uint16_t shard) {
  return {shard, journal.checkpoint(shard), journal.disk().last_chunk(shard)};
}

checkpoint_result result_of(folded_span folded) {
  std::vector<const entity_images::value_type*> by_key;
  by_key.reserve(folded.images.size());
  for (const auto& each : folded.images)
    by_key.push_back(&each);
  std::sort(by_key.begin(), by_key.end(),
            [](const auto* one, const auto* other) { return one->first < other->first; });
  checkpoint_result result;
  result.snapshots.reserve(by_key.size());
  for (const auto* each : by_key) {
    const auto& [ref, image] = *each;
    result.snapshots.emplace_back(ref, marks::seal_snapshot(image.version(), image.snapshot()));
    const auto before = folded.due_before.find(ref);
    result.dues.push_back(
      {before == folded.due_before.end() ? std::nullopt : std::optional{before->second},
       image.due()});
    if (image.must_resume())
      result.opened.push_back(ref);
    else if (folded.open_before.contains(ref))
      result.closed.push_back(ref);
  }
  std::sort(folded.ids.begin(), folded.ids.end(), [](const auto& one, const auto& other) {
    return std::tie(one.stream, one.key) < std::tie(other.stream, other.key);
  });
  result.index.ids = std::move(folded.ids);
  return result;
}

void run_checkpoint(group_commit_journal& journal, std::uint16_t shard) {
  const auto span = journal.begin_checkpoint(shard);
  journal.complete_checkpoint(span, result_of(fold(journal.disk(), span)));
}

open_work find_open_work(group_commit_journal& journal, const unreadable_visitor& tell) {
  open_work found;
  std::set<entity_ref> open;
  for (auto& entity : journal.open_at_checkpoint())
    open.insert(std::move(entity));
  for (std::uint16_t shard = 0; shard < journal.shards(); ++shard)
    for (const auto& [ref, image] : fold(journal.disk(), tail_span(journal, shard), tell).images) {
      if (image.must_resume())
        open.insert(ref);
      else
        open.erase(ref);
      if (const auto due = image.due())
        found.timers.emplace_back(ref, *due);
    }
  found.steps.assign(open.begin(), open.end());
  return found;
}

void for_each_entity(group_commit_journal& journal,
                     const std::function<void(const entity_image&)>& visit) {
  entity_images tails;
  for (std::uint16_t shard = 0; shard < journal.shards(); ++shard)
    tails.merge(fold(journal.disk(), tail_span(journal, shard)).images);
  journal.disk().for_each_snapshot([&](const entity_ref& ref, std::string_view stored) {
    if (tails.contains(ref))
      return;
    entity_image image{ref};
    stored_stream from;
    from.snapshot = marks::open_snapshot(ref, stored).bytes;
    image.rebuild(from);
    visit(image);
  });
  for (const auto& [ref, image] : tails)
    visit(image);
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
