#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace purser::supervisors;
using namespace std::chrono_literals;

TEST_CASE("S1: children start one after another in list order, then the supervisor is up") {
  world w;

  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b"), w.probe("c")}));

  CHECK(w.log == words{"start a", "start b", "start c"});
  CHECK(w.started == words{""});
  CHECK(w.events_of(event_kind::child_started) == words{"root/a", "root/b", "root/c"});
}

TEST_CASE("S1: a child after a child supervisor starts only when all below that are up") {
  world w;
  auto inner = tree(strategy::one_for_one, {w.probe("x"), w.probe("y")});
  inner.path = "root/inner";

  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.nested(inner), w.probe("b")}));

  CHECK(w.log == words{"start a", "start x", "start y", "start b"});
  CHECK(w.started == words{""});
}

TEST_CASE("S2: a failed first start stops those already up in reverse and names the child") {
  world w;
  w.failing = {"c"};

  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b"), w.probe("c"), w.probe("d")}));

  CHECK(w.log == words{"start a", "start b", "fail c", "stop b", "stop a"});
  REQUIRE(w.started.size() == 1);
  CHECK(w.started[0] == "root: c could not be started: no luck");
  CHECK(w.log_at_start == w.log.size()); // told when all are down again
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == start_failed());
}

TEST_CASE("S2: a supervisor whose only child fails to start ends") {
  world w;
  w.failing = {"a"};

  w.spawn(tree(strategy::one_for_one, {w.probe("a")}));

  CHECK(w.root_ended.size() == 1);
  CHECK(w.started.size() == 1);
}

TEST_CASE("S2: a start function that throws has failed") {
  world w;
  auto a = w.probe("a");
  a.start = [](caf::local_actor&) -> start_result { throw std::runtime_error("bad file"); };

  w.spawn(tree(strategy::one_for_one, {a}));

  REQUIRE(w.started.size() == 1);
  CHECK(w.started[0] == "root: a could not be started: bad file");
}

TEST_CASE("S2: a failure deep in the first start fails every level and names the innermost child") {
  world w;
  w.failing = {"x"};
  auto inner = tree(strategy::one_for_one, {w.probe("x")});
  inner.path = "root/inner";

  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.nested(inner)}));

  CHECK(w.log == words{"start a", "fail x", "stop a"});
  REQUIRE(w.started.size() == 1);
  CHECK(w.started[0].find("x could not be started") != std::string::npos);
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE(
  "S2: a child supervisor that ends before it is up fails the start, even if it ends normally") {
  world w;
  w.stuck = {"gate"};
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.gate("gate"), w.probe("b")}));
  CHECK(w.started.empty());

  w.finish("gate");

  REQUIRE(w.started.size() == 1);
  CHECK(w.started[0].starts_with("root: gate could not be started"));
  CHECK(w.root_ended.size() == 1);
  CHECK(w.log == words{"start a", "start gate", "stop a"});
}

TEST_CASE("S2: a child that says ignore keeps its spec, unless it is temporary") {
  world w;
  w.ignoring = {"a", "b"};

  w.spawn(tree(strategy::one_for_one,
               {w.probe("a"), w.probe("b", restart_type::temporary), w.probe("c")}));

  CHECK(w.running() == words{"c"});
  const auto counts = w.ask<child_counts>(count_children_atom::value);
  CHECK(counts.specs == 2);
  CHECK(counts.active == 1);
  CHECK(w.events_of(event_kind::child_ignored) == words{"root/a", "root/b"});
}

TEST_CASE("S3: stop order is the reverse of start order, then it ends with the reason asked") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), w.probe("b"), w.probe("c")}));
  w.taken_log();

  stop_supervisor(w.root);
  w.settle();

  CHECK(w.log == words{"stop c", "stop b", "stop a"});
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == caf::exit_reason::user_shutdown);
}

