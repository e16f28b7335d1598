// The journal of a node: one total order, one writer thread that gathers what is queued, commits it
// as one batch with one sync, and then releases the outputs (architecture.md, 3 and 4).
//
// J1 Positions are dense, and what survives a crash is a prefix of them.
// J2 An output runs only when everything appended before it was asked for is durable.
// J3 A write or sync that failed is never retried: the journal is finished, what waits is dropped.
// J4 A stream's versions are dense; a writer with another version is refused.
// J5 A load sees every event appended before it, durable or not.
// J6 A record is durable no later than an event that is appended after it, and outputs wait for it.
// J7 What is appended and put within a journal::together is in one commit.
// J8 A commit waits for more while more is to come, not longer than journal_options::gathers_us
//    after the last one began. While that never runs out, each waits a quarter of it longer than
//    the one before, up to six times as long.
#pragma once

#include "runtime/journal/durable_outputs.hpp"
#include "runtime/journal/new_snapshots.hpp"
#include "runtime/journal/shard_tail.hpp"
#include "runtime/journal/store.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace purser {

struct journal_options {
  std::uint16_t shards = 8;
  std::size_t chunk_bytes = std::size_t{64} << 10; ///< a chunk is closed when it has grown to this
  bool read_only = false;                          ///< nothing is appended, nothing is written
  unsigned recovery_threads = 1;                   ///< read so many shards at once at a start
  std::function<std::int64_t()> wall_clock_ms;     ///< for the commit time in chunks; may be empty
  /// Whether more is about to be appended (J8); may be empty: a commit never waits then. Called
  /// with a lock held: it must be short.
  std::function<bool()> more_to_come;
  std::int64_t gathers_us = 220; ///< a commit costs the processor as much as an order or two
  /// Called once, on the writer's thread, when the journal has failed (J3).
  std::function<void(const std::string& why)> on_failure;
  /// Called on the writer's thread after each commit.
  std::function<void(position durable)> on_commit;
  release_hooks outputs;
};

struct journal_figures {
  std::uint64_t commits = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint64_t write_us = 0;
  std::uint64_t sync_us = 0;
  std::int64_t gathers_us = 0; ///< how long the last commit might wait for more (J8)
};

/// A stretch of a shard's chunks that a checkpoint folds into snapshots.
struct checkpoint_span {
  std::uint16_t shard = 0;
  std::uint64_t after = 0; ///< the last chunk that the snapshots cover already
  std::uint64_t up_to = 0; ///< the last chunk of the span
};

/// When an entity's timer is due, by its former snapshot and by the new one.
struct due_change {
  std::optional<std::int64_t> before;
  std::optional<std::int64_t> after;
};

/// What a checkpoint has made of a span.
struct checkpoint_result {
  new_snapshots snapshots;
  std::vector<due_change> dues;   ///< one for each snapshot, or none at all
  std::vector<entity_ref> opened; ///< entities with a step under way
  std::vector<entity_ref> closed;
  index_batch index; ///< what the snapshots leave to it
  /// A checkpoint of the span was, and came to no end: whether timers are marked as due is open.
  bool cut_short = false;
};

/// Of one shard.
struct checkpoint_part {
  checkpoint_span span;
  checkpoint_result made;
};

/// The index's entry for the command that an event records. Throws codec::decode_error.
index_batch::id id_of(const recorded_event& event);

/// Visits the events of chunks (after, up_to], in order, each with the number of its chunk. Throws
/// journal_corrupt, store_error.
using span_visitor = std::function<void(std::uint64_t chunk, recorded_event&& event)>;
void read_span(store& disk, const checkpoint_span& span, const span_visitor& visit);

/// The same, but of the streams only that are chosen. @returns how many events the chunks have.
std::uint64_t read_span(store& disk, const checkpoint_span& span, const stream_choice& chosen,
                        const span_visitor& visit);

/// Writes what a checkpoint leaves to the index, and that it covers the span. Throws store_error.
void store_index(store& disk, const checkpoint_span& span, index_batch index);

/// Writes what a checkpoint made of spans of different shards, without the index: snapshots,
/// timers, who has a step under way, and last that the shards' checkpoints are at their spans'
/// ends. Throws store_error.
void store_checkpoint(store& disk, std::span<const checkpoint_part> parts);

class group_commit_journal final : public journal {
public:
  /// Opens: reads every chunk behind the checkpoints. Throws store_error, journal_corrupt.
  group_commit_journal(std::unique_ptr<store> disk, journal_options options);

  /// Flushes, then stops.
  ~group_commit_journal() override;

  position append(const entity_ref& stream, std::uint64_t expected_version,
                  std::span<const event_record> events, stream_place& place) override;
  position last() const override { return last_.load(std::memory_order_acquire); }
  position durable() const override { return durable_.load(std::memory_order_acquire); }
  void when_durable(task output) override;
  void load(const entity_ref& stream, load_callback callback) override;
  void find_command(const entity_ref& stream, const std::string& key,
                    outcome_callback callback) override;
  void rest(const entity_ref& stream, resting_image image, const stream_place& place) override;

  /// Tells that `more_to_come` has become false. Thread-safe.
  void no_more_to_come();

  /// Runs the outputs that may run, in order; or leaves them to who is at it, and does not wait.
  void release() { outputs_.release(); }

  /// Makes everything appended durable, runs the outputs, ends the writer. Appends throw from now
  /// on.
  void stop();

  /// Stops, and lets go of the store: another journal may open it. Only figures may be asked for.
  void close();

  /// Ends as a crash would: what is not durable is lost, outputs are dropped. For tests and faults.
  void abandon(const std::string& why);

