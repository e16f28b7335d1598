#include "supervisors/restart_window.hpp"
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;
using namespace std::chrono_literals;

TEST_CASE("S10: more than intensity restarts within the last period, and not one fewer") {
  restart_window window{2, 1'000};

  CHECK_FALSE(window.exceeds(0));
  CHECK_FALSE(window.exceeds(500));
  CHECK(window.exceeds(1'000)); // the one at 0 is exactly a period old: still within it
}

TEST_CASE("S10: a restart older than the period does not count") {
  restart_window window{2, 1'000};

  CHECK_FALSE(window.exceeds(0));
  CHECK_FALSE(window.exceeds(500));
  CHECK_FALSE(window.exceeds(1'001));
}

TEST_CASE("S10: an intensity of 0 allows no restart") {
  restart_window window{0, 1'000};

  CHECK(window.exceeds(0));
}

TEST_CASE("S10: the defaults are intensity 1 within 5 s") {
  const supervisor_spec spec;

  CHECK(spec.intensity == 1);
  CHECK(spec.period == 5s);
  CHECK(spec.strategy == strategy::one_for_one);
  CHECK(child_spec{}.restart == restart_type::permanent);
}

TEST_CASE("S10: a supervisor that gives up stops all others in reverse and restarts nobody") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b"), w.probe("c")}, 1));
  w.crash("b");
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"stop c", "stop a"});
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == intensity_exceeded());
  CHECK(w.events_of(event_kind::gave_up) == words{"root"});
}

TEST_CASE("S10: restarts further apart than the period go on for ever") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a")}, 1));

  for (auto i = 0; i < 20; ++i) {
    w.crash("a");
    w.pass(5'001ms);
  }

  CHECK(w.running() == words{"a"});
  CHECK(w.root_ended.empty());
}

TEST_CASE("S11: one failure counts once, however many siblings restart") {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    world w;
    w.spawn(tree(how, {w.probe("a"), w.probe("b"), w.probe("c"), w.probe("d")}, 1));

    w.crash("a");

    CHECK(w.root_ended.empty());
    CHECK(w.running() == words{"a", "b", "c", "d"});
  }
}

TEST_CASE("S20: a child supervisor that gives up is restarted by its parent's own rules") {
  world w;
  auto inner = tree(strategy::one_for_one, {w.probe("x")}, 1);
  inner.path = "root/inner";
  w.spawn(tree(strategy::one_for_one, {w.nested(inner)}, 1));
  w.taken_log();

  w.crash("x");
  w.crash("x"); // the inner one gives up

  CHECK(w.running() == words{"inner"});
  CHECK(w.log == words{"start x", "start x"});
  CHECK(w.events_of(event_kind::escalated) == words{"root/inner"});

  w.crash("x");
  w.crash("x"); // and again: now the root gives up, too

  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == intensity_exceeded());
  CHECK(w.events_of(event_kind::gave_up) == words{"root/inner", "root/inner", "root"});
}

TEST_CASE("B2: giving up is abnormal for a transient supervisor: it comes back") {
  world w;
  auto inner = tree(strategy::one_for_one, {w.probe("x")}, 0);
  inner.path = "root/inner";
  w.spawn(tree(strategy::one_for_one, {w.nested(inner, restart_type::transient)}, 3));

  w.crash("x");

  CHECK(w.running() == words{"inner"});
}

TEST_CASE("B2: the reasons have names, and are not CAF's") {
  CHECK(to_text(intensity_exceeded()) == "intensity_exceeded");
  CHECK(to_text(start_failed("why")) == "start_failed: why");
  CHECK(intensity_exceeded() == intensity_exceeded());
  CHECK(intensity_exceeded() != start_failed());
  CHECK(intensity_exceeded() != caf::exit_reason::kill);
}

TEST_CASE("B2: a render hook, which cannot know our reasons, does not hide their names") {
  world w;
  w.rendering = [](const caf::error&) { return std::string{"rendered"}; };
  auto inner = tree(strategy::one_for_one, {w.probe("x")}, 0);
  inner.path = "root/inner";
  w.spawn(tree(strategy::one_for_one, {w.nested(inner), w.probe("a")}));

  w.crash("x");
  w.crash("a");
  w.finish("a");

  CHECK(w.last(event_kind::escalated).cause == "intensity_exceeded");
  CHECK(w.last(event_kind::child_crashed).cause == "rendered");
}
