#include "runtime/journal/memory_store.hpp"

#include <algorithm>

namespace purser {

namespace {

std::string id_key(const entity_ref& stream, std::string_view key) {
  std::string made = store_key(stream);
  made.push_back('\0');
  made += key;
  return made;
}

} // namespace

std::unique_ptr<memory_store> memory_store::with_synced_copy() {
  auto made = std::make_unique<memory_store>();
  made->keep_synced_ = true;
  return made;
}

void memory_store::count_call() {
  if (calls_until_failure_ > 0)
    --calls_until_failure_;
  if (calls_until_failure_ == 0)
    throw store_error(failure_);
}

void memory_store::write(const store_batch& batch) {
  const std::lock_guard lock{mutex_};
  count_call();
  ++writes_;
  apply(batch, now_);
  if (!keep_synced_)
    return;
  auto& kept = unsynced_.emplace_back(owned_batch{batch, {}});
  for (auto& chunk : kept.batch.chunks)
    chunk.bytes = kept.bytes.emplace_back(chunk.bytes);
}

void memory_store::apply(const store_batch& batch, contents& to) {
  for (const auto& chunk : batch.chunks)
    to.chunks[{chunk.shard, chunk.number}] = chunk.bytes;
  for (const auto& [key, value] : batch.marks)
    to.marks[key] = value;
  for (const auto& key : batch.unmarks)
    to.marks.erase(key);
  for (const auto& range : batch.moved)
    to.chunks.erase(to.chunks.lower_bound({range.shard, range.first}),
                    to.chunks.upper_bound({range.shard, range.last}));
}

void memory_store::sync() {
  if (before_sync)
    before_sync();
  const std::lock_guard lock{mutex_};
  count_call();
  if (!keep_synced_)
    return;
  synced_ = now_;
  unsynced_.clear();
}

std::optional<std::string> memory_store::chunk(std::uint16_t shard, std::uint64_t number) {
  const std::lock_guard lock{mutex_};
  const auto found = now_.chunks.find({shard, number});
  return found == now_.chunks.end() ? std::nullopt : std::optional{found->second};
}

std::uint64_t memory_store::last_chunk(std::uint16_t shard) {
  const std::lock_guard lock{mutex_};
  const auto after = now_.chunks.lower_bound({static_cast<std::uint16_t>(shard + 1), 0});
  if (after == now_.chunks.begin())
    return 0;
  const auto& [last_shard, number] = std::prev(after)->first;
  return last_shard == shard ? number : 0;
}

void memory_store::write_snapshots(std::span<const snapshot_list* const> parts) {
  const std::lock_guard lock{mutex_};
  count_call();
  for (const auto* part : parts)
    for (std::size_t i = 0; i < part->size(); ++i) {
      std::string bytes;
      part->append_frame(i, bytes);
      if (keep_synced_)
        synced_.snapshots[part->entity(i)] = bytes;
      now_.snapshots[part->entity(i)] = std::move(bytes);
    }
}

std::optional<std::string> memory_store::snapshot(const entity_ref& stream) {
  const std::lock_guard lock{mutex_};
  const auto found = now_.snapshots.find(stream);
  return found == now_.snapshots.end() ? std::nullopt : std::optional{found->second};
}

void memory_store::for_each_snapshot(
  const std::function<void(const entity_ref&, std::string_view)>& visit) {
  const std::lock_guard lock{mutex_};
  for (const auto& [stream, bytes] : now_.snapshots)
    visit(stream, bytes);
}

std::optional<std::string> memory_store::mark(std::string_view key) {
  const std::lock_guard lock{mutex_};
  const auto found = now_.marks.find(key);
  return found == now_.marks.end() ? std::nullopt : std::optional{found->second};
}

void memory_store::for_each_mark(
  std::string_view prefix, const std::function<void(std::string_view, std::string_view)>& visit) {
  const std::lock_guard lock{mutex_};
  for (auto at = now_.marks.lower_bound(prefix);
       at != now_.marks.end() && at->first.starts_with(prefix); ++at)
    visit(std::string_view{at->first}.substr(prefix.size()), at->second);
}

void memory_store::for_each_mark_from(
  std::string_view prefix, std::string_view first,
  const std::function<bool(std::string_view, std::string_view)>& visit) {
  const std::lock_guard lock{mutex_};
  for (auto at = now_.marks.lower_bound(std::string{prefix} + std::string{first});
       at != now_.marks.end() && at->first.starts_with(prefix); ++at)
    if (!visit(std::string_view{at->first}.substr(prefix.size()), at->second))
      return;
}

std::unique_ptr<store> memory_store::moment() {
  auto made = std::make_unique<memory_store>();
  const std::lock_guard lock{mutex_};
  made->now_ = now_;
  return made;
}

void memory_store::write_index(const index_batch& batch) {
  const std::lock_guard lock{mutex_};
  for (const auto& posting : batch.postings)
    if (!posting.chunks.empty())
      postings_[store_key(posting.stream)][posting.chunks.front()] = posting.chunks;
  for (const auto& id : batch.ids)
    ids_[id_key(id.stream, id.key)] = id.outcome;
  if (batch.covered != 0)
    covered_[batch.shard] = batch.covered;
  if (batch.rebuilt != 0)
    rebuilt_[batch.shard] = batch.rebuilt;
}

std::uint64_t memory_store::index_covered(std::uint16_t shard) {
  const std::lock_guard lock{mutex_};
  const auto found = covered_.find(shard);
  return found == covered_.end() ? 0 : found->second;
}

std::uint64_t memory_store::index_rebuilt(std::uint16_t shard) {
  const std::lock_guard lock{mutex_};
  const auto found = rebuilt_.find(shard);
  return found == rebuilt_.end() ? 0 : found->second;
}

std::vector<std::uint64_t> memory_store::postings(const entity_ref& stream) {
  const std::lock_guard lock{mutex_};
  std::vector<std::uint64_t> all;
  if (const auto found = postings_.find(store_key(stream)); found != postings_.end())
    for (const auto& [first, chunks] : found->second)
      all.insert(all.end(), chunks.begin(), chunks.end());
  return all;
}

std::optional<command_outcome> memory_store::outcome(const entity_ref& stream,
                                                     std::string_view key) {
  const std::lock_guard lock{mutex_};
  const auto found = ids_.find(id_key(stream, key));
  return found == ids_.end() ? std::nullopt : std::optional{found->second};
}

void memory_store::forget_unsynced(const chosen_batches& survives) {
  const std::lock_guard lock{mutex_};
  now_ = synced_;
  for (std::size_t i = 0; i < unsynced_.size(); ++i)
    if (survives(i))
      apply(unsynced_[i].batch, now_);
  unsynced_.clear();
  synced_ = now_;
}

void memory_store::forget_index() {
  const std::lock_guard lock{mutex_};
  postings_.clear();
  ids_.clear();
  covered_.clear();
  rebuilt_.clear();
}

void memory_store::fail_after(int calls, std::string why) {
  const std::lock_guard lock{mutex_};
  calls_until_failure_ = calls;
  failure_ = std::move(why);
}

} // namespace purser
