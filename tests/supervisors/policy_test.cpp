#include "supervisors/backoff.hpp"
#include "supervisors/entity_restarts.hpp"
#include "supervisors/restart_window.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;

TEST_CASE("S10: the window counts restarts of exactly the last period") {
  restart_window window{2, 5'000};

  CHECK_FALSE(window.exceeds(0));
  CHECK_FALSE(window.exceeds(1));
  CHECK(window.exceeds(5'000));        // 0, 1 and 5000 are within 5000 ms
  CHECK_FALSE(window.exceeds(10'001)); // only 10001 is
}

TEST_CASE("S10: intensity 0 allows no restart") {
  restart_window window{0, 5'000};

  CHECK(window.exceeds(0));
}

TEST_CASE("A7: the backoff doubles from its minimum to its maximum, spread by the jitter") {
  const backoff_policy policy{100, 1'000, 0.2};

  CHECK(backoff_ms(policy, 1, 0.5) == 100);
  CHECK(backoff_ms(policy, 2, 0.5) == 200);
  CHECK(backoff_ms(policy, 4, 0.5) == 800);
  CHECK(backoff_ms(policy, 5, 0.5) == 1'000);
  CHECK(backoff_ms(policy, 4'000'000'000U, 0.5) == 1'000);
  CHECK(backoff_ms(policy, 1, 0.0) == 80);
  CHECK(backoff_ms(policy, 1, 0.999999) == 120);
}

TEST_CASE("B10: the first restart has no delay, later ones back off") {
  entity_restart_state state;
  const entity_restart_policy policy;

  CHECK(on_crash(state, policy, crash_phase::idle, 0.5).delay_ms == 0);
  CHECK(on_crash(state, policy, crash_phase::idle, 0.5).delay_ms == policy.backoff.min_ms);
  CHECK(on_crash(state, policy, crash_phase::idle, 0.5).delay_ms == 2 * policy.backoff.min_ms);
}

TEST_CASE("B3: a message is redelivered k times, then it is a dead letter") {
  entity_restart_state state;
  const entity_restart_policy policy{2, 3, {}};
  const auto crash = [&] { return on_crash(state, policy, crash_phase::handling, 0.5).action; };

  CHECK(crash() == entity_action::restart);
  CHECK(crash() == entity_action::restart);
  CHECK(crash() == entity_action::restart_dead_letter);
}

TEST_CASE("B10: more than k + 3 crashes in a row without a completed message are a quarantine") {
  entity_restart_state state;
  const entity_restart_policy policy{2, 3, {}};

  for (int i = 0; i < 5; ++i)
    CHECK(on_crash(state, policy, crash_phase::idle, 0.5).action == entity_action::restart);
  CHECK(on_crash(state, policy, crash_phase::idle, 0.5).action == entity_action::quarantine);
}

TEST_CASE("B5: failures while recovering count towards the quarantine, not against a message") {
  entity_restart_state state;
  const entity_restart_policy policy{1, 1, {}};

  CHECK(on_crash(state, policy, crash_phase::recovering, 0.5).action == entity_action::restart);
  CHECK(on_crash(state, policy, crash_phase::recovering, 0.5).action == entity_action::restart);
  CHECK(on_crash(state, policy, crash_phase::recovering, 0.5).action == entity_action::quarantine);
}
