#include "supervisors/dynamic_supervisor.hpp"
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;
using namespace std::chrono_literals;

namespace {

instance with_id(const std::string& id) {
  return {id, {}};
}

} // namespace

TEST_CASE("S7: instances of one template are started and stopped while it runs") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool"));
  CHECK(w.started == words{""}); // without any instance it is up

  CHECK(w.start_instance(pool, "a", caf::make_message(7)) == "");
  CHECK(w.start_instance(pool, "b") == "");
  CHECK(w.running() == words{"a", "b"});
  CHECK(w.arguments["a"] == "(7)");
  CHECK(w.stop_instance(pool, "a") == "");

  CHECK(w.running() == words{"b"});
  CHECK(w.log == words{"start a", "start b", "stop a"});
  CHECK(w.events_of(event_kind::child_forgotten) == words{"pool/a"});
}

TEST_CASE("S7: only the instance that crashed is restarted, with its arguments") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool"));
  w.start_instance(pool, "a", caf::make_message(7));
  w.start_instance(pool, "b");
  w.taken_log();
  w.arguments.clear();

  w.crash("a");

  CHECK(w.log == words{"start a"});
  CHECK(w.arguments["a"] == "(7)");
  CHECK(w.running() == words{"a", "b"});
}

TEST_CASE("S7: an id that is taken, unknown or no part of a path is refused") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool"));
  w.start_instance(pool, "a");

  CHECK(w.start_instance(pool, "a").find("pool has a child a") != std::string::npos);
  CHECK(w.start_instance(pool, "a/b").find("part of a path") != std::string::npos);
  CHECK(w.start_instance(pool, "").find("part of a path") != std::string::npos);
  CHECK(w.stop_instance(pool, "b").find("pool has no child b") != std::string::npos);
  CHECK(w.running() == words{"a"});
}

TEST_CASE("S7: a first start that fails is told to who asked, and nothing is kept or counted") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool", restart_type::permanent, manners::obeys, 0));
  w.failing = {"a"};

  CHECK(w.start_instance(pool, "a") == "start_failed: no luck");

  CHECK(w.running().empty());
  CHECK(w.root_ended.empty());
  w.failing.clear();
  CHECK(w.start_instance(pool, "a") == "");
}

TEST_CASE("S7: an instance that says ignore is not kept") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool"));
  w.ignoring = {"a"};

  CHECK(w.start_instance(pool, "a") == "");

  CHECK(w.ask<child_counts>(count_children_atom::value).specs == 0);
}

TEST_CASE("S8: a transient instance that ended normally and a temporary one are forgotten") {
  for (const auto how : {restart_type::transient, restart_type::temporary}) {
    world w;
    const auto pool = w.spawn(w.dynamic("pool", how));
    w.start_instance(pool, "a");

    how == restart_type::temporary ? w.crash("a") : w.finish("a");

    CHECK(w.ask<child_counts>(count_children_atom::value).specs == 0);
    CHECK(w.start_instance(pool, "a") == ""); // the id is free
  }
}

TEST_CASE("S10: all instances share one intensity") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool", restart_type::permanent, manners::obeys, 1));
  for (const auto* id : {"a", "b", "c"})
    w.start_instance(pool, id);
  w.crash("a");
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"stop c", "stop a"});
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == intensity_exceeded());
}

TEST_CASE("S3: instances are stopped together under one timer") {
  world w;
  auto spec = w.dynamic("pool", restart_type::permanent, manners::deaf);
  spec.instances.shutdown = 700ms;
  const auto pool = w.spawn(spec);
  for (const auto* id : {"a", "b", "c"})
    w.start_instance(pool, id);
  w.taken_log();

  stop_supervisor(pool);
  w.settle();
  CHECK(w.log == words{"asked c", "asked b", "asked a"});
  w.pass(699ms);
  CHECK(w.root_ended.empty());
  w.pass(1ms);

  CHECK(w.events_of(event_kind::child_killed).size() == 3);
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == caf::exit_reason::user_shutdown);
}

