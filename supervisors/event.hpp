// Every supervision decision is an observable event (B8).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace purser::supervisors {

enum class event_kind : std::uint8_t {
  child_started,
  child_crashed,         ///< an abnormal exit was seen
  child_restarted,       ///< it runs again
  child_stopped,         ///< as asked, or by itself
  gave_up,               ///< more restarts than the intensity allows (S10, B2), or by a rule (A9)
  message_dead_lettered, ///< a message crashed its entity too often (B3)
  entity_quarantined,    ///< an entity could not be recovered (B5)
  entity_released,       ///< somebody ended its quarantine
  child_ignored,         ///< its start function said that there is nothing to run (S2)
  child_forgotten,       ///< its spec is dropped: it was temporary (S8)
  child_killed,          ///< it did not end within its shutdown time (S13)
  restart_delayed, ///< its next start waits for its backoff (A7) or for a message to self (S12)
  escalated,       ///< a child supervisor gave up; its parent now applies its own rules (S20)
  auto_shutdown,   ///< significant children have ended: the supervisor ends in order (S16)
  child_stuck,     ///< it was killed and still has not ended: it never returned (B9)
};

std::string_view to_string(event_kind kind);

struct supervision_event {
  event_kind kind = event_kind::child_started;
  std::string path;           ///< in the tree: "root/shards/shard-3/order/NW-10248"
  std::string cause;          ///< of a crash, a giving up; else empty
  std::uint32_t restarts = 0; ///< so far, of this child
  std::int64_t healing_us =
    0; ///< of child_restarted: from the crash to running again; 0 if not known
  std::int64_t delay_ms = 0; ///< of restart_delayed
  std::int64_t at_us = 0;    ///< when, by the actor system's clock; 0 if not known
};

/// Called on whatever thread the decision is made; must be short and must not throw.
using event_sink = std::function<void(const supervision_event&)>;

} // namespace purser::supervisors
