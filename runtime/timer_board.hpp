// Who wants to be told `timer_due`, and when (domain.md, C8). The truth is the entities' state: a
// timer that is stale, or fires twice, changes nothing.
//
// T1 In memory: what is due within `horizon_ms`, and what was set since its shard's checkpoint
// began. T2 On disk, in order of time: what the checkpoints knew. It is read an hour ahead. T3
// Missed ones coalesce: an entity has one timer, its earliest.
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/router.hpp"
#include "runtime/journal/group_commit.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace purser {

class timer_board {
public:
  static constexpr std::int64_t horizon_ms = 3'600'000;

  timer_board(group_commit_journal& journal, router& to, clock& time);
  ~timer_board();

  /// Fires by the machine's clock, on a thread of its own. Without it: fire_due.
  void start_thread();
  void stop();

  /// An entity's timer, in place of the one it had. Thread-safe, as everything here.
  void set(const entity_ref& entity, std::optional<unix_millis> due);

  /// The earliest timer; nothing when there is none.
  std::optional<unix_millis> next();

  /// Sends `timer_due` to everybody whose time has come.
  void fire_due(unix_millis now);

  /// Around a checkpoint of a shard: what was set before its beginning is on disk at its end.
  void checkpoint_begins(std::uint16_t shard);
  void checkpoint_done(std::uint16_t shard);

  /// In memory.
  std::size_t size() const;

private:
  struct timer {
    unix_millis due = 0;
    std::uint64_t set_at = 0; ///< counts the calls of `set`
  };
  struct shard_timers {
    std::vector<entity_ref> far; ///< set since the last checkpoint began, and beyond the horizon
    std::vector<entity_ref> folding;
    std::uint64_t began_at = 0;
  };

  void run();
  void forget(const entity_ref& entity);
  void read_ahead(unix_millis now); // with the lock

  group_commit_journal& journal_;
  router& router_;
  clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::pair<unix_millis, entity_ref>> by_due_;
  std::unordered_map<entity_ref, timer, entity_ref_hash> timers_;
  std::vector<shard_timers> shards_;
  std::uint64_t sets_ = 0;
  unix_millis horizon_ = 0; ///< everything on disk that is due before it has been read
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace purser
