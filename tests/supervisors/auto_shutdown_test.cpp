#include "supervisors/restart_plan.hpp"
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;

namespace {

child_spec significant(world& w, const std::string& id,
                       restart_type restart = restart_type::transient) {
  auto child = w.probe(id, restart);
  child.significant = true;
  return child;
}

supervisor_spec ending(auto_shutdown when, std::vector<child_spec> children,
                       strategy how = strategy::one_for_one) {
  auto spec = tree(how, std::move(children));
  spec.auto_shutdown = when;
  return spec;
}

} // namespace

TEST_CASE("S16: any_significant: the first significant child that ends by itself ends all") {
  world w;
  w.spawn(ending(auto_shutdown::any_significant,
                 {w.probe("a"), significant(w, "b"), significant(w, "c")}));
  w.taken_log();

  w.finish("b");

  CHECK(w.log == words{"stop c", "stop a"});
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == caf::exit_reason::user_shutdown); // in order
  CHECK(w.events_of(event_kind::auto_shutdown) == words{"root"});
}

TEST_CASE("S16: all_significant: only the last one that ends by itself ends all") {
  world w;
  w.spawn(ending(auto_shutdown::all_significant,
                 {significant(w, "a"), w.probe("b"), significant(w, "c")}));

  w.finish("a");
  CHECK(w.root_ended.empty());
  w.finish("c");

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S16: a significant child that is restarted has not ended") {
  world w;
  w.spawn(ending(auto_shutdown::any_significant, {significant(w, "a")}));

  w.crash("a");

  CHECK(w.running() == words{"a"});
}

TEST_CASE("S16: a temporary significant child ends its supervisor also when it crashes") {
  world w;
  w.spawn(ending(auto_shutdown::any_significant,
                 {significant(w, "a", restart_type::temporary), w.probe("b")}));

  w.crash("a");

  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == caf::exit_reason::user_shutdown);
}

TEST_CASE("S16: a child that is not significant, or is stopped for a sibling, ends nothing") {
  world w;
  w.spawn(ending(auto_shutdown::any_significant,
                 {w.probe("a"), significant(w, "b", restart_type::temporary),
                  w.probe("c", restart_type::transient)},
                 strategy::one_for_all));

  w.finish("c");
  w.crash("a"); // stops "b", whose spec is dropped

  CHECK(w.running() == words{"a", "c"});
  CHECK(w.root_ended.empty());
}

TEST_CASE("S16: all_significant waits for one that ended and is about to be restarted") {
  world w;
  auto b = significant(w, "b");
  b.backoff = backoff_policy{1'000, 1'000, 0.0, 60'000};
  w.spawn(ending(auto_shutdown::all_significant, {significant(w, "a"), b}));
  w.crash("b");
  w.crash("b"); // now it waits
  REQUIRE(w.running() == words{"a"});

  w.finish("a");
  CHECK(w.root_ended.empty());
  w.pass(std::chrono::milliseconds{1'000});
  w.finish("b");

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S16: all_significant counts one whose crash has not been looked at yet") {
  world w;
  w.spawn(ending(auto_shutdown::all_significant,
                 {significant(w, "a"), significant(w, "b"), w.probe("c"), w.gate("gate")},
                 strategy::rest_for_one));
  w.stuck = {"gate"};
  w.crash("c"); // and until the gate is up nothing else is begun
  w.finish("a");
  w.crash("b");
  w.stuck.clear();

  w.crash("gate"); // its start failed: now a and b have their turn

  CHECK(w.root_ended.empty());
  CHECK(w.running() == words{"b", "c", "gate"});
}

TEST_CASE("S16: the parent sees an orderly end: a transient supervisor stays down") {
  for (const auto restart : {restart_type::transient, restart_type::permanent}) {
    world w;
    auto inner = ending(auto_shutdown::any_significant, {significant(w, "x")});
    inner.path = "root/inner";
    w.spawn(tree(strategy::one_for_one, {w.nested(inner, restart), w.probe("a")}));

    w.finish("x");

    CHECK(w.running() == (restart == restart_type::transient ? words{"a"} : words{"inner", "a"}));
    CHECK(w.events_of(event_kind::escalated).empty());
  }
}

TEST_CASE("S16: a dynamic supervisor ends with its last instance that ends by itself") {
  world w;
  auto spec = w.dynamic("pool", restart_type::transient);
  spec.auto_shutdown = auto_shutdown::all_significant;
  spec.instances.significant = true;
  const auto pool = w.spawn(spec);
  for (const auto* id : {"a", "b", "c"})
    w.start_instance(pool, id);

  w.finish("a");
  w.stop_instance(pool, "b"); // as asked
  CHECK(w.root_ended.empty());
  w.finish("c");

  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == caf::exit_reason::user_shutdown);
}

TEST_CASE("S16: an instance that is on its way out as asked does not keep its supervisor") {
  world w;
  auto spec = w.dynamic("pool", restart_type::transient, manners::lingers);
  spec.auto_shutdown = auto_shutdown::all_significant;
  spec.instances.significant = true;
  spec.instances.shutdown = shutdown_unlimited{};
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "a");
  w.start_instance(pool, "b");
  w.stop_instance(pool, "b");

  w.finish("a");
  CHECK(w.events_of(event_kind::auto_shutdown) == words{"pool"});
  CHECK(w.root_ended.empty());
  w.let_go("b");

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("S16: an instance that is stopped as asked does not end its supervisor") {
  world w;
  auto spec = w.dynamic("pool", restart_type::transient);
  spec.auto_shutdown = auto_shutdown::any_significant;
  spec.instances.significant = true;
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "a");

  w.stop_instance(pool, "a");

  CHECK(w.root_ended.empty());
}

TEST_CASE("S16: the dry check refuses what can have no effect") {
  world w;
  const auto fields = [](const supervisor_spec& spec) {
    words all;
    for (const auto& error : check(spec))
      all.push_back(error.child + ":" + error.field);
    return all;
  };

  CHECK(supervisor_spec{}.auto_shutdown == auto_shutdown::never);
  CHECK(fields(ending(auto_shutdown::any_significant,
                      {significant(w, "a", restart_type::permanent), significant(w, "b")})) ==
        words{"a:significant"});
  CHECK(fields(ending(auto_shutdown::never, {significant(w, "a")})) == words{"a:significant"});
  CHECK(fields(ending(auto_shutdown::all_significant,
                      {significant(w, "a"), significant(w, "b", restart_type::temporary)}))
          .empty());
}
