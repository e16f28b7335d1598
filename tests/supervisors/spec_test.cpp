#include "supervisors/restart_plan.hpp"
#include "supervisors/tree_bounds.hpp"
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace purser::supervisors;
using namespace std::chrono_literals;

namespace {

child_spec worker(const std::string& id) {
  child_spec spec;
  spec.id = id;
  spec.start = [](caf::local_actor&) -> start_result { return ignore_child{}; };
  return spec;
}

words fields(const std::vector<spec_error>& errors) {
  words all;
  for (const auto& error : errors)
    all.push_back(error.child + ":" + error.field);
  return all;
}

} // namespace

TEST_CASE("S21: a good spec has no errors") {
  CHECK(check(tree(strategy::one_for_one, {worker("a"), worker("b")})).empty());
}

TEST_CASE("S21: the dry check reports every mistake once, with its field") {
  auto nothing = worker("a");
  nothing.start = nullptr;
  auto negative = worker("b");
  negative.shutdown = std::chrono::milliseconds{-1};
  auto hasty = worker("c");
  hasty.type = child_type::supervisor;
  hasty.shutdown = 5s;
  auto killed = worker("d");
  killed.type = child_type::supervisor;
  killed.shutdown = shutdown_kill{};
  auto wild = worker("e");
  wild.backoff = backoff_policy{-1, -2, std::numeric_limits<double>::quiet_NaN(), -1};
  auto spec = tree(strategy::one_for_one, {nothing, negative, hasty, killed, wild, worker(""),
                                           worker("f/g"), worker("a")});
  spec.children.back().below = std::make_shared<subtree_spec>();
  spec.path = "";
  spec.period = 0ms;
  spec.stuck_after = 0ms;

  CHECK(fields(check(spec)) ==
        words{":path", ":period", ":stuck_after", "a:start", "b:shutdown", "c:shutdown",
              "d:shutdown", "e:backoff.min_ms", "e:backoff.max_ms", "e:backoff.jitter",
              "e:backoff.reset_after_ms", ":id", "f/g:id", "a:id", "a:below"});
}

TEST_CASE("S21: a supervisor with a wrong spec is not spawned") {
  world w;

  CHECK_THROWS_AS(spawn_supervisor(w.system(), supervisor_spec{}, {}), std::invalid_argument);
}

TEST_CASE("S21: which_children and count_children tell what runs") {
  world w;
  auto inner = tree(strategy::one_for_one, {w.probe("x")});
  inner.path = "root/inner";
  w.spawn(tree(strategy::one_for_one,
               {w.probe("a"), w.probe("b", restart_type::transient), w.nested(inner)}));
  w.crash("a");
  w.finish("b");

  const auto all = w.ask<std::vector<child_info>>(which_children_atom::value);
  const auto counts = w.ask<child_counts>(count_children_atom::value);

  REQUIRE(all.size() == 3);
  CHECK(all[0].id == "a");
  CHECK(all[0].restarts == 1);
  CHECK(all[0].handle == w.probes["a"]);
  CHECK(all[0].last_cause.find("boom") != std::string::npos);
  CHECK_FALSE(all[1].running);
  CHECK(all[1].handle == nullptr);
  CHECK(all[2].type == child_type::supervisor);
  CHECK(counts.specs == 3);
  CHECK(counts.active == 2);
  CHECK(counts.supervisors == 1);
  CHECK(counts.workers == 2);
}

TEST_CASE("S21: a child's spec can be asked for, one that does not exist is an error") {
  world w;
  w.spawn(tree(strategy::one_for_one, {w.probe("a", restart_type::transient)}));

  CHECK(w.ask<child_spec>(child_spec_atom::value, std::string{"a"}).restart ==
        restart_type::transient);
  CHECK(w.ask<child_spec>(child_spec_atom::value, std::string{"b"}).id.empty());
}

TEST_CASE("S4: the plan for one_for_one touches nobody else") {
  const std::vector<child_spec> children{worker("a"), worker("b"), worker("c")};

  const auto plan = plan_restart(strategy::one_for_one, children, {true, false, true}, 1);

  CHECK(plan.stop.empty());
  CHECK(plan.start == std::vector<std::size_t>{1});
}

TEST_CASE("S6: the plan for rest_for_one stops only what runs, in reverse") {
  const std::vector<child_spec> children{worker("a"), worker("b"), worker("c"), worker("d")};

  const auto plan = plan_restart(strategy::rest_for_one, children, {true, false, false, true}, 1);

  CHECK(plan.stop == std::vector<std::size_t>{3});
  CHECK(plan.start == std::vector<std::size_t>{1, 2, 3});
}

TEST_CASE("A7: backoff doubles from min to max") {
  const backoff_policy policy{100, 1'000, 0.0, 0};

  CHECK(backoff_ms(policy, 1, 0.5) == 100);
  CHECK(backoff_ms(policy, 2, 0.5) == 200);
  CHECK(backoff_ms(policy, 4, 0.5) == 800);
  CHECK(backoff_ms(policy, 5, 0.5) == 1'000);
  CHECK(backoff_ms(policy, 4'000'000'000U, 0.5) == 1'000);
}

TEST_CASE("A7: jitter spreads a delay by its fraction, both ways") {
  const backoff_policy policy{1'000, 1'000, 0.2, 0};

  CHECK(backoff_ms(policy, 1, 0.0) == 800);
  CHECK(backoff_ms(policy, 1, 0.5) == 1'000);
  CHECK(backoff_ms(policy, 1, 0.999'999) == 1'200);
}
