#include "supervisors/entity_restarts.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;

namespace {

/// k = 2, so quarantine after more than 5 in a row.
const entity_restart_policy policy{2, 3, backoff_policy{100, 1'000, 0.0, 0}};

entity_decision crash(entity_restart_state& state, crash_phase phase) {
  return on_crash(state, policy, phase, 0.5);
}

} // namespace

TEST_CASE("B10: the first restart has no delay, later ones back off") {
  entity_restart_state state;

  CHECK(crash(state, crash_phase::idle).delay_ms == 0);
  CHECK(crash(state, crash_phase::idle).delay_ms == 100);
  CHECK(crash(state, crash_phase::idle).delay_ms == 200);
}

TEST_CASE("B3: a message is handled at most 1 + k times, then it is a dead letter") {
  entity_restart_state state;

  CHECK(crash(state, crash_phase::handling).action == entity_action::restart);
  CHECK(crash(state, crash_phase::handling).action == entity_action::restart);
  CHECK(crash(state, crash_phase::handling).action == entity_action::restart_dead_letter);
}

TEST_CASE("B3: the message after a dead letter has its own deliveries") {
  entity_restart_state state;
  for (auto i = 0; i < 3; ++i)
    crash(state, crash_phase::handling);

  CHECK(crash(state, crash_phase::handling).action == entity_action::restart);
  CHECK(state.crashes_in_hand == 1);
}

TEST_CASE("B10: more than k + 3 crashes in a row quarantine the entity") {
  entity_restart_state state;
  for (auto i = 0; i < 5; ++i)
    CHECK(crash(state, crash_phase::idle).action == entity_action::restart);

  CHECK(crash(state, crash_phase::idle).action == entity_action::quarantine);
}

TEST_CASE("B5: a failure in recovery counts, but not against the message in hand") {
  entity_restart_state state;
  crash(state, crash_phase::handling);
  for (auto i = 0; i < 4; ++i)
    CHECK(crash(state, crash_phase::recovering).action == entity_action::restart);
  CHECK(state.crashes_in_hand == 1);

  CHECK(crash(state, crash_phase::recovering).action == entity_action::quarantine);
}

TEST_CASE("B10: only crashes without a completed message in between count") {
  entity_restart_state state;
  for (auto i = 0; i < 100; ++i) {
    CHECK(crash(state, crash_phase::handling).action == entity_action::restart);
    CHECK(crash(state, crash_phase::handling).action == entity_action::restart);
    on_completed(state);
  }

  CHECK(crash(state, crash_phase::handling).delay_ms == 0);
}

TEST_CASE("B10: many entities that crash once each are each restarted at once") {
  for (auto i = 0; i < 10'000; ++i) {
    entity_restart_state state;
    const auto decision = crash(state, crash_phase::handling);
    CHECK(decision.action == entity_action::restart);
    CHECK(decision.delay_ms == 0);
  }
}
