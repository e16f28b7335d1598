#include "supervisors/entity_restarts.hpp"

namespace purser::supervisors {

entity_decision on_crash(entity_restart_state& state, const entity_restart_policy& policy,
                         crash_phase phase, double random) {
  ++state.consecutive_crashes;
  if (phase == crash_phase::handling)
    ++state.crashes_in_hand;
  if (state.consecutive_crashes > policy.redeliveries + policy.crashes_beyond)
    return {entity_action::quarantine, 0};
  const auto delay = state.consecutive_crashes == 1
                       ? 0 // the first restart has no delay
                       : backoff_ms(policy.backoff, state.consecutive_crashes - 1, random);
  if (state.crashes_in_hand > policy.redeliveries) {
    state.crashes_in_hand = 0; // the next message starts anew
    return {entity_action::restart_dead_letter, delay};
  }
  return {entity_action::restart, delay};
}

entity_decision on_failure(entity_restart_state& state, const entity_restart_policy& policy,
                           crash_phase phase, directive how, double random) {
  switch (how) {
  case directive::resume:
    if (phase == crash_phase::recovering)
      break;
    state.crashes_in_hand = 0; // the next message starts anew
    return {entity_action::resume, 0};
  case directive::restart: break;
  case directive::stop: return {entity_action::quarantine, 0};
  case directive::escalate: return {entity_action::escalate, 0};
  }
  return on_crash(state, policy, phase, random);
}

void on_completed(entity_restart_state& state) {
  state = {};
}

} // namespace purser::supervisors