  std::uint16_t shards() const noexcept { return options_.shards; }
  unsigned recovery_threads() const noexcept { return options_.recovery_threads; }
  journal_figures figures() const;
  store& disk() const noexcept { return *disk_; }

  // -- Records beside the events ------------------------------------------------------------------

  /// Sets a mark of the store, or removes it (no value), with the next commit (J6). Throws
  /// journal_stopped.
  void put_record(std::string key, std::optional<std::string> value);

  /// Waits until every record put before is durable. Throws journal_stopped when that fails.
  void flush_records();

  // -- Checkpoints --------------------------------------------------------------------------------

  /// Bytes appended to a shard since its last checkpoint began.
  std::uint64_t tail_bytes(std::uint16_t shard) const;

  /// Begins a checkpoint: everything appended to the shard so far. One at a time per shard. Waits
  /// until the span is durable. Throws journal_stopped.
  checkpoint_span begin_checkpoint(std::uint16_t shard);

  /// Entities with events in the span of the checkpoint under way, with the images that are there.
  /// For who has begun the checkpoint, until it is completed.
  const tail_generation& folding(std::uint16_t shard) const { return tails_[shard].folding; }

  /// Stores what checkpoints of different shards made; the index first (marks.hpp, X3). When it
  /// returns, the shards' tails are what came after the spans. Throws store_error.
  void complete_checkpoints(std::vector<checkpoint_part> parts);

  /// The last chunk that a shard's snapshots cover.
  std::uint64_t checkpoint(std::uint16_t shard) const;

  /// Entities that had a step under way at their shard's checkpoint.
  std::vector<entity_ref> open_at_checkpoint();

  /// The timers on disk that are due from a time on, in order, until the visitor says false. They
  /// are those of the checkpoints: an entity may have another one since.
  void timers_from(std::int64_t first,
                   const std::function<bool(std::int64_t due, const entity_ref&)>& visit);

  /// Entities with events behind their shard's checkpoint.
  std::vector<entity_ref> tail_entities();

  // -- Readers ------------------------------------------------------------------------------------

  /// Every event of a stream, in order, from the first. Throws journal_corrupt, store_error.
  void history(const entity_ref& stream, const event_visitor& visit);

private:
  using closed_chunk = shard_tail::closed_chunk;

  void begin_together() override;
  void end_together() override;

  static std::uint64_t command_hash(std::uint64_t stream_hash, std::string_view key);

  void recover();
  position recover_shard(std::uint16_t shard);
  void rebuild_index(std::uint16_t shard);
  static std::unique_ptr<chunk_writer> take_open(shard_tail& tail);
  closed_chunk closed(chunk_writer&& open) const;
  void close_chunk(shard_tail& tail) const;
  chunk_writer& open_chunk(shard_tail& tail) const;
  std::optional<position> append_to(const entity_ref& stream, std::uint64_t expected_version,
                                    std::span<const event_record> events, stream_place& place);
  void add(shard_tail& tail, tail_entry& entry, std::uint64_t hash, position at,
           std::span<const event_record> events);
  shard_tail& tail_of(std::uint64_t hash) { return tails_[hash % options_.shards]; }
  void wake_writer();
  std::optional<position> cut(bool ending);
  void run();
  void await_work(std::unique_lock<std::mutex>& lock);
  void gather(std::unique_lock<std::mutex>& lock);
  bool commit(const std::vector<closed_chunk>& chunks, store_batch batch, position high);
  bool has_work() const;
  void fail(const std::string& why);
  void require_running() const;
  journal_stopped has_stopped() const;
  std::shared_ptr<const std::string> bytes_of(std::uint16_t shard, std::uint64_t number);
  std::optional<command_outcome> find_in_tail(const entity_ref& stream, const std::string& key);
  std::optional<command_outcome> find_in_snapshot(const entity_ref& stream, const std::string& key);

  journal_options options_;
  std::unique_ptr<store> disk_;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable gathered_;
  std::condition_variable committed_;
  std::vector<shard_tail> tails_;       ///< who holds `mutex_`, too, took that first
  std::vector<closed_chunk> in_flight_; ///< being written
  durable_outputs outputs_;
  store_batch records_;                       ///< put, waiting for the writer
  std::atomic<std::uint64_t> records_put_{0}; ///< so far; set with the lock
  std::uint64_t records_durable_ = 0;         ///< of them
  std::uint64_t together_ = 0;                ///< so many live (J7)
  std::atomic<bool> stopping_{false};         ///< set with the lock
  bool stopped_ = false;
  std::string failure_;
  journal_figures figures_;
  position opened_at_ = 0;
  std::atomic<bool> writer_waits_{false}; ///< for work
  std::atomic<bool> gathering_{false};
  std::atomic<bool> ran_out_{true}; ///< there was no more to come since the last commit gathered
  std::chrono::steady_clock::time_point last_began_; ///< the writer's
  std::atomic<position> last_{0};
  std::atomic<position> durable_{0};
  std::thread writer_;
};

/// Reads all events in the order of their positions, up to what was durable when it began.
class journal_scan {
public:
  /// From the beginning. The journal must outlive the scan.
  explicit journal_scan(group_commit_journal& source);

  /// @returns false at the end. Throws journal_corrupt, store_error.
  bool next(recorded_event& event);

  /// Sees what has become durable since.
  void refresh();

  /// Skips everything up to a position, without reading more than it must.
  void seek_after(position after);

private:
  struct shard_lane {
    std::uint64_t next_chunk = 1;
    std::deque<recorded_event> events;
    bool exhausted = false;
  };

  void fill(std::uint16_t shard);

  group_commit_journal& source_;
  position limit_ = 0;
  position after_ = 0;
  std::vector<shard_lane> lanes_;
};

} // namespace purser
