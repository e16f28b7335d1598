// What a running engine tells of itself: its tree, its health, its supervision decisions.
#pragma once

#include <boost/describe.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace purser {

/// A supervision decision: a crash, a restart, a message or an entity given up; or what the
/// watchdog has noticed ("actor_hangs", "actor_goes_on").
struct supervision_notice {
  std::string what; ///< "child_crashed", "child_restarted"...
  std::string path; ///< in the tree: "root/shards/shard-3/order/NW-10248"
  std::string cause;
  std::uint32_t restarts = 0;
  std::int64_t healing_us = 0; ///< from the crash to the next incarnation
  std::uint64_t number = 0;    ///< in this life of the engine: 1, 2, 3...
  std::int64_t at = 0;         ///< milliseconds since 1970 UTC, by the machine's clock
};
BOOST_DESCRIBE_STRUCT(supervision_notice, (), (number, at, what, path, cause, restarts, healing_us))

/// One actor of the tree.
struct tree_row {
  std::string path;           ///< "root", "root/shards/shard-3", "root/shards/shard-3/order/o-1"
  std::string kind;           ///< supervisor, shard, or the kind of an entity
  std::string state;          ///< running, restarting, quarantined, stopped, not_responding
  std::uint32_t restarts = 0; ///< so far; of an entity, as far back as is remembered
  std::string last_cause;     ///< of its last crash
  std::uint64_t mailbox = 0;  ///< messages that wait
  std::uint64_t messages = 0; ///< that it was sent: a shard ever, an entity since it was loaded
  std::uint64_t entities = 0; ///< of a shard: in memory
  std::int64_t uptime_ms = 0; ///< of this incarnation
};
BOOST_DESCRIBE_STRUCT(tree_row, (),
                      (path, kind, state, restarts, last_cause, mailbox, messages, entities,
                       uptime_ms))

/// Supervisors and shards, all of them; of the entities the busiest of each shard and those that
/// crashed last. Parents come before their children.
struct supervision_tree {
  std::int64_t at = 0; ///< milliseconds since 1970 UTC
  std::vector<tree_row> rows;
  std::uint64_t entities_left_out = 0; ///< in memory, and without a row
};
BOOST_DESCRIBE_STRUCT(supervision_tree, (), (at, rows, entities_left_out))

struct engine_health {
  bool live = false;     ///< it has not failed
  bool ready = false;    ///< it takes commands
  bool degraded = false; ///< it works, and somebody should look
  std::vector<std::string> reasons;
};
BOOST_DESCRIBE_STRUCT(engine_health, (), (live, ready, degraded, reasons))

} // namespace purser
