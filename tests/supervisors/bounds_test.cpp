#include "supervisors/tree_bounds.hpp"
#include "tests/supervisors/world.hpp"

#include <caf/actor_cast.hpp>
#include <caf/make_actor.hpp>

#include <doctest/doctest.h>

#include <limits>

using namespace purser::supervisors;
using namespace std::chrono_literals;

namespace {

child_spec stopped_within(child_spec child, shutdown_way how) {
  child.shutdown = how;
  return child;
}

supervisor_spec at(const std::string& path, supervisor_spec spec) {
  spec.path = path;
  return spec;
}

/// An actor that never returns to the scheduler: whatever it is told, it does not end.
class never_returns final : public caf::monitorable_actor {
public:
  explicit never_returns(caf::actor_config& config) : caf::monitorable_actor(config) {}
  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override {}
  const char* name() const override { return "never_returns"; }
  void let_end() { cleanup(caf::error{caf::exit_reason::kill}, nullptr); }
};

caf::actor spawn_stuck(caf::actor_system& system) {
  caf::actor_config config;
  return caf::make_actor<never_returns, caf::actor>(system.next_actor_id(), system.node(), &system,
                                                    config);
}

void let_end(const caf::actor& who) {
  dynamic_cast<never_returns&>(*caf::actor_cast<caf::abstract_actor*>(who)).let_end();
}

} // namespace

