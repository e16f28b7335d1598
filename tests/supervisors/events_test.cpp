#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;
using namespace std::chrono_literals;

TEST_CASE("B8: a crash and its healing carry path, cause, restart count and times") {
  world w;
  auto a = w.probe("a");
  a.backoff = backoff_policy{100, 100, 0.0, 60'000};
  w.spawn(tree(strategy::one_for_one, {a}));
  w.pass(1s);
  w.crash("a");
  w.crash("a");
  w.pass(100ms);

  const auto& crashed = w.last(event_kind::child_crashed);
  const auto& delayed = w.last(event_kind::restart_delayed);
  const auto& restarted = w.last(event_kind::child_restarted);
  CHECK(crashed.path == "root/a");
  CHECK(crashed.cause.find("boom") != std::string::npos);
  CHECK(crashed.at_us == 1'000'000);
  CHECK(delayed.delay_ms == 100);
  CHECK(restarted.restarts == 2);
  CHECK(restarted.healing_us == 100'000);
  CHECK(restarted.at_us == 1'100'000);
}

TEST_CASE("B8: siblings restarted with a group are events, too, healed from the same failure") {
  world w;
  auto a = w.probe("a");
  a.backoff = backoff_policy{100, 100, 0.0, 60'000};
  w.spawn(tree(strategy::one_for_all, {a, w.probe("b")}));
  w.crash("a");
  w.events.clear();

  w.crash("a");
  w.pass(100ms);

  CHECK(w.events_of(event_kind::child_stopped) == words{"root/b"});
  CHECK(w.events_of(event_kind::child_restarted) == words{"root/a", "root/b"});
  CHECK(w.last(event_kind::child_restarted).healing_us == 100'000);
}

TEST_CASE("B8: giving up names the child and the cause that broke the limit") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b")}, 0));

  w.crash("b");

  const auto& gave_up = w.last(event_kind::gave_up);
  CHECK(gave_up.path == "root");
  CHECK(gave_up.cause.starts_with("b: "));
  CHECK(gave_up.cause.find("boom") != std::string::npos);
}

TEST_CASE("B8: every kind of event has its own name") {
  std::set<std::string> names;
  for (auto kind = 0; kind <= static_cast<int>(event_kind::child_stuck); ++kind)
    names.insert(std::string{to_string(static_cast<event_kind>(kind))});

  CHECK(names.size() == static_cast<std::size_t>(event_kind::child_stuck) + 1);
  CHECK_FALSE(names.contains("unknown"));
}
