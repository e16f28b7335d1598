#include "runtime/journal/group_commit.hpp"

#include "actors/codec.hpp"
#include "actors/command_log.hpp"
#include "actors/entity_image.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/thread_name.hpp"

#include <xxhash.h>

#include <algorithm>
#include <chrono>

namespace purser {

namespace {

std::uint64_t elapsed_us(std::chrono::steady_clock::time_point since) {
  return static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since)
      .count());
}

/// J8, each of gathers_us: so much longer each time, and never longer.
constexpr std::int64_t gathers_steps_of = 4;
constexpr std::int64_t gathers_at_most = 6;

} // namespace

group_commit_journal::group_commit_journal(std::unique_ptr<store> disk, journal_options options)
    : options_(std::move(options)), disk_(std::move(disk)), tails_(options_.shards),
      outputs_(std::move(options_.outputs)) {
  recover();
  outputs_.reached({durable(), 0});
  opened_at_ = last();
  if (!options_.read_only)
    writer_ = std::thread{[this] { run(); }};
}

group_commit_journal::~group_commit_journal() {
  stop();
}

// -- Appending ------------------------------------------------------------------------------------

/// The caller holds the lock.
void group_commit_journal::require_running() const {
  if (stopping_ || options_.read_only)
    throw has_stopped();
}

/// The caller holds the lock.
journal_stopped group_commit_journal::has_stopped() const {
  return journal_stopped{failure_.empty() ? "the journal is closed" : failure_};
}

/// The caller holds the tail.
chunk_writer& group_commit_journal::open_chunk(shard_tail& tail) const {
  if (!tail.open)
    tail.open = std::make_unique<chunk_writer>(static_cast<std::uint16_t>(&tail - tails_.data()),
                                               tail.next_chunk++);
  return *tail.open;
}

/// Takes the open chunk of a shard; null when there is none. The caller holds the tail.
std::unique_ptr<chunk_writer> group_commit_journal::take_open(shard_tail& tail) {
  if (!tail.open || tail.open->empty())
    return nullptr;
  tail.bytes += tail.open->size();
  return std::move(tail.open);
}

group_commit_journal::closed_chunk group_commit_journal::closed(chunk_writer&& open) const {
  const auto now = options_.wall_clock_ms ? options_.wall_clock_ms() : 0;
  const auto header = open.header();
  return {header, std::make_shared<const std::string>(std::move(open).finish(now))};
}

/// The caller holds the tail.
void group_commit_journal::close_chunk(shard_tail& tail) const {
  if (const auto open = take_open(tail))
    tail.queued.push_back(closed(std::move(*open)));
}

position group_commit_journal::append(const entity_ref& stream, std::uint64_t expected_version,
                                      std::span<const event_record> events, stream_place& place) {
  if (const auto at = append_to(stream, expected_version, events, place)) {
    wake_writer();
    return *at;
  }
  const std::lock_guard lock{mutex_};
  throw has_stopped();
}

/// @returns nothing when nothing is appended any more.
std::optional<position> group_commit_journal::append_to(const entity_ref& stream,
                                                        std::uint64_t expected_version,
                                                        std::span<const event_record> events,
                                                        stream_place& place) {
  const auto hash = stable_hash(stream);
  auto& tail = tail_of(hash);
  const std::lock_guard lock{tail.mutex};
  if (tail.ended || stopping_ || options_.read_only)
    return std::nullopt;
  auto& entry = tail.entry_of(hash, stream, place);
  auto known = entry.version;
  if (known == 0)
    if (const auto* folding = tail.folding.find(hash, stream))
      known = folding->version;
  if (known != 0 && known != expected_version)
    throw version_conflict(to_string(stream) + ": an event is to follow version " +
                           std::to_string(expected_version) + ", but version " +
                           std::to_string(known) + " was the last");
  if (entry.version == 0)
    entry.is_new = expected_version == 0;
  entry.version = expected_version;
  const auto before = last_.fetch_add(events.size());
  try {
    add(tail, entry, hash, before, events);
  } catch (...) { // positions are given already
    tail.torn = true;
    throw;
  }
  return before + events.size();
}

/// `at`: the position before the first.
void group_commit_journal::add(shard_tail& tail, tail_entry& entry, std::uint64_t hash, position at,
                               std::span<const event_record> events) {
  for (const auto& event : events) {
    auto& chunk = open_chunk(tail);
    chunk.add(++at, entry.stream, ++entry.version, event);
    if (entry.chunks.empty() || entry.chunks.back() != chunk.header().number)
      entry.chunks.push_back(chunk.header().number);
    if (event.fingerprint != 0)
      tail.fresh_commands.try_emplace(command_hash(hash, event.cause), chunk.header().number);
    if (chunk.size() >= options_.chunk_bytes)
      close_chunk(tail);
  }
  entry.image.reset();
}