TEST_CASE("B9: the bound of a stop is the sum of what the children may take, one after another") {
  world w;
  auto spec =
    tree(strategy::one_for_one, {stopped_within(w.probe("a"), 700ms),
                                 stopped_within(w.probe("b"), shutdown_kill{}), w.probe("c")});
  spec.stuck_after = 100ms;

  CHECK(stop_bound(spec) == 700ms + 100ms + 100ms + 5'000ms + 100ms);
}

TEST_CASE("B9: the instances of a dynamic supervisor stop together, however many there are") {
  world w;
  auto spec = w.dynamic("pool");
  spec.instances.shutdown = 700ms;
  spec.stuck_after = 100ms;

  CHECK(stop_bound(spec) == 800ms);
}

TEST_CASE("B9: a subtree counts if it is known what it is made of") {
  world w;
  const auto inner =
    at("root/inner", tree(strategy::one_for_one, {stopped_within(w.probe("x"), 1s)}));
  auto pool = w.dynamic("root/pool");
  pool.instances.shutdown = 2s;
  auto stranger = w.nested(inner);
  stranger.below = nullptr;

  CHECK(stop_bound(tree(strategy::one_for_all, {w.nested(inner), w.nested(pool)})) ==
        1s + 1s + 2s + 1s);
  CHECK_FALSE(stop_bound(tree(strategy::one_for_all, {w.nested(inner), stranger})));
}

TEST_CASE("B9: a worker that may take unlimited time has no bound, at any depth") {
  world w;
  const auto inner = at("root/inner", tree(strategy::one_for_one,
                                           {stopped_within(w.probe("x"), shutdown_unlimited{})}));

  CHECK_FALSE(stop_bound(inner));
  CHECK_FALSE(stop_bound(tree(strategy::one_for_one, {w.nested(inner)})));
}

TEST_CASE("B9: a tree of children that never end by themselves stops within its bound") {
  world w;
  const auto deaf = [&w](const std::string& id) {
    return stopped_within(w.probe(id, restart_type::permanent, manners::deaf), 300ms);
  };
  const auto inner = at("root/inner", tree(strategy::one_for_one, {deaf("x"), deaf("y")}));
  auto pool = w.dynamic("root/pool", restart_type::permanent, manners::deaf);
  pool.instances.shutdown = 400ms;
  const auto spec =
    tree(strategy::one_for_one, {deaf("a"), w.nested(inner), w.nested(pool), deaf("b")});
  w.spawn(spec);
  for (const auto* id : {"p", "q", "r"})
    w.start_instance(w.supervisors["pool"], id);

  stop_supervisor(w.root);
  w.pass(*stop_bound(spec));

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("B9: a child that never returns is reported at its bound, once, and waited for") {
  world w;
  auto a = stopped_within(w.probe("a"), 300ms);
  const auto who = spawn_stuck(w.system());
  a.start = [who](caf::scheduled_actor&) -> start_result { return who; };
  auto spec = tree(strategy::one_for_one, {a});
  spec.stuck_after = 200ms;
  w.spawn(spec);

  stop_supervisor(w.root);
  w.pass(*stop_bound(spec) - 1ms);
  CHECK(w.events_of(event_kind::child_killed) == words{"root/a"});
  CHECK(w.events_of(event_kind::child_stuck).empty());
  w.pass(1ms);
  CHECK(w.events_of(event_kind::child_stuck) == words{"root/a"});
  w.pass(1h);
  CHECK(w.events_of(event_kind::child_stuck).size() == 1);
  CHECK(w.root_ended.empty());
  let_end(who);
  w.settle();

  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("B9: an instance that never returns is reported, too, also when it is killed at once") {
  world w;
  auto spec = w.dynamic("pool");
  const auto who = spawn_stuck(w.system());
  spec.instances.start = [who](caf::scheduled_actor&, const instance&) -> start_result {
    return who;
  };
  spec.instances.shutdown = shutdown_kill{};
  spec.stuck_after = 200ms;
  const auto pool = w.spawn(spec);
  w.start_instance(pool, "a");
  w.stop_instance(pool, "a");

  stop_supervisor(pool);
  w.pass(199ms);
  CHECK(w.events_of(event_kind::child_stuck).empty());
  w.pass(1h);

  CHECK(w.events_of(event_kind::child_stuck) == words{"pool/a"});
  let_end(who);
  w.settle();
  CHECK(w.root_ended.size() == 1);
}

TEST_CASE("B9: a child that ends after it was killed is not reported as stuck") {
  world w;
  w.spawn(
    tree(strategy::one_for_one,
         {w.probe("a"), stopped_within(w.probe("b", restart_type::permanent, manners::deaf), 300ms),
          w.probe("c", restart_type::permanent, manners::deaf)}));

  stop_supervisor(w.root);
  w.pass(1h);

  CHECK(w.events_of(event_kind::child_killed) == words{"root/c", "root/b"});
  CHECK(w.events_of(event_kind::child_stuck).empty());
}

TEST_CASE("S19: the restarts below a top are bounded by the product of what each level survives") {
  world w;
  const auto level = [&w](const std::string& path, std::uint32_t intensity, child_spec child) {
    return at(path, tree(strategy::one_for_one, {std::move(child)}, intensity));
  };
  for (std::uint32_t top = 0; top < 3; ++top)
    for (std::uint32_t middle = 0; middle < 3; ++middle)
      for (std::uint32_t low = 0; low < 3; ++low) {
        const auto spec =
          level("root", top,
                w.nested(level("root/middle", middle,
                               w.nested(level("root/middle/low", low, w.probe("x"))))));
        w.taken_log();
        w.root_ended.clear();
        w.spawn(spec);

        while (w.root_ended.empty())
          w.crash("x");

        CHECK(w.log.size() == *restart_bound(spec) + 1); // the first start is no restart
        CHECK(restart_bound(spec) == (top + 1) * (middle + 1) * (low + 1) - 1);
      }
}

TEST_CASE("S19: the worst path counts, and what is not known has no bound") {
  world w;
  const auto inner = at("root/inner", tree(strategy::one_for_one, {w.probe("x")}, 4));
  const auto pool = w.dynamic("root/pool", restart_type::permanent, manners::obeys, 9);
  auto stranger = w.nested(inner);
  stranger.below = nullptr;

  CHECK(restart_bound(tree(strategy::one_for_one, {}, 3)) == 3);
  CHECK(restart_bound(tree(strategy::one_for_one, {w.nested(inner), w.nested(pool)}, 1)) == 19);
  CHECK_FALSE(restart_bound(tree(strategy::one_for_one, {w.nested(inner), stranger}, 1)));
}

TEST_CASE("S19: a bound beyond all numbers is the largest number") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  constexpr auto many = 4'000'000'000U;
  const auto below = [](const std::string& path, const supervisor_spec& spec) {
    return at(path, tree(strategy::one_for_one, {supervisor_child(spec, {})}, many));
  };
  const auto two = below("a/b", at("a/b/c", tree(strategy::one_for_one, {}, many)));

  CHECK(restart_bound(two) == (std::uint64_t{many} + 1) * (std::uint64_t{many} + 1) - 1);
  CHECK(restart_bound(below("a", two)) == most);
  CHECK(restart_bound(below("top", below("a", two))) == most);
}
