#include "supervisors/entity_restarts.hpp"
#include "supervisors/restart_plan.hpp"
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;
using namespace std::chrono_literals;

namespace {

/// Kinds of failure.
const caf::error bad_input = caf::make_error(caf::sec::invalid_argument, "one text");
const caf::error bad_disk = caf::make_error(caf::sec::cannot_open_port);

child_spec with_rules(child_spec child, std::vector<failure_rule> rules) {
  child.on_failure = std::move(rules);
  return child;
}

} // namespace

TEST_CASE("A9: a cause whose directive is stop keeps its child down, and nothing is counted") {
  world w;
  const auto rules = {on_failure(bad_input, directive::stop)};
  w.spawn(tree(strategy::one_for_all, {with_rules(w.probe("a"), rules), w.probe("b")}, 0));
  w.taken_log();

  w.crash("a", caf::make_error(caf::sec::invalid_argument, "another text"));

  CHECK(w.running() == words{"b"});
  CHECK(w.log.empty());
  CHECK(w.ask<child_counts>(count_children_atom::value).specs == 2);
  CHECK(w.last(event_kind::child_stopped).path == "root/a");
}

TEST_CASE("A9: a cause whose directive is escalate ends the supervisor with that cause") {
  world w;
  const auto rules = {on_failure(bad_disk, directive::escalate)};
  w.spawn(tree(strategy::one_for_one, {w.probe("a"), with_rules(w.probe("b"), rules)}));
  w.taken_log();

  w.crash("b", bad_disk);

  CHECK(w.log == words{"stop a"});
  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == bad_disk);
  CHECK(w.last(event_kind::gave_up).cause.starts_with("b: "));
}

TEST_CASE("A9: what escalates meets the rules that the parent has for its kind") {
  world w;
  auto inner = tree(strategy::one_for_one,
                    {with_rules(w.probe("x"), {on_failure(bad_disk, directive::escalate)})});
  inner.path = "root/inner";
  w.spawn(tree(strategy::one_for_one,
               {with_rules(w.nested(inner), {on_failure(bad_disk, directive::stop)}), w.probe("a")},
               0));

  w.crash("x", bad_disk);

  CHECK(w.running() == words{"a"});
  CHECK(w.events_of(event_kind::escalated) == words{"root/inner"});
}

TEST_CASE("A9: the first rule that matches decides, and without one it is restart") {
  child_rules child;
  child.on_failure = {
    on_failure(bad_input, directive::stop),
    {[](const caf::error& cause) { return cause != bad_disk; }, directive::escalate}};

  CHECK(directive_for(child, bad_input) == directive::stop);
  CHECK(directive_for(child, caf::exit_reason::kill) == directive::escalate);
  CHECK(directive_for(child, bad_disk) == directive::restart);
  CHECK(directive_for(child_rules{}, bad_disk) == directive::restart);
}

TEST_CASE("A9: a temporary child is forgotten whether a rule says restart or stop") {
  child_rules child;
  child.restart = restart_type::temporary;

  CHECK(after(child, false, directive::restart) == after_end::forget);
  CHECK(after(child, false, directive::stop) == after_end::forget);
  CHECK(after(child, false, directive::escalate) == after_end::escalate);
}

TEST_CASE("A9: the rules are asked for a restart that failed, too") {
  world w;
  const auto rules = {on_failure(start_failed(), directive::stop)};
  w.spawn(tree(strategy::one_for_one, {with_rules(w.probe("a"), rules), w.probe("b")}));
  w.failing = {"a"};
  w.taken_log();

  w.crash("a");

  CHECK(w.log == words{"fail a"});
  CHECK(w.running() == words{"b"});
}

TEST_CASE("A9: the rules of a template hold for each instance") {
  world w;
  auto spec = w.dynamic("pool");
  spec.instances.on_failure = {on_failure(bad_input, directive::stop),
                               on_failure(bad_disk, directive::escalate)};
  const auto pool = w.spawn(spec);
  for (const auto* id : {"a", "b", "c"})
    w.start_instance(pool, id);

  w.crash("a", bad_input);
  CHECK(w.running() == words{"b", "c"});
  w.crash("b", bad_disk);

  REQUIRE(w.root_ended.size() == 1);
  CHECK(w.root_ended[0] == bad_disk);
}

TEST_CASE("A9: an actor that has ended cannot resume: the dry check refuses it") {
  world w;
  const auto errors = check(
    tree(strategy::one_for_one,
         {with_rules(w.probe("a"), {on_failure(bad_disk, directive::stop),
                                    on_failure(bad_input, directive::resume), failure_rule{}})}));

  REQUIRE(errors.size() == 2);
  CHECK(errors[0].field == "on_failure[1].then");
  CHECK(errors[1].field == "on_failure[2].matches");
}

TEST_CASE("A9: an entity that resumes gives up the message, keeps its state, counts no crash") {
  const entity_restart_policy policy;
  entity_restart_state state;
  on_crash(state, policy, crash_phase::handling, 0.5);

  const auto decision = on_failure(state, policy, crash_phase::handling, directive::resume, 0.5);

  CHECK(decision.action == entity_action::resume);
  CHECK(decision.delay_ms == 0);
  CHECK(state.consecutive_crashes == 1);
  CHECK(state.crashes_in_hand == 0); // the next message has its own deliveries
}

TEST_CASE("A9: an entity that fails while recovering has no state to resume with") {
  const entity_restart_policy policy;
  entity_restart_state state;

  CHECK(on_failure(state, policy, crash_phase::recovering, directive::resume, 0.5).action ==
        entity_action::restart);
  CHECK(state.consecutive_crashes == 1);
}

TEST_CASE("A9: an entity is quarantined by stop, and ends its shell by escalate") {
  const entity_restart_policy policy;
  entity_restart_state state;
  const auto decide = [&](directive how) {
    return on_failure(state, policy, crash_phase::handling, how, 0.5).action;
  };

  CHECK(decide(directive::stop) == entity_action::quarantine);
  CHECK(decide(directive::escalate) == entity_action::escalate);
  CHECK(decide(directive::restart) == entity_action::restart);
}
