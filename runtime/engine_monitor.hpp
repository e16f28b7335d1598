// Looks into a running engine from outside its actors: the live tree, what hangs, the newest
// supervision decisions.
//
// L1 Nothing here waits for an actor longer than it was told; one that does not answer has a row
//    that says so.
// L2 An actor answers from what is its own; what it may not touch (the record of an entity that
//    runs) comes from the supervision decisions instead.
#pragma once

#include "actors/node_context.hpp"
#include "actors/shard_look.hpp"
#include "runtime/supervision_log.hpp"
#include "runtime/task_queue.hpp"
#include "runtime/watchdog.hpp"

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace purser {

class engine_monitor {
public:
  struct parts {
    caf::actor_system& system;
    node_context& node;
    work_board& board;
    task_queue& delivery;
  };
  struct hooks {
    std::function<void(const supervision_notice&)> on_notice;
    std::function<void(const std::string&)> on_alarm;
  };

  engine_monitor(parts of, hooks to);
  ~engine_monitor();

  /// `hang_ms` 0: nothing is watched.
  void start_watchdog(std::int64_t hang_ms);
  void stop_watchdog();

  /// The top of the tree; null: there is none any more.
  void set_root(caf::actor root);

  /// A decision of a supervisor or a shard. Thread-safe.
  void note(supervision_notice notice);

  const supervision_log& decisions() const noexcept { return log_; }

  /// Waits for the answers of all actors together at most `timeout_ms`. Thread-safe.
  supervision_tree tree(std::int64_t timeout_ms);

  /// Why somebody should look, one a line: what hangs, what is in quarantine.
  std::vector<std::string> reasons() const;

  std::int64_t uptime_ms() const;

private:
  /// A question that somebody else must answer, as a sign of life.
  struct probe {
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> answered{0};
  };

  std::vector<watched_work> look();
  void look_at_handlers(std::vector<watched_work>& found) const;
  void look_at_journal(std::vector<watched_work>& found) const;
  void look_at_probes(std::vector<watched_work>& found);
  tree_row known(std::string path, std::string kind) const;
  void add_supervisors(supervision_tree& to, std::int64_t timeout_ms);
  void add_shards(supervision_tree& to, std::int64_t timeout_ms);
  /// `shard`: its path.
  void add_entities(supervision_tree& to, const std::string& shard, const shard_look& look);

  parts of_;
  hooks to_;
  supervision_log log_;
  const std::int64_t began_ns_;
  mutable std::mutex mutex_; ///< of root_
  caf::actor root_;
  std::shared_ptr<probe> scheduler_;
  std::shared_ptr<probe> callbacks_;
  caf::actor prober_;
  mutable std::mutex watching_; ///< of watchdog_
  std::unique_ptr<watchdog> watchdog_;
};

} // namespace purser
