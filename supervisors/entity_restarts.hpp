// What to do when one of many entities crashes (B3, B5, B10): pure. Entities count their restarts
// one by one, and only consecutive crashes without a completed message in between; so many entities
// that crash once each do not bring down their shard.
#pragma once

#include "supervisors/backoff.hpp"

#include <cstdint>

namespace purser::supervisors {

struct entity_restart_policy {
  std::uint32_t redeliveries = 2;   ///< k of B3: a message is handled at most 1 + k times
  std::uint32_t crashes_beyond = 3; ///< B10: quarantine after more than k + this many in a row
  backoff_policy backoff;           ///< from the second crash in a row on
};

/// Of one entity. A completed message resets it to {} (see on_completed).
struct entity_restart_state {
  std::uint32_t consecutive_crashes = 0;
  std::uint32_t crashes_in_hand = 0; ///< with the message that is in hand now
};

enum class entity_action : std::uint8_t {
  restart,             ///< and redeliver the message in hand
  restart_dead_letter, ///< and give the message in hand up
  quarantine,          ///< the entity alone; its siblings go on
};

struct entity_decision {
  entity_action action = entity_action::restart;
  std::int64_t delay_ms = 0; ///< before the restart
};

enum class crash_phase : std::uint8_t { recovering, handling, idle };

/// Counts a crash and decides. `random` is uniform in [0, 1), for the jitter.
entity_decision on_crash(entity_restart_state& state, const entity_restart_policy& policy,
                         crash_phase phase, double random);

/// The message in hand was handled to its end: what crashed before does not count any more (B10).
void on_completed(entity_restart_state& state);

} // namespace purser::supervisors