void group_commit_journal::wake_writer() {
  if (!writer_waits_ || !writer_waits_.exchange(false))
    return;
  { const std::lock_guard waits{mutex_}; }
  work_.notify_one(); // without the lock, which it needs at once
}

void group_commit_journal::when_durable(task output) {
  outputs_.add([this] { return durable_outputs::reach{last(), records_put_}; }, std::move(output));
}

// -- Records --------------------------------------------------------------------------------------

void group_commit_journal::put_record(std::string key, std::optional<std::string> value) {
  {
    const std::lock_guard lock{mutex_};
    require_running();
    std::erase_if(records_.marks, [&](const auto& mark) { return mark.first == key; });
    std::erase(records_.unmarks, key); // of one batch the last word counts
    if (value)
      records_.marks.emplace_back(std::move(key), std::move(*value));
    else
      records_.unmarks.push_back(std::move(key));
    ++records_put_;
  }
  work_.notify_one();
}

void group_commit_journal::flush_records() {
  std::unique_lock lock{mutex_};
  const auto all = records_put_.load();
  committed_.wait(lock, [&] { return records_durable_ >= all || stopped_ || !failure_.empty(); });
  if (records_durable_ < all)
    throw has_stopped();
}

void group_commit_journal::begin_together() {
  const std::lock_guard lock{mutex_};
  ++together_;
}

void group_commit_journal::end_together() {
  {
    const std::lock_guard lock{mutex_};
    --together_;
  }
  work_.notify_one();
}

// -- The writer -----------------------------------------------------------------------------------

/// The caller holds the lock.
bool group_commit_journal::has_work() const {
  return last_.load() > durable() || records_put_ > records_durable_;
}

/// Who appends does not hold the lock: it gives positions, then looks whether we wait; we say that
/// we wait, then look at the positions.
void group_commit_journal::await_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    writer_waits_ = true;
    if (has_work() || stopping_)
      break;
    work_.wait(lock);
  }
  writer_waits_ = false;
}

void group_commit_journal::run() {
  name_thread("journal");
  std::unique_lock lock{mutex_};
  for (;;) {
    await_work(lock);
    gather(lock);
    work_.wait(lock, [this] { return together_ == 0; });
    if (!failure_.empty())
      break;
    const bool ending = stopping_;
    const auto high = cut(ending);
    if (!high) {
      lock.unlock();
      fail("an event was appended in part: out of memory");
      lock.lock();
      break;
    }
    if (ending && !has_work())
      break;
    auto records = std::exchange(records_, {});
    const auto records_put = records_put_.load();
    lock.unlock();
    const bool written = commit(in_flight_, std::move(records), *high);
    lock.lock();
    if (!written)
      break;
    in_flight_.clear();
    durable_.store(*high, std::memory_order_release);
    records_durable_ = records_put;
    committed_.notify_all();
    lock.unlock();
    outputs_.reached({*high, records_put});
    if (options_.on_commit)
      options_.on_commit(*high);
    lock.lock();
  }
  lock.unlock();
  outputs_.release_last();
  lock.lock();
  stopped_ = true;
  committed_.notify_all();
}

/// Takes everything appended so far into `in_flight_`; the caller holds the lock. Whoever appends
/// has its tail, and its positions were given then: with all tails held nothing is half appended.
/// The chunks are closed when the tails are free again.
/// @returns the last position taken; nothing when an append was cut short.
std::optional<position> group_commit_journal::cut(bool ending) {
  struct taken {
    std::vector<closed_chunk> queued;
    std::unique_ptr<chunk_writer> open;
  };
  std::vector<taken> parts(tails_.size());
  for (auto& tail : tails_)
    tail.mutex.lock();
  const auto high = last();
  bool torn = false;
  for (std::size_t shard = 0; shard < tails_.size(); ++shard) {
    auto& tail = tails_[shard];
    const std::lock_guard lock{tail.mutex, std::adopt_lock};
    torn = torn || tail.torn;
    tail.ended = ending;
    parts[shard] = {std::exchange(tail.queued, {}), take_open(tail)};
  }
  for (auto& part : parts) {
    std::move(part.queued.begin(), part.queued.end(), std::back_inserter(in_flight_));
    if (part.open)
      in_flight_.push_back(closed(std::move(*part.open)));
  }
  return torn ? std::nullopt : std::optional{high};
}