TEST_CASE("S3: the next child is asked to stop only when the one before has ended") {
  world w;
  auto b = w.probe("b", restart_type::permanent, manners::lingers);
  b.shutdown = shutdown_unlimited{};
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), b}));
  w.taken_log();

  stop_supervisor(w.root);
  w.pass(1h);
  CHECK(w.log == words{"asked b"});
  w.let_go("b");

  CHECK(w.log == words{"asked b", "stop b", "stop a"});
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S13: kill ends a child at once, without asking") {
  world w;
  auto a = w.probe("a", restart_type::permanent, manners::deaf);
  a.shutdown = shutdown_kill{};
  w.spawn(tree(strategy::one_for_one, {a}));
  w.taken_log();

  stop_supervisor(w.root);
  w.settle();

  CHECK(w.log.empty());
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S13: a deaf child is killed when its shutdown time has passed, not before") {
  world w;
  auto a = w.probe("a", restart_type::permanent, manners::deaf);
  a.shutdown = 700ms;
  w.spawn(tree(strategy::one_for_one, {a}));

  stop_supervisor(w.root);
  w.pass(699ms);
  CHECK(w.root_ended.empty());
  w.pass(1ms);

  CHECK(w.root_ended.size() == 1);
  CHECK(w.events_of(event_kind::child_killed) == words{"root/a"});
}

TEST_CASE("S13: the default is 5 s for a worker and unlimited for a supervisor") {
  child_spec worker;
  child_spec inner;
  inner.type = child_type::supervisor;

  CHECK(std::get<std::chrono::milliseconds>(shutdown_of(worker)) == 5s);
  CHECK(std::holds_alternative<shutdown_unlimited>(shutdown_of(inner)));
}

TEST_CASE("S13: the shutdown time of one child does not kill the next") {
  world w;
  auto a = w.probe("a", restart_type::permanent, manners::lingers);
  auto b = w.probe("b", restart_type::permanent, manners::lingers);
  a.shutdown = 1'000ms;
  b.shutdown = 1'000ms;
  w.spawn(tree(strategy::one_for_one, {a, b}));
  stop_supervisor(w.root);
  w.pass(900ms);
  w.let_go("b"); // in time; its timer still fires at 1000 ms

  w.pass(900ms);

  CHECK(w.events_of(event_kind::child_killed).empty());
  CHECK(w.root_ended.empty());
}

TEST_CASE("S14: a linked child's own exit message neither stops nor hangs its supervisor") {
  world w;
  auto a = w.probe("a");
  a.start = [&w](caf::local_actor& parent) -> start_result {
    const auto who = parent.home_system().spawn(
      [](caf::event_based_actor* self, caf::exit_reason why) {
        return caf::behavior{[self, why](crash_atom) { self->quit(why); }};
      },
      caf::exit_reason::user_shutdown);
    parent.link_to(who);
    w.probes["a"] = who;
    return who;
  };
  w.spawn(tree(strategy::one_for_one, {a}));

  w.crash("a");
  CHECK(w.running() == words{"a"});
  stop_supervisor(w.root);
  w.settle();

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S15: an unexpected reason while stopping is reported, not escalated") {
  world w;
  w.spawn(tree(strategy::one_for_one,
               {w.probe("a"), w.probe("b", restart_type::permanent, manners::ends_badly)}));

  stop_supervisor(w.root);
  w.settle();

  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == caf::exit_reason::user_shutdown);
  CHECK(w.events_of(event_kind::child_crashed).empty());
  CHECK(w.events_of(event_kind::child_stopped) == words{"root/b", "root/a"});
  CHECK(w.last(event_kind::child_stopped).cause.empty());
  const auto b = std::find_if(w.events.begin(), w.events.end(), [](const auto& event) {
    return event.path == "root/b" && event.kind == event_kind::child_stopped;
  });
  CHECK_FALSE(b->cause.empty());
}

TEST_CASE("S14: a supervisor that is killed leaves no child behind") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a", restart_type::permanent, manners::deaf)}));
  auto ended = 0;
  w.probes["a"]->attach_functor([&ended](const caf::error&) { ++ended; });

  caf::anon_send<caf::message_priority::high>(
    w.root, caf::exit_msg{caf::actor_addr{}, caf::exit_reason::kill});
  w.settle();

  CHECK(w.root_ended.size() == 1);
  CHECK(ended == 1);
}

TEST_CASE("S18: a stop that takes long blocks only its supervisor, which still answers") {
  world w;
  auto slow = w.probe("slow", restart_type::permanent, manners::lingers);
  slow.shutdown = shutdown_unlimited{};
  w.spawn(tree(strategy::one_for_all, {w.probe("a"), slow}));

  w.crash("a");

  CHECK(w.ask<child_counts>(count_children_atom::value).active == 1); // only "slow" is still there
  w.let_go("slow");
  CHECK(w.running() == words{"a", "slow"});
}
