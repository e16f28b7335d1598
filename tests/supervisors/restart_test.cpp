#include "supervisors/restart_plan.hpp"
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;
using namespace std::chrono_literals;

TEST_CASE("S4: one_for_one restarts only the dead child") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b"), w.probe("c")}));
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"start b"});
  CHECK(w.running() == words{"a", "b", "c"});
}

TEST_CASE("S5: one_for_all stops all others in reverse, then starts all in order") {
  world w;
  w.spawn(tree(strategy::one_for_all, {w.probe("a"), w.probe("b"), w.probe("c")}));
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"stop c", "stop a", "start a", "start b", "start c"});
}

TEST_CASE("S6: rest_for_one stops those started after it, then starts it and them in order") {
  world w;
  w.spawn(tree(strategy::rest_for_one, {w.probe("a"), w.probe("b"), w.probe("c"), w.probe("d")}));
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"stop d", "stop c", "start b", "start c", "start d"});
}

TEST_CASE("S8: a permanent child is restarted after a normal end, too") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a")}));
  w.taken_log();

  w.finish("a");

  CHECK(w.log == words{"start a"});
}

TEST_CASE("S8: a transient child is restarted only after an abnormal end") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a", restart_type::transient)}));

  w.crash("a");
  CHECK(w.running() == words{"a"});
  w.finish("a");

  CHECK(w.running().empty());
  CHECK(w.log == words{"start a", "start a"});
}

TEST_CASE("S8: a transient child that is shut down in order stays down") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a", restart_type::transient)}));

  caf::anon_send_exit(w.probes["a"], caf::exit_reason::user_shutdown);
  w.settle();

  CHECK(w.running().empty());
}

TEST_CASE("S8: a temporary child is never restarted and its spec is dropped") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a", restart_type::temporary), w.probe("b")}));
  w.taken_log();

  w.crash("a");

  CHECK(w.log.empty());
  CHECK(w.ask<child_counts>(count_children_atom::value).specs == 1);
  CHECK(w.events_of(event_kind::child_forgotten) == words{"root/a"});
}

TEST_CASE("S8: a temporary child stopped because of a sibling is not brought back") {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    world w;
    w.spawn(tree(how, {w.probe("a"), w.probe("b", restart_type::temporary), w.probe("c")}));
    w.taken_log();

    w.crash("a");

    CHECK(w.log == words{"stop c", "stop b", "start a", "start c"});
    CHECK(w.ask<child_counts>(count_children_atom::value).specs == 2);
  }
}

TEST_CASE("S9: a transient child that ended normally keeps its spec and triggers nobody") {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    world w;
    w.spawn(tree(how, {w.probe("a", restart_type::transient), w.probe("b")}));
    w.taken_log();

    w.finish("a");

    CHECK(w.log.empty());
    CHECK(w.running() == words{"b"});
    CHECK(w.ask<child_counts>(count_children_atom::value).specs == 2);
  }
}

TEST_CASE("S9: a transient child that ended normally starts again with its group") {
  world w;
  w.spawn(tree(strategy::one_for_all, {w.probe("a", restart_type::transient), w.probe("b")}));
  w.finish("a");
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"start a", "start b"});
}

TEST_CASE("S5: a sibling that crashes while it waits to be stopped does not count again") {
  world w;
  auto c = w.probe("c", restart_type::permanent, manners::lingers);
  w.spawn(tree(strategy::one_for_all, {w.probe("a"), w.probe("b"), c}, 1));
  w.taken_log();

  w.crash("a"); // c is asked first, and takes its time
  w.crash("b");
  w.let_go("c");

  CHECK(w.running() == words{"a", "b", "c"});
  CHECK(w.root_ended.empty());
  CHECK(w.log == words{"asked c", "stop c", "start a", "start b", "start c"});
}

TEST_CASE("S5: two that crash at the same moment are one restart of the group") {
  world w;
  w.spawn(tree(strategy::one_for_all, {w.probe("a"), w.probe("b")}, 1));
  w.taken_log();

  caf::anon_send(w.probes["a"], crash_atom::value);
  caf::anon_send(w.probes["b"], crash_atom::value);
  w.settle();

  CHECK(w.running() == words{"a", "b"});
  CHECK(w.root_ended.empty());
}

TEST_CASE("S6: an earlier child that crashes while a later one waits widens the restart") {
  world w;
  auto b = w.probe("b");
  b.backoff = backoff_policy{1'000, 1'000, 0.0, 60'000};
  w.spawn(tree(strategy::rest_for_one, {w.probe("a"), b, w.probe("c")}));
  w.crash("b");
  w.crash("b"); // now it waits
  REQUIRE(w.running() == words{"a"});
  w.taken_log();

  w.crash("a");
  w.pass(1s);

  CHECK(w.log == words{"start a", "start b", "start c"});
}

TEST_CASE("S12: a restart that fails is tried again, others get in between, each try counts") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b")}, 3));
  w.taken_log();
  w.failing = {"a"};

  w.crash("a");

  CHECK(w.log ==
        words{"fail a", "fail a", "fail a", "stop b"}); // 1 restart, 2 tries; the 4th is too many
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == intensity_exceeded());
}