/// J8. Whoever comes to an end after `gathering_` is set tells us; who did before is seen here.
void group_commit_journal::gather(std::unique_lock<std::mutex>& lock) {
  if (!options_.more_to_come)
    return;
  figures_.gathers_us = ran_out_.exchange(false)
                          ? options_.gathers_us
                          : std::min(figures_.gathers_us + options_.gathers_us / gathers_steps_of,
                                     options_.gathers_us * gathers_at_most);
  const auto until = last_began_ + std::chrono::microseconds{figures_.gathers_us};
  gathering_ = true;
  gathered_.wait_until(lock, until, [this] {
    return stopping_ || !(outputs_.others_come() || options_.more_to_come());
  });
  gathering_ = false;
  last_began_ = std::chrono::steady_clock::now();
}

void group_commit_journal::no_more_to_come() {
  ran_out_ = true;
  if (!gathering_)
    return;
  { const std::lock_guard waits{mutex_}; }
  gathered_.notify_one();
}

bool group_commit_journal::commit(const std::vector<closed_chunk>& chunks, store_batch batch,
                                  position high) {
  std::uint64_t bytes = 0;
  for (const auto& chunk : chunks) {
    batch.chunks.push_back({chunk.header.shard, chunk.header.number, *chunk.bytes});
    bytes += chunk.bytes->size();
  }
  batch.marks.emplace_back(marks::head, marks::encode_position(high));
  try {
    const auto began = std::chrono::steady_clock::now();
    disk_->write(batch);
    const auto wrote = elapsed_us(began);
    disk_->sync(high);
    const std::lock_guard lock{mutex_};
    ++figures_.commits;
    figures_.bytes += bytes;
    figures_.write_us += wrote;
    figures_.sync_us += elapsed_us(began) - wrote;
    return true;
  } catch (const std::exception& error) {
    fail(error.what());
    return false;
  }
}

void group_commit_journal::fail(const std::string& why) {
  {
    const std::lock_guard lock{mutex_};
    if (!failure_.empty())
      return;
    failure_ = why.empty() ? "the journal failed" : why;
    stopping_ = true;
    work_.notify_one();
    gathered_.notify_one();
    committed_.notify_all();
  }
  outputs_.drop();
  if (options_.on_failure)
    options_.on_failure(why);
}

void group_commit_journal::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    work_.notify_one();
    gathered_.notify_one();
  }
  if (writer_.joinable())
    writer_.join();
}

void group_commit_journal::close() {
  stop();
  disk_.reset();
}

void group_commit_journal::abandon(const std::string& why) {
  fail(why);
  stop();
}

journal_figures group_commit_journal::figures() const {
  const std::lock_guard lock{mutex_};
  auto made = figures_;
  made.events = last() - opened_at_;
  return made;
}

// -- Reading --------------------------------------------------------------------------------------

std::uint64_t group_commit_journal::command_hash(std::uint64_t stream_hash, std::string_view key) {
  return XXH3_64bits_withSeed(key.data(), key.size(), stream_hash);
}

void group_commit_journal::rest(const entity_ref& stream, resting_image image,
                                const stream_place& place) {
  auto kept = std::make_unique<const resting_image>(std::move(image)); // made without the lock
  const auto hash = stable_hash(stream);
  auto& tail = tail_of(hash);
  const std::lock_guard lock{tail.mutex};
  auto* entry = tail.known_entry(hash, stream, place);
  if (entry != nullptr && entry->version == kept->version)
    entry->image.swap(kept);
}

/// The bytes of a chunk wherever they are. The caller holds neither lock. A chunk goes from its
/// tail to `in_flight_` while the writer holds both, and from there once it is on disk.
std::shared_ptr<const std::string> group_commit_journal::bytes_of(std::uint16_t shard,
                                                                  std::uint64_t number) {
  {
    const auto& tail = tails_[shard];
    const std::lock_guard lock{tail.mutex};
    if (tail.open && tail.open->header().number == number)
      return std::make_shared<const std::string>(tail.open->peek());
    for (const auto& chunk : tail.queued)
      if (chunk.header.number == number)
        return chunk.bytes;
  }
  {
    const std::lock_guard lock{mutex_};
    for (const auto& chunk : in_flight_)
      if (chunk.header.shard == shard && chunk.header.number == number)
        return chunk.bytes;
  }
  if (auto bytes = disk_->chunk(shard, number))
    return std::make_shared<const std::string>(std::move(*bytes));
  throw journal_corrupt("chunk " + std::to_string(number) + " of shard " + std::to_string(shard) +
                        " is missing");
}

