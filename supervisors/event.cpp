#include "supervisors/event.hpp"

namespace purser::supervisors {

std::string_view to_string(event_kind kind) {
  switch (kind) {
  case event_kind::child_started: return "child_started";
  case event_kind::child_crashed: return "child_crashed";
  case event_kind::child_restarted: return "child_restarted";
  case event_kind::child_stopped: return "child_stopped";
  case event_kind::gave_up: return "gave_up";
  case event_kind::message_dead_lettered: return "message_dead_lettered";
  case event_kind::entity_quarantined: return "entity_quarantined";
  case event_kind::entity_released: return "entity_released";
  case event_kind::child_ignored: return "child_ignored";
  case event_kind::child_forgotten: return "child_forgotten";
  case event_kind::child_killed: return "child_killed";
  case event_kind::restart_delayed: return "restart_delayed";
  case event_kind::escalated: return "escalated";
  case event_kind::auto_shutdown: return "auto_shutdown";
  case event_kind::child_stuck: return "child_stuck";
  }
  return "unknown";
}

} // namespace purser::supervisors
