// Of group_commit_journal: what happens at the opening and at checkpoints.
#include "actors/command_log.hpp"
#include "runtime/journal/each_shard.hpp"
#include "runtime/journal/group_commit.hpp"
#include "runtime/journal/marks.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace purser {

namespace {

/// The index is rebuilt this many chunks at a time.
constexpr std::uint64_t index_rebuild_chunks = 256;

} // namespace

index_batch::id id_of(const recorded_event& event) {
  return {event.stream,
          event.event.cause,
          {event.event.fingerprint, event.version,
           static_cast<std::uint16_t>(recorded_rejection(event.event))}};
}

// -- Opening --------------------------------------------------------------------------------------

void group_commit_journal::recover() {
  if (const auto stored = disk_->mark(marks::shards)) {
    const auto count = marks::decode_number(*stored, marks::shards);
    if (count != options_.shards)
      throw store_error("the journal has " + std::to_string(count) + " shards, not " +
                        std::to_string(options_.shards) +
                        "; set engine.shards to that, or start a new data directory");
  } else if (!options_.read_only) {
    store_batch first;
    first.marks.emplace_back(marks::format, marks::encode_number(marks::first_format));
    first.marks.emplace_back(marks::shards, marks::encode_number(options_.shards));
    disk_->write(first);
    disk_->sync(0);
  }
  std::vector<position> ends(options_.shards);
  for_each_shard(options_.shards, options_.recovery_threads,
                 [&](std::uint16_t shard) { ends[shard] = recover_shard(shard); });
  const auto newest = *std::max_element(ends.begin(), ends.end());
  const auto head = disk_->mark(marks::head);
  const auto expected = head ? marks::decode_number(*head, marks::head) : 0;
  if (newest != expected)
    throw journal_corrupt("the journal ends at position " + std::to_string(newest) +
                          ", but position " + std::to_string(expected) +
                          " was written last: part of it is missing");
  last_.store(newest, std::memory_order_release);
  durable_.store(newest, std::memory_order_release);
}

namespace {

/// An event that is behind the shard's checkpoint. Throws journal_corrupt.
void note_event(tail_entry& entry, std::uint16_t shard, std::uint64_t chunk,
                const recorded_event& event) {
  if (entry.version != 0 && event.version != entry.version + 1)
    throw journal_corrupt(to_string(event.stream) + ": event " + std::to_string(event.version) +
                          " follows event " + std::to_string(entry.version) + " in " +
                          chunk_place(shard, chunk));
  if (entry.version == 0)
    entry.is_new = event.version == 1;
  entry.version = event.version;
  if (entry.chunks.empty() || entry.chunks.back() != chunk)
    entry.chunks.push_back(chunk);
}

} // namespace

position group_commit_journal::recover_shard(std::uint16_t shard) {
  auto& tail = tails_[shard];
  if (const auto mark = disk_->mark(marks::checkpoint_key(shard)))
    tail.checkpoint = marks::decode_number(*mark, marks::checkpoint);
  tail.indexed = tail.checkpoint;
  if (const auto mark =
        disk_->mark(marks::indexed_key(shard))) // of a checkpoint that was cut short
    tail.indexed = std::max(tail.indexed, marks::decode_number(*mark, marks::indexed));
  const auto last_number = disk_->last_chunk(shard);
  if (last_number < tail.checkpoint)
    throw journal_corrupt("shard " + std::to_string(shard) + " ends at chunk " +
                          std::to_string(last_number) + ", but its checkpoint is at chunk " +
                          std::to_string(tail.checkpoint));
  tail.next_chunk = last_number + 1;
  position newest = 0;
  if (last_number != 0) {
    const auto bytes = *bytes_of(shard, last_number);
    newest = checked_header(bytes, shard, last_number).last;
  }
  if (last_number < tail.indexed)
    throw journal_corrupt("shard " + std::to_string(shard) + " ends at chunk " +
                          std::to_string(last_number) + ", but its snapshots reach chunk " +
                          std::to_string(tail.indexed));
  if (!options_.read_only && disk_->index_covered(shard) < tail.indexed)
    rebuild_index(shard);
  position before = 0;
  const auto take_in = [&](std::uint64_t number, std::string_view bytes) {
    const auto header = checked_header(bytes, shard, number);
    if (header.first <= before)
      throw journal_corrupt(chunk_place(shard, number) + " is out of order");
    before = header.last;
    tail.bytes += bytes.size();
    read_chunk(bytes, [&](recorded_event&& event) {
      const auto hash = stable_hash(event.stream);
      note_event(tail.fresh.find_or_add(hash, event.stream), shard, number, event);
      if (event.event.fingerprint != 0)
        tail.fresh_commands.try_emplace(command_hash(hash, event.event.cause), number);
    });
  };
  disk_->for_each_chunk(shard, tail.checkpoint, last_number, take_in);
  return newest;
}