TEST_CASE("S12: a restart of an instance that fails is tried again by message, and counts") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool", restart_type::permanent, manners::obeys, 3));
  w.start_instance(pool, "a");
  w.start_instance(pool, "b");
  w.taken_log();
  w.failing = {"a"};

  w.crash("a");

  CHECK(w.log == words{"fail a", "fail a", "fail a", "stop b"});
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S18: one instance that takes long to stop holds up no other") {
  world w;
  auto spec = w.dynamic("pool", restart_type::permanent, manners::lingers);
  spec.instances.shutdown = shutdown_unlimited{};
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "slow");

  CHECK(w.stop_instance(pool, "slow") == "no answer");
  CHECK(w.start_instance(pool, "b") == "");
  w.crash("b");
  CHECK(w.running() == words{"slow", "b"});
  w.let_go("slow");

  CHECK(w.running() == words{"b"});
}

TEST_CASE("A7: an instance waits for its backoff, and can be stopped while it does") {
  world w;
  auto spec = w.dynamic("pool");
  spec.instances.backoff = backoff_policy{100, 1'000, 0.0, 60'000};
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "a");
  w.start_instance(pool, "b");
  for (const auto* id : {"a", "a", "b", "b"})
    w.crash(id);
  CHECK(w.running().empty());

  CHECK(w.stop_instance(pool, "b") == "");
  w.pass(100ms);

  CHECK(w.running() == words{"a"});
  CHECK(w.last(event_kind::child_restarted).healing_us == 100'000);
}

TEST_CASE("S17: a dynamic supervisor that is restarted has forgotten its instances") {
  world w;
  w.spawn(tree(strategy::one_for_one,
               {w.nested(w.dynamic("root/pool", restart_type::permanent, manners::obeys, 0))}));
  w.start_instance(w.supervisors["pool"], "a");
  w.start_instance(w.supervisors["pool"], "b");
  w.taken_log();

  w.crash("a");

  CHECK(w.log == words{"stop b"});
  CHECK(w.running() == words{"pool"});
  w.root = w.supervisors["pool"];
  CHECK(w.running().empty());
}

TEST_CASE("B6: what must run again after its restart is asked for, not remembered") {
  world w;
  auto spec = w.dynamic("root/pool", restart_type::permanent, manners::obeys, 0);
  std::vector<instance> journal{with_id("a")};
  spec.recall = [&journal] { return journal; };
  w.spawn(tree(strategy::one_for_one, {w.nested(spec), w.probe("after")}));
  CHECK(w.log == words{"start a", "start after"}); // S1: it is up when these are
  w.start_instance(w.supervisors["pool"], "b");
  w.start_instance(w.supervisors["pool"], "c");
  journal = {with_id("a"), with_id("c")}; // all but "b" have to go on
  w.taken_log();

  w.crash("b");

  CHECK(w.log == words{"stop c", "stop a", "start a", "start c"});
}

TEST_CASE("S2: a recalled instance that fails to start, or is named twice, fails the start") {
  world w;
  auto spec = w.dynamic("pool");
  spec.recall = [] { return std::vector{with_id("a"), with_id("b")}; };
  w.failing = {"b"};

  w.spawn(spec);

  CHECK(w.log == words{"start a", "fail b", "stop a"});
  CHECK(w.started == words{"pool: b could not be started: no luck"});
  w.failing.clear();
  spec.recall = [] { return std::vector{with_id("a"), with_id("a")}; };
  w.spawn(spec);
  CHECK(w.started.back() == "pool: recall: pool has a child a");
  CHECK(w.root_ended.size() == 2);
}

TEST_CASE("S2: a recall that throws fails the start") {
  world w;
  auto spec = w.dynamic("pool");
  spec.recall = []() -> std::vector<instance> { throw std::runtime_error("no journal"); };

  w.spawn(spec);

  CHECK(w.started == words{"pool: recall failed: no journal"});
}

