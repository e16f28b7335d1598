#include "tests/supervisors/fixture.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace purser::supervisors;
using namespace std::chrono_literals;
using tests::fixture;

namespace {

supervisor_spec spec(strategy how, std::vector<child_spec> children,
                     std::uint32_t intensity = 100) {
  return {"root", how, intensity, 5'000ms, std::move(children)};
}

} // namespace

TEST_CASE("S1: children start one after another in list order, and then the supervisor is up") {
  fixture f;

  f.start(spec(strategy::one_for_one, {f.worker("a"), f.worker("b"), f.worker("c")}));

  CHECK(f.take_log() == "+a +b +c");
  CHECK(f.started == std::vector<std::string>{""});
}

TEST_CASE("S2: a child that fails at the first start stops those that are up, in reverse order") {
  fixture f;
  f.starts_to_fail["c"] = 1;

  f.start(
    spec(strategy::one_for_one, {f.worker("a"), f.worker("b"), f.worker("c"), f.worker("d")}));

  CHECK(f.take_log() == "+a +b -b -a");
  CHECK_FALSE(f.supervisor_is_up());
  CHECK(f.end_reason == start_failed());
  REQUIRE(f.started.size() == 1);
  CHECK(f.started[0] == "root: c could not be started: told to");
}

TEST_CASE("S2: a child that says ignore keeps its spec, and nothing runs") {
  fixture f;
  auto ignored = f.worker("b");
  ignored.start = [](caf::scheduled_actor&) -> start_result { return ignore_child{}; };

  f.start(spec(strategy::one_for_one, {f.worker("a"), std::move(ignored)}));

  CHECK(f.take_log() == "+a");
  CHECK(f.supervisor_is_up());
}

TEST_CASE("S3: children stop in the reverse order of their start") {
  fixture f;
  f.start(spec(strategy::one_for_one, {f.worker("a"), f.worker("b"), f.worker("c")}));
  f.take_log();

  f.stop();

  CHECK(f.take_log() == "-c -b -a");
  CHECK_FALSE(f.supervisor_is_up());
}

TEST_CASE("S4: one_for_one restarts only the dead child") {
  fixture f;
  f.start(spec(strategy::one_for_one, {f.worker("a"), f.worker("b"), f.worker("c")}));
  f.take_log();

  f.crash("b");

  CHECK(f.take_log() == "-b +b");
}

TEST_CASE("S5: one_for_all stops all others in reverse order, then starts all in order") {
  fixture f;
  f.start(spec(strategy::one_for_all, {f.worker("a"), f.worker("b"), f.worker("c")}));
  f.take_log();

  f.crash("b");

  CHECK(f.take_log() == "-b -c -a +a +b +c");
}

TEST_CASE("S6: rest_for_one stops and starts those that were started after it") {
  fixture f;
  f.start(
    spec(strategy::rest_for_one, {f.worker("a"), f.worker("b"), f.worker("c"), f.worker("d")}));
  f.take_log();

  f.crash("b");

  CHECK(f.take_log() == "-b -d -c +b +c +d");
}

TEST_CASE("S8: permanent comes back always, transient only after a crash, temporary never") {
  fixture f;
  f.start(spec(strategy::one_for_one,
               {f.worker("p"), f.worker("t", restart_type::transient),
                f.worker("u", restart_type::transient), f.worker("x", restart_type::temporary)}));
  f.take_log();

  f.end_normally("p");
  CHECK(f.take_log() == "-p +p");
  f.crash("t");
  CHECK(f.take_log() == "-t +t");
  f.end_normally("u");
  CHECK(f.take_log() == "-u");
  f.crash("x");
  CHECK(f.take_log() == "-x");
}

TEST_CASE("S8: a temporary child that is stopped for a sibling is not brought back") {
  fixture f;
  f.start(spec(strategy::one_for_all, {f.worker("a"), f.worker("x", restart_type::temporary)}));
  f.take_log();

  f.crash("a");

  CHECK(f.take_log() == "-a -x +a");
}

TEST_CASE("S9: a transient child that ended normally does not bring its siblings down") {
  fixture f;
  f.start(spec(strategy::one_for_all, {f.worker("a"), f.worker("t", restart_type::transient)}));
  f.take_log();

  f.end_normally("t");

  CHECK(f.take_log() == "-t");
}

TEST_CASE("S10: more than intensity restarts within the period, and it gives up") {
  fixture f;
  f.start(spec(strategy::one_for_one, {f.worker("a"), f.worker("b")}, 2));
  f.take_log();

  f.crash("b");
  f.crash("b");
  CHECK(f.take_log() == "-b +b -b +b");
  f.crash("b");

  CHECK(f.take_log() == "-b -a"); // the one that broke the limit is not restarted
  CHECK(f.end_reason == intensity_exceeded());
  CHECK(f.count(event_kind::gave_up) == 1);
}

TEST_CASE("S10: restarts that are spread over more than the period are allowed for ever") {
  fixture f;
  f.start(spec(strategy::one_for_one, {f.worker("a")}, 1));

  for (int i = 0; i < 10; ++i) {
    f.crash("a");
    f.advance(5'001ms);
  }

  CHECK(f.supervisor_is_up());
}

TEST_CASE("S11: one failure counts once, however many siblings are restarted") {
  fixture f;
  f.start(spec(strategy::one_for_all, {f.worker("a"), f.worker("b"), f.worker("c")}, 1));

  f.crash("a");

  CHECK(f.supervisor_is_up());
  f.crash("a");
  CHECK_FALSE(f.supervisor_is_up());
}

TEST_CASE("S12: a restart whose start fails is tried again, and each try counts") {
  fixture f;
  f.start(spec(strategy::one_for_one, {f.worker("a")}, 4));
  f.take_log();
  f.starts_to_fail["a"] = 3;

  f.crash("a");
  CHECK(f.take_log() == "-a +a");
  CHECK(f.supervisor_is_up());
  f.starts_to_fail["a"] = 1;
  f.crash("a");

  CHECK(f.end_reason == intensity_exceeded());
}

TEST_CASE("S13: a child that does not end in time is killed") {
  fixture f;
  auto slow = f.stubborn_worker("b");
  slow.shutdown = 700ms;
  f.start(spec(strategy::one_for_one, {f.worker("a"), std::move(slow)}));
  f.take_log();

  stop_supervisor(f.root);
  f.settle();
  f.advance(699ms);
  CHECK(f.take_log() == "");
  f.advance(1ms);

  CHECK(f.take_log() == "-b -a");
}

TEST_CASE("S13: shutdown kill does not ask") {
  fixture f;
  auto slow = f.stubborn_worker("b");
  slow.shutdown = shutdown_kill{};
  f.start(spec(strategy::one_for_one, {std::move(slow)}));
  f.take_log();

  stop_supervisor(f.root);
  f.settle();

  CHECK(f.take_log() == "-b");
}

TEST_CASE("S20, B2: a supervisor that gave up has ended abnormally, and its parent restarts it") {
  fixture f;
  child_spec inner;
  inner.id = "inner";
  inner.type = child_type::supervisor;
  inner.restart = restart_type::transient; // intensity_exceeded counts as abnormal
  inner.shutdown = shutdown_unlimited{};
  inner.start = [&f](caf::scheduled_actor& parent) -> start_result {
    auto hooks = f.hooks();
    hooks.on_started = nullptr;
    return spawn_supervisor(
      parent, {"root/inner", strategy::one_for_one, 1, 5'000ms, {f.worker("b")}}, hooks);
  };
  f.start(spec(strategy::one_for_one, {f.worker("a"), std::move(inner), f.worker("c")}));
  CHECK(f.take_log() == "+a +b +c"); // S1: c waited until the inner supervisor was up

  f.crash("b");
  CHECK(f.take_log() == "-b +b");
  f.crash("b");

  CHECK(f.take_log() == "-b +b"); // by a new inner supervisor
  CHECK(f.count(event_kind::gave_up) == 1);
  CHECK(f.supervisor_is_up());
}

TEST_CASE("A7: restarts after the first wait longer and longer") {
  fixture f;
  auto child = f.worker("a");
  child.backoff = backoff_policy{100, 1'000, 0};
  f.start(spec(strategy::one_for_one, {std::move(child)}));
  f.take_log();

  f.crash("a");
  CHECK(f.take_log() == "-a +a");
  f.crash("a");
  CHECK(f.take_log() == "-a");
  f.advance(199ms);
  CHECK(f.take_log() == "");
  f.advance(1ms);

  CHECK(f.take_log() == "+a");
}

TEST_CASE("B8: a crash and its restart are events with path, cause and count") {
  fixture f;
  f.start(spec(strategy::one_for_one, {f.worker("a")}));
  f.events.clear();

  f.crash("a");

  REQUIRE(f.events.size() == 2);
  CHECK(f.events[0].kind == event_kind::child_crashed);
  CHECK(f.events[0].path == "root/a");
  CHECK_FALSE(f.events[0].cause.empty());
  CHECK(f.events[1].kind == event_kind::child_restarted);
  CHECK(f.events[1].restarts == 1);
}

TEST_CASE("S21: every mistake of a spec is found") {
  fixture f;
  child_spec broken = f.worker("a");
  broken.start = nullptr;
  broken.shutdown = -1ms;
  broken.backoff = backoff_policy{10, 5, 2};
  child_spec inner = f.worker("s");
  inner.type = child_type::supervisor;

  const auto errors = check({"", strategy::one_for_one, 1, 0ms, {broken, f.worker("a"), inner}});

  std::vector<std::string> fields;
  for (const auto& error : errors)
    fields.push_back(error.child + "." + error.field);
  CHECK(fields == std::vector<std::string>{".path", ".period", "a.start", "a.shutdown", "a.backoff",
                                           "a.backoff", "a.id", "s.shutdown"});
  CHECK_THROWS_AS(f.start({"root", strategy::one_for_one, 1, 0ms, {}}), std::invalid_argument);
}

TEST_CASE("the plan of random exits is that of a naive model") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  for (int round = 0; round < 2'000; ++round) {
    const int count = 1 + pick(6);
    std::vector<child_spec> children(static_cast<std::size_t>(count));
    std::vector<bool> running;
    for (int i = 0; i < count; ++i) {
      children[static_cast<std::size_t>(i)].restart = static_cast<restart_type>(pick(3));
      running.push_back(pick(4) != 0);
    }
    const auto ended = static_cast<std::size_t>(pick(count));
    running[ended] = false;
    const auto how = static_cast<strategy>(pick(3));
    const bool normally = pick(2) == 0;

    const auto plan = plan_restart(how, children, running, ended, normally);

    // The model asks, child by child: does it go, does it come?
    const auto type = children[ended].restart;
    const bool restarts =
      type == restart_type::permanent || (type == restart_type::transient && !normally);
    CHECK((plan.what == restart_plan::kind::restart) == restarts);
    CHECK((plan.what == restart_plan::kind::forget) == (type == restart_type::temporary));
    for (std::size_t i = 0; i < children.size(); ++i) {
      const bool affected =
        how == strategy::one_for_all || (how == strategy::rest_for_one && i > ended);
      const bool goes = restarts && affected && running[i] && i != ended;
      const bool comes =
        restarts && (i == ended || (goes && children[i].restart != restart_type::temporary));
      CHECK(std::count(plan.stop.begin(), plan.stop.end(), i) == (goes ? 1 : 0));
      CHECK(std::count(plan.start.begin(), plan.start.end(), i) == (comes ? 1 : 0));
    }
    CHECK(std::is_sorted(plan.start.begin(), plan.start.end()));
    CHECK(std::is_sorted(plan.stop.rbegin(), plan.stop.rend()));
  }
}