/// The index was lost or is behind: everything in it comes from the chunks, also what snapshots
/// tell. What it says to cover it covers with snapshots of then, which are no longer there: so only
/// what an earlier rebuilding made of it is taken for granted.
void group_commit_journal::rebuild_index(std::uint16_t shard) {
  const auto up_to = tails_[shard].indexed;
  auto done = disk_->index_rebuilt(shard);
  do {
    const auto part = std::min(up_to, done + index_rebuild_chunks);
    std::unordered_map<entity_ref, std::vector<std::uint64_t>, entity_ref_hash> postings;
    index_batch batch;
    for (auto number = done + 1; number <= part; ++number)
      read_chunk(*bytes_of(shard, number), [&](recorded_event&& event) {
        auto& chunks = postings[event.stream];
        if (chunks.empty() || chunks.back() != number)
          chunks.push_back(number);
        if (event.event.fingerprint != 0)
          batch.ids.push_back(id_of(event));
      });
    for (auto& [stream, chunks] : postings)
      batch.postings.push_back({stream, std::move(chunks)});
    batch.shard = shard;
    batch.rebuilt = part;
    batch.covered = part == up_to ? up_to : 0;
    disk_->write_index(batch);
    done = part;
  } while (done < up_to);
}

// -- Checkpoints ----------------------------------------------------------------------------------

std::uint64_t group_commit_journal::tail_bytes(std::uint16_t shard) const {
  const auto& tail = tails_[shard];
  const std::lock_guard lock{tail.mutex};
  return tail.bytes + (tail.open ? tail.open->size() : 0);
}

std::uint64_t group_commit_journal::checkpoint(std::uint16_t shard) const {
  const std::lock_guard lock{tails_[shard].mutex};
  return tails_[shard].checkpoint;
}

checkpoint_span group_commit_journal::begin_checkpoint(std::uint16_t shard) {
  auto& tail = tails_[shard];
  checkpoint_span span;
  position high = 0;
  {
    const std::lock_guard lock{tail.mutex};
    if (tail.checkpointing)
      throw std::logic_error("a checkpoint of the shard is under way");
    close_chunk(tail);
    const auto next = tail.open ? tail.open->header().number : tail.next_chunk;
    span = {shard, tail.checkpoint, next - 1};
    high = last();
    tail.begin_checkpoint();
  }
  std::unique_lock lock{mutex_};
  work_.notify_one();
  committed_.wait(lock, [&] { return durable() >= high || stopped_ || !failure_.empty(); });
  if (durable() < high)
    throw has_stopped();
  return span;
}

void read_span(store& disk, const checkpoint_span& span, const span_visitor& visit) {
  disk.for_each_chunk(
    span.shard, span.after, span.up_to, [&](std::uint64_t number, std::string_view bytes) {
      read_chunk(bytes, [&](recorded_event&& event) { visit(number, std::move(event)); });
    });
}

std::uint64_t read_span(store& disk, const checkpoint_span& span, const stream_choice& chosen,
                        const span_visitor& visit) {
  std::uint64_t events = 0;
  disk.for_each_chunk(
    span.shard, span.after, span.up_to, [&](std::uint64_t number, std::string_view bytes) {
      events += read_chosen(bytes, chosen,
                            [&](recorded_event&& event) { visit(number, std::move(event)); });
    });
  return events;
}

namespace {

/// While RocksDB takes a batch in, commits wait: a millisecond for one of this size, 70 for 4 MiB.
constexpr std::size_t mark_batch_bytes = std::size_t{64} << 10;

/// Marks in any number, written in batches of about that size.
class mark_writer {
public:
  explicit mark_writer(store& disk) : disk_(disk) {}

  void set(std::string key, std::string value = {}) {
    bytes_ += key.size() + value.size();
    batch.marks.emplace_back(std::move(key), std::move(value));
    write_if_large();
  }

  void remove(std::string key) {
    bytes_ += key.size();
    batch.unmarks.push_back(std::move(key));
    write_if_large();
  }

  void write() {
    disk_.write(std::exchange(batch, {}));
    bytes_ = 0;
  }