TEST_CASE("S7: instances may be supervisors: who asked for one hears when all below it are up") {
  world w;
  dynamic_supervisor_spec spec;
  spec.path = "pool";
  spec.instances.type = child_type::supervisor;
  auto inner = tree(strategy::one_for_one, {w.gate("gate")}, 0);
  inner.path = "pool/inner";
  spec.instances.start = [inner](caf::scheduled_actor& parent, const instance&) -> start_result {
    return spawn_supervisor(parent, inner, {});
  };
  const auto pool = w.spawn(spec);
  w.stuck = {"gate"};

  CHECK(w.start_instance(pool, "inner") == "no answer");
  w.crash("gate"); // the inner start fails
  CHECK(w.running().empty());
  w.stuck.clear();

  CHECK(w.start_instance(pool, "inner") == "");
  CHECK(w.running() == words{"inner"});
}

TEST_CASE("S13: an instance is asked, then killed, also when it is stopped alone") {
  world w;
  auto spec = w.dynamic("pool", restart_type::permanent, manners::deaf);
  spec.instances.shutdown = 300ms;
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "a");
  w.start_instance(pool, "b");

  w.stop_instance(pool, "a");
  w.pass(200ms);
  w.stop_instance(pool, "b"); // has a time of its own
  w.pass(99ms);
  CHECK(w.running() == words{"a", "b"});
  w.pass(1ms);
  CHECK(w.running() == words{"b"});
  w.pass(200ms);

  CHECK(w.running().empty());
  CHECK(w.events_of(event_kind::child_killed) == words{"pool/a", "pool/b"});
}

TEST_CASE("S14: a dynamic supervisor that is killed leaves no instance behind") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool", restart_type::permanent, manners::deaf));
  w.start_instance(pool, "a");
  auto ended = 0;
  w.probes["a"]->attach_functor([&ended](const caf::error&) { ++ended; });

  caf::anon_send<caf::message_priority::high>(
    pool, caf::exit_msg{caf::actor_addr{}, caf::exit_reason::kill});
  w.settle();

  CHECK(ended == 1);
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S14: the exit of an instance that was started linked does not stop its supervisor") {
  world w;
  auto spec = w.dynamic("pool", restart_type::temporary);
  spec.instances.start = [&w, start = spec.instances.start](caf::scheduled_actor& parent,
                                                            const instance& which) {
    auto result = start(parent, which);
    parent.link_to(w.probes.at(which.id));
    return result;
  };
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "a");
  w.start_instance(pool, "b");

  w.crash("a");

  CHECK(w.running() == words{"b"});
}

TEST_CASE("S21: an instance's spec can be asked for, and starts the same again") {
  world w;
  const auto pool = w.spawn(w.dynamic("pool", restart_type::transient));
  w.start_instance(pool, "a");

  const auto spec = w.ask<child_spec>(child_spec_atom::value, std::string{"a"});

  CHECK(spec.id == "a");
  CHECK(spec.restart == restart_type::transient);
  CHECK(static_cast<bool>(spec.start));
  CHECK(w.ask<child_spec>(child_spec_atom::value, std::string{"b"}).id.empty());
}

TEST_CASE("S21: the dry check of a dynamic supervisor reports every mistake once") {
  dynamic_supervisor_spec spec;
  spec.period = 0ms;
  spec.stuck_after = 0ms;
  spec.instances.shutdown = std::chrono::milliseconds{-1};
  spec.instances.significant = true;
  words fields;
  for (const auto& error : check(spec))
    fields.push_back(error.child + ":" + error.field);

  CHECK(fields == words{":path", ":period", ":stuck_after", "instances:start", "instances:shutdown",
                        "instances:significant", "instances:significant"});
  world w;
  CHECK_THROWS_AS(spawn_dynamic_supervisor(w.system(), spec, {}), std::invalid_argument);
}
