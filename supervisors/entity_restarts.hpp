// What to do when one of many entities crashes (B3, B5, B10): pure. Entities count their restarts
// one by one, and only consecutive crashes without a completed message in between; so many entities
// that crash once each do not bring down their shard.
#pragma once

#include "supervisors/backoff.hpp"
#include "supervisors/directive.hpp"

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
  resume,              ///< keep the state, give the message in hand up, take the next (on_failure)
  escalate,            ///< end the shell with the failure: its supervisor sees it (on_failure)
};

struct entity_decision {
  entity_action action = entity_action::restart;
  std::int64_t delay_ms = 0; ///< before the restart
};

enum class crash_phase : std::uint8_t { recovering, handling, idle };

/// Counts a crash and decides. `random` is uniform in [0, 1), for the jitter.
entity_decision on_crash(entity_restart_state& state, const entity_restart_policy& policy,
                         crash_phase phase, double random);

/// The same, for a shell that catches a failure while its entity's state is still there, by the
/// directive of the failure's kind (A9):
///   resume    the state is whole, for a message that failed has changed nothing: it is kept, the
///             message is a dead letter, and no crash is counted. While recovering there is no
///             state yet, so it means restart
///   restart   on_crash decides
///   stop      quarantine, at once
///   escalate  the shell ends, too
entity_decision on_failure(entity_restart_state& state, const entity_restart_policy& policy,
                           crash_phase phase, directive how, double random);

/// The message in hand was handled to its end: what crashed before does not count any more (B10).
void on_completed(entity_restart_state& state);

} // namespace purser::supervisors