void group_commit_journal::load(const entity_ref& stream, load_callback callback) {
  const auto hash = stable_hash(stream);
  const auto& tail = tail_of(hash);
  const auto shard = static_cast<std::uint16_t>(&tail - tails_.data());
  stored_stream found;
  std::string error;
  try {
    std::vector<std::uint64_t> chunks;
    {
      const std::lock_guard lock{tail.mutex};
      if (const auto* image = tail.image_of(hash, stream))
        found.snapshot = image->snapshot;
      else
        chunks = tail.chunks_of(hash, stream);
    }
    std::uint64_t version = 0;
    if (found.snapshot)
      return callback(std::move(found), {});
    if (auto stored = disk_->snapshot(stream)) { // after the tail: it is only ever newer
      const auto opened = marks::open_snapshot(stream, *stored);
      version = opened.version;
      found.snapshot.emplace(opened.bytes);
    }
    for (const auto number : chunks)
      read_chunk_of(*bytes_of(shard, number), stream, [&](recorded_event&& event) {
        if (event.version <= version)
          return;
        if (event.version != version + found.tail.size() + 1)
          throw journal_corrupt(to_string(stream) + " is corrupted: a gap before version " +
                                std::to_string(event.version));
        found.tail.push_back(std::move(event));
      });
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  callback(std::move(found), std::move(error));
}

/// In this order: a checkpoint moves ids from the tail to the snapshot and the index, and from an
/// older snapshot to the index.
void group_commit_journal::find_command(const entity_ref& stream, const std::string& key,
                                        outcome_callback callback) {
  std::optional<command_outcome> found;
  std::string error;
  try {
    found = find_in_tail(stream, key);
    if (!found)
      found = find_in_snapshot(stream, key);
    if (!found)
      found = disk_->outcome(stream, key);
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  callback(found, std::move(error));
}

std::optional<command_outcome> group_commit_journal::find_in_tail(const entity_ref& stream,
                                                                  const std::string& key) {
  const auto shard = shard_of(stream, options_.shards);
  std::uint64_t number = 0;
  {
    const auto& tail = tails_[shard];
    const std::lock_guard lock{tail.mutex};
    const auto hash = command_hash(stable_hash(stream), key);
    for (const auto* part : {&tail.folding_commands, &tail.fresh_commands})
      if (const auto at = part->find(hash); number == 0 && at != part->end())
        number = at->second;
  }
  std::optional<command_outcome> found;
  if (number != 0)
    read_chunk_of(*bytes_of(shard, number), stream, [&](recorded_event&& event) {
      if (event.event.fingerprint != 0 && event.event.cause == key)
        found = id_of(event).outcome;
    });
  return found;
}

std::optional<command_outcome> group_commit_journal::find_in_snapshot(const entity_ref& stream,
                                                                      const std::string& key) {
  const auto stored = disk_->snapshot(stream);
  if (!stored)
    return std::nullopt;
  const auto log = entity_image::commands_in(stream, marks::open_snapshot(stream, *stored).bytes);
  const auto* noted = log.find(key);
  if (noted == nullptr)
    return std::nullopt;
  return command_outcome{noted->fingerprint, command_outcome::unknown_version,
                         static_cast<std::uint16_t>(noted->outcome)};
}

/// In this order, too: numbers of chunks move as ids do.
void group_commit_journal::history(const entity_ref& stream, const event_visitor& visit) {
  const auto shard = shard_of(stream, options_.shards);
  std::vector<std::uint64_t> chunks;
  std::uint64_t indexed = 0;
  {
    const std::lock_guard lock{tails_[shard].mutex};
    chunks = tails_[shard].chunks_of(stable_hash(stream), stream);
    indexed = tails_[shard].indexed;
  }
  if (disk_->index_covered(shard) < indexed)
    throw store_error(
      "the index of histories is missing or behind the journal; it is rebuilt when an "
      "engine opens the directory");
  if (const auto stored = disk_->snapshot(stream)) {
    const auto listed = marks::open_snapshot(stream, *stored).chunks;
    chunks.insert(chunks.end(), listed.begin(), listed.end());
  }
  const auto older = disk_->postings(stream);
  chunks.insert(chunks.end(), older.begin(), older.end());
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  std::uint64_t version = 0;
  for (const auto number : chunks)
    read_chunk_of(*bytes_of(shard, number), stream, [&](recorded_event&& event) {
      if (event.version != version + 1)
        throw journal_corrupt(to_string(stream) + ": event " + std::to_string(event.version) +
                              " follows event " + std::to_string(version) + " in its history");
      version = event.version;
      visit(std::move(event));
    });
}

} // namespace purser