TEST_CASE("S12: a start that fails in a group is a failure of that child: its strategy applies") {
  world w;
  w.spawn(tree(strategy::one_for_all, {w.probe("a"), w.probe("b"), w.probe("c")}, 2));
  w.taken_log();
  w.failing = {"b"};

  w.crash("c");

  CHECK(w.log ==
        words{"stop b", "stop a", "start a", "fail b", "stop a", "start a", "fail b", "stop a"});
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S12: between two tries the supervisor answers and heals others") {
  world w;
  auto a = w.probe("a");
  a.backoff = backoff_policy{1'000, 1'000, 0.0, 60'000};
  w.spawn(tree(strategy::one_for_one, {a, w.probe("b")}));
  w.failing = {"a"};
  w.crash("a");
  w.taken_log();

  w.crash("b");
  CHECK(w.log == words{"start b"});
  CHECK(w.running() == words{"b"});
  w.failing.clear();
  w.pass(1s);

  CHECK(w.running() == words{"a", "b"});
}

TEST_CASE("S12: a child supervisor that cannot come up again is tried again, those after it wait") {
  world w;
  auto inner = tree(strategy::one_for_one, {w.probe("x")}, 0);
  inner.path = "root/inner";
  auto child = w.nested(inner);
  child.backoff = backoff_policy{1'000, 1'000, 0.0, 60'000};
  w.spawn(tree(strategy::rest_for_one, {child, w.probe("b")}));
  w.taken_log();

  w.failing = {"x"};
  w.crash("x");
  CHECK(w.log == words{"stop b", "fail x"});
  w.failing.clear();
  w.pass(1s);

  CHECK(w.log == words{"stop b", "fail x", "start x", "start b"});
  CHECK(w.root_ended.empty());
}

TEST_CASE("A7: the first restart has no delay, later ones double, a quiet time resets") {
  world w;
  auto a = w.probe("a");
  a.backoff = backoff_policy{100, 10'000, 0.0, 5'000};
  auto spec = tree(strategy::one_for_one, {a}, 100);
  w.spawn(spec);

  w.crash("a");
  CHECK(w.running() == words{"a"});
  w.crash("a");
  w.pass(99ms);
  CHECK(w.running().empty());
  w.pass(1ms);
  CHECK(w.running() == words{"a"});
  w.crash("a");
  CHECK(w.last(event_kind::restart_delayed).delay_ms == 200);
  w.pass(200ms);
  CHECK(w.running() == words{"a"});

  w.pass(5s);
  w.crash("a");
  CHECK(w.running() == words{"a"}); // at once again
}

TEST_CASE("A7: the siblings of a group are stopped before the wait, and wait with it") {
  world w;
  auto a = w.probe("a");
  a.backoff = backoff_policy{100, 10'000, 0.0, 60'000};
  w.spawn(tree(strategy::one_for_all, {w.probe("z"), a, w.probe("b")}, 100));
  w.crash("a");
  w.taken_log();

  w.crash("a");
  CHECK(w.log == words{"stop b", "stop z"});
  w.pass(100ms);

  CHECK(w.log == words{"stop b", "stop z", "start z", "start a", "start b"});
}

TEST_CASE("A7: a supervisor asked to stop does not wait for a backoff") {
  world w;
  auto a = w.probe("a");
  a.backoff = backoff_policy{60'000, 60'000, 0.0, 60'000};
  w.spawn(tree(strategy::one_for_one, {a}));
  w.crash("a");
  w.crash("a");

  stop_supervisor(w.root);
  w.settle();

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("A10: a child that had ended before it could be watched is noticed, and healed") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("x", restart_type::temporary)}));
  const auto dead = w.probes["x"];
  w.crash("x");
  auto a = w.probe("a");
  a.start = [dead, first = true, start = a.start](caf::scheduled_actor& parent) mutable {
    return std::exchange(first, false) ? start_result{dead} : start(parent);
  };
  w.events.clear();

  w.spawn(tree(strategy::one_for_one, {a}));

  CHECK(w.running() == words{"a"});
  CHECK(w.events_of(event_kind::child_crashed) == words{"root/a"});
}

TEST_CASE("B4: an exit overtakes what is queued at the child") {
  world w;
  w.spawn(tree(strategy::one_for_all, {w.probe("a")}));

  stop_supervisor(w.root); // runs first: its exit finds a child with work queued
  for (auto i = 0; i < 100; ++i)
    caf::anon_send(w.probes["a"], work_atom::value);
  w.settle();

  CHECK(w.worked == 0);
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S11: two failures that wait together and are healed by one restart count once") {
  world w;
  w.spawn(tree(strategy::one_for_all, {w.probe("a"), w.probe("b"), w.gate("gate")}, 2));
  w.stuck = {"gate"};
  w.crash("a"); // 1: all restart, and the gate does not come up
  w.crash("a");
  w.crash("b");
  w.stuck.clear();

  w.crash("gate"); // 2: a failed start, which restarts the group, and a and b with it

  CHECK(w.root_ended.empty());
  CHECK(w.running() == words{"a", "b", "gate"});
}