  store_batch batch; ///< not written yet

private:
  void write_if_large() {
    if (bytes_ >= mark_batch_bytes)
      write();
  }

  store& disk_;
  std::size_t bytes_ = 0;
};

/// Visits what changes about a part's timers: entity, due before and after.
template <class Visit>
void for_each_due(const checkpoint_result& made, Visit visit) {
  for (std::size_t i = 0; i < made.dues.size() && i < made.snapshots.size(); ++i)
    if (made.cut_short || made.dues[i].before != made.dues[i].after)
      visit(made.snapshots.entity(i), made.dues[i]);
}

} // namespace

void store_index(store& disk, const checkpoint_span& span, index_batch index) {
  index.shard = span.shard;
  index.covered = span.up_to;
  disk.write_index(index);
}

/// What has to be there before something else is, is synced before it: the index is announced
/// before the first snapshot, and everything is there once the checkpoints are.
/// Marks of timers that are no longer right go before the snapshots come, since those tell which
/// they were, and the right ones are made after them: meanwhile the tails tell who is due.
void store_checkpoint(store& disk, std::span<const checkpoint_part> parts) {
  mark_writer out{disk};
  marks::raise_format(disk, out.batch, marks::listed_format);
  for (const auto& [span, made] : parts)
    out.set(marks::indexed_key(span.shard), marks::encode_number(span.up_to));
  for (const auto& [span, made] : parts)
    for_each_due(made, [&](const entity_ref& entity, const due_change& change) {
      if (change.before && change.before != change.after)
        out.remove(marks::due_key(*change.before, entity));
    });
  out.write();
  disk.sync();
  std::vector<const snapshot_list*> snapshots;
  std::vector<std::string> due;
  for (const auto& [span, made] : parts) {
    for_each_due(made, [&](const entity_ref& entity, const due_change& change) {
      if (change.after)
        due.push_back(marks::due_key(*change.after, entity));
    });
    snapshots.push_back(&made.snapshots);
  }
  disk.write_snapshots(snapshots);
  for (auto& key : due)
    out.set(std::move(key));
  if (!due.empty()) {
    out.write();
    disk.sync();
  }
  store_batch last; // one, all or none: a step that is under way may not be missing
  for (const auto& [span, made] : parts) {
    for (const auto& entity : made.opened)
      last.marks.emplace_back(marks::open_key(entity), std::string{});
    for (const auto& entity : made.closed)
      last.unmarks.push_back(marks::open_key(entity));
    last.marks.emplace_back(marks::checkpoint_key(span.shard), marks::encode_number(span.up_to));
  }
  disk.write(last);
}

void group_commit_journal::complete_checkpoints(std::vector<checkpoint_part> parts) {
  if (parts.empty())
    return;
  for (auto& [span, made] : parts)
    store_index(*disk_, span, std::exchange(made.index, {}));
  store_checkpoint(*disk_, parts);
  for (const auto& [span, made] : parts) {
    auto& tail = tails_[span.shard];
    tail_generation folded; // both destroyed without the lock
    shard_tail::command_chunks folded_commands;
    const std::lock_guard lock{tail.mutex};
    std::swap(folded, tail.folding);
    folded_commands.swap(tail.folding_commands);
    tail.checkpoint = tail.indexed = span.up_to;
    tail.checkpointing = false;
  }
}

std::vector<entity_ref> group_commit_journal::open_at_checkpoint() {
  std::vector<entity_ref> found;
  disk_->for_each_mark(marks::open, [&](std::string_view rest, std::string_view) {
    found.push_back(entity_of(rest));
  });
  return found;
}

void group_commit_journal::timers_from(
  std::int64_t first, const std::function<bool(std::int64_t, const entity_ref&)>& visit) {
  const auto from = marks::due_rest(first, {}).substr(0, sizeof first);
  disk_->for_each_mark_from(marks::due, from, [&](std::string_view rest, std::string_view) {
    const auto [due, entity] = marks::decode_due(rest);
    return visit(due, entity);
  });
}

std::vector<entity_ref> group_commit_journal::tail_entities() {
  std::vector<entity_ref> found;
  for (const auto& tail : tails_) {
    const std::lock_guard lock{tail.mutex};
    for (const auto& entry : tail.fresh)
      found.push_back(entry.stream);
    for (const auto& entry : tail.folding)
      if (tail.fresh.find(stable_hash(entry.stream), entry.stream) == nullptr)
        found.push_back(entry.stream);
  }
  return found;
}

} // namespace purser
