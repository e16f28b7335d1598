#include "supervisors/supervisor_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace purser::supervisors {

/// To self: start now. Not done in make_behavior, where a quit would be undone by the behavior
/// returned.
struct begin_start {};
/// "This supervisor has all its children up", to its parent.
struct supervisor_up {
  caf::actor_addr who;
};
/// To self: the shutdown time of a stop has passed (delayed messages cannot be canceled: `turn`
/// tells).
struct shutdown_passed {
  std::uint64_t turn = 0;
};
/// To self: a start is due (S12, A7).
struct start_due {
  std::size_t child = 0;
  std::uint64_t turn = 0;
};

} // namespace purser::supervisors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::begin_start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::supervisor_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::shutdown_passed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::start_due)

namespace purser::supervisors {

namespace {

/// A message that overtakes what is queued at the child (caf-0.17 field notes, 0.4).
void send_exit_now(const caf::actor& child, const caf::actor_addr& from, const caf::error& reason) {
  caf::anon_send<caf::message_priority::high>(child, caf::exit_msg{from, reason});
}

/// An orderly end, as OTP's normal and shutdown: a transient child is not brought back after it.
bool is_normal(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown;
}

} // namespace

supervisor_actor::supervisor_actor(caf::actor_config& config, supervisor_spec spec,
                                   supervisor_hooks hooks, caf::actor_addr parent)
    : caf::event_based_actor(config), spec_(std::move(spec)), hooks_(std::move(hooks)),
      parent_(std::move(parent)), window_(spec_.intensity, spec_.period.count()),
      children_(spec_.children.size()) {}

caf::behavior supervisor_actor::make_behavior() {
  set_default_handler(caf::drop);
  set_exception_handler([](std::exception_ptr&) { return supervisor_broken(); });
  set_down_handler([this](caf::down_msg& down) {
    on_down(down.source, down.reason);
    advance();
  });
  set_exit_handler([this](caf::exit_msg& exit) { on_exit_message(exit); });
  for (std::size_t i = 0; i < children_.size(); ++i)
    to_start_.insert(i);
  caf::anon_send(this, begin_start{});
  return {
    [this](const begin_start&) { advance(); },
    [this](const supervisor_up& up) {
      if (waiting_for_up_ && children_[*waiting_for_up_].latest == up.who) {
        child_is_up(*std::exchange(waiting_for_up_, std::nullopt));
        advance();
      }
    },
    [this](const shutdown_passed& passed) { shutdown_time_passed(passed.turn); },
    [this](const start_due& now) {
      auto& it = children_[now.child];
      it.due = it.due || it.turn == now.turn;
      advance();
    },
    [this](which_children_atom) { return which_children(); },
    [this](count_children_atom) { return count_children(); },
    [this](child_spec_atom, const std::string& id) { return child_spec_of(id); },
  };
}

void supervisor_actor::on_exit() { // V4: killed, broken, or no longer referenced
  for (auto& it : children_)
    if (it.handle)
      send_exit_now(std::exchange(it.handle, nullptr), address(), caf::exit_reason::kill);
  by_address_.clear();
  tell_started(spec_.path + " ended before it was up");
}

void supervisor_actor::advance() {
  while (!stopping_child_ && !waiting_for_up_ && phase_ != phase::ended) {
    if (!to_stop_.empty()) {
      const auto next = to_stop_.front();
      to_stop_.pop_front();
      stop_child(next);
    } else if (phase_ == phase::stopping) {
      finish_stop();
    } else if (phase_ == phase::running && !failures_.empty()) {
      const auto next = failures_.front();
      failures_.pop_front();
      carry_out(next);
    } else if (const auto next = next_start()) {
      start_child(*next);
    } else if (phase_ == phase::starting) {
      phase_ = phase::running;
      tell_started("");
      if (const auto parent = caf::actor_cast<caf::actor>(parent_))
        caf::anon_send(parent, supervisor_up{address()});
    } else {
      return;
    }
  }
}

std::optional<std::size_t> supervisor_actor::next_start() const {
  const auto due = [this](std::size_t i) { return children_[i].due; };
  const auto first = std::find_if(to_start_.begin(), to_start_.end(), due);
  if (first == to_start_.end())
    return std::nullopt;
  if (spec_.strategy != strategy::one_for_one &&
      !std::all_of(to_start_.begin(), to_start_.end(), due))
    return std::nullopt; // V3
  return *first;
}

// -- Starting
// ---------------------------------------------------------------------------------------

void supervisor_actor::start_child(std::size_t index) {
  to_start_.erase(index);
  const auto& spec = spec_.children[index];
  auto& it = children_[index];
  auto result = call_start(index);
  if (const auto* failed = std::get_if<start_error>(&result))
    return start_went_wrong(index, failed->why);
  if (std::holds_alternative<ignore_child>(result)) {
    it.ended_at_us.reset();
    report(event_kind::child_ignored, index);
    if (spec.restart == restart_type::temporary)
      forget(index); // S2
    return;
  }
  it.handle = std::move(std::get<caf::actor>(result));
  it.before = std::exchange(it.latest, it.handle->address());
  by_address_[it.latest] = index;
  monitor(it.latest); // A10: also when it has ended already
  if (spec.type == child_type::supervisor)
    waiting_for_up_ = index;
  else
    child_is_up(index);
}

start_result supervisor_actor::call_start(std::size_t index) {
  try {
    auto result = spec_.children[index].start(*this);
    if (const auto* started = std::get_if<caf::actor>(&result); started && !*started)
      return start_error{"its start function returned no actor"};
    return result;
  } catch (const std::exception& error) {
    return start_error{error.what()};
  } catch (...) {
    return start_error{"its start function threw something that is no std::exception"};
  }
}

void supervisor_actor::child_is_up(std::size_t index) {
  auto& it = children_[index];
  it.started_at_us = now_us();
  const auto healing_us = it.ended_at_us ? it.started_at_us - *it.ended_at_us : 0;
  it.ended_at_us.reset();
  const bool first = it.incarnations++ == 0;
  report(first ? event_kind::child_started : event_kind::child_restarted, index, "", healing_us);
}

void supervisor_actor::start_went_wrong(std::size_t index, const std::string& why) {
  auto& it = children_[index];
  it.last_cause = spec_.children[index].id + " could not be started: " + why;
  report(event_kind::child_crashed, index, it.last_cause);
  if (phase_ == phase::starting)
    return fail_start(it.last_cause);
  if (window_.exceeds(now_us() / 1'000)) // S12: each try counts
    return give_up(index);
  ++it.restarts;
  ++it.in_a_row;
  to_start_.insert(index);
  start_later(index);
}

/// By a message to self, so that others get in between (S12).
void supervisor_actor::start_later(std::size_t index) {
  auto& it = children_[index];
  it.due = false;
  it.turn = ++start_turn_;
  const start_due due{index, it.turn};
  const auto delay_ms = backoff_of(index);
  report(event_kind::restart_delayed, index, it.last_cause, 0, delay_ms);
  if (delay_ms == 0)
    caf::anon_send(this, due);
  else
    delayed_send(this, std::chrono::milliseconds{delay_ms}, due);
}

std::int64_t supervisor_actor::backoff_of(std::size_t index) {
  const auto& policy = spec_.children[index].backoff;
  const auto in_a_row = children_[index].in_a_row;
  if (!policy || in_a_row < 2) // the first restart has no delay
    return 0;
  return backoff_ms(*policy, in_a_row - 1, hooks_.random ? hooks_.random() : 0.5);
}

// -- Endings
// ----------------------------------------------------------------------------------------

void supervisor_actor::on_down(const caf::actor_addr& who, const caf::error& reason) {
  const auto found = by_address_.find(who);
  if (found == by_address_.end())
    return; // an incarnation before the current one
  const auto index = found->second;
  by_address_.erase(found);
  auto& it = children_[index];
  it.handle = nullptr;
  const bool normally = is_normal(reason);
  if (stopping_child_ == index) {
    stopping_child_.reset();
    const bool as_asked = normally || reason == caf::exit_reason::kill;
    return report(event_kind::child_stopped, index, as_asked ? "" : text_of(reason)); // S15
  }
  it.last_cause = text_of(reason);
  it.ended_at_us = now_us();
  if (waiting_for_up_ == index) {
    waiting_for_up_.reset();
    return start_went_wrong(index, it.last_cause);
  }
  const bool gave_up = reason == intensity_exceeded();
  report(gave_up    ? event_kind::escalated
         : normally ? event_kind::child_stopped
                    : event_kind::child_crashed,
         index, it.last_cause);
  std::erase(to_stop_, index);
  if (phase_ == phase::starting && !normally) // while its siblings were coming up
    return fail_start(spec_.children[index].id + " failed: " + it.last_cause);
  const bool planned = phase_ == phase::stopping || to_start_.contains(index) || it.forgotten;
  if (!planned)
    failures_.push_back({index, normally});
}

void supervisor_actor::carry_out(const failure& what) {
  std::vector<bool> running;
  for (const auto& it : children_)
    running.push_back(static_cast<bool>(it.handle));
  if (running[what.child] || to_start_.contains(what.child))
    return; // a plan for a sibling has brought it back, or is about to (S11)
  const auto plan =
    plan_restart(spec_.strategy, spec_.children, running, what.child, what.normally);
  auto& it = children_[what.child];
  switch (plan.what) {
  case restart_plan::kind::nothing: it.ended_at_us.reset(); return;
  case restart_plan::kind::forget: return forget(what.child);
  case restart_plan::kind::restart: break;
  }
  if (window_.exceeds(now_us() / 1'000))
    return give_up(what.child);
  const auto& backoff = spec_.children[what.child].backoff;
  const auto ended_at_us = it.ended_at_us.value_or(now_us());
  if (backoff && ended_at_us - it.started_at_us >= backoff->reset_after_ms * 1'000)
    it.in_a_row = 0;
  ++it.restarts;
  ++it.in_a_row;
  for (const auto index : plan.stop)
    if (spec_.children[index].restart == restart_type::temporary)
      forget(index); // S8
  to_stop_.assign(plan.stop.begin(), plan.stop.end());
  for (const auto index : plan.start) {
    to_start_.insert(index);
    if (!children_[index].ended_at_us)
      children_[index].ended_at_us = ended_at_us; // siblings heal from the same failure
  }
  if (backoff && it.in_a_row > 1)
    start_later(what.child);
}

void supervisor_actor::give_up(std::size_t index) {
  if (hooks_.on_event) {
    supervision_event event;
    event.kind = event_kind::gave_up;
    event.path = spec_.path;
    event.cause = spec_.children[index].id + ": " + children_[index].last_cause;
    event.restarts = children_[index].restarts;
    event.at_us = now_us();
    hooks_.on_event(event);
  }
  begin_stop(intensity_exceeded());
}

void supervisor_actor::forget(std::size_t index) {
  children_[index].forgotten = true;
  report(event_kind::child_forgotten, index);
}

// -- Stopping
// ---------------------------------------------------------------------------------------

void supervisor_actor::on_exit_message(const caf::exit_msg& exit) {
  for (const auto& it : children_)
    if (exit.source && (it.latest == exit.source || it.before == exit.source))
      return; // a child that was started linked: its down message tells the same (S14)
  begin_stop(exit.reason);
  advance();
}

void supervisor_actor::stop_child(std::size_t index) {
  const auto& it = children_[index];
  if (!it.handle)
    return;
  stopping_child_ = index;
  ++stop_turn_;
  const auto how = shutdown_of(spec_.children[index]);
  const bool at_once = std::holds_alternative<shutdown_kill>(how);
  send_exit_now(it.handle, address(),
                at_once ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
  if (const auto* within = std::get_if<std::chrono::milliseconds>(&how))
    delayed_send(this, *within, shutdown_passed{stop_turn_});
}

void supervisor_actor::shutdown_time_passed(std::uint64_t turn) {
  if (turn != stop_turn_ || !stopping_child_)
    return; // it ended in time
  report(event_kind::child_killed, *stopping_child_, "did not end within its shutdown time");
  send_exit_now(children_[*stopping_child_].handle, address(), caf::exit_reason::kill);
}

void supervisor_actor::fail_start(const std::string& why) { // S2
  start_failure_ = spec_.path + ": " + why;
  begin_stop(start_failed(start_failure_));
}

void supervisor_actor::begin_stop(caf::error reason) {
  if (phase_ == phase::stopping || phase_ == phase::ended)
    return;
  phase_ = phase::stopping;
  stop_reason_ = std::move(reason);
  to_start_.clear();
  failures_.clear();
  waiting_for_up_.reset();
  to_stop_.clear();
  for (auto i = children_.size(); i-- > 0;) // S3
    if (children_[i].handle && stopping_child_ != i)
      to_stop_.push_back(i);
}

void supervisor_actor::finish_stop() {
  phase_ = phase::ended;
  tell_started(start_failure_.empty() ? spec_.path + " was stopped before it was up"
                                      : start_failure_);
  quit(stop_reason_);
}

// -- Introspection and small things
// -----------------------------------------------------------------

std::vector<child_info> supervisor_actor::which_children() const {
  const auto now = now_us();
  std::vector<child_info> all;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const auto& spec = spec_.children[i];
    const auto& it = children_[i];
    if (!it.forgotten)
      all.push_back({spec.id, static_cast<bool>(it.handle), spec.type, spec.restart, it.restarts,
                     it.last_cause, it.handle ? (now - it.started_at_us) / 1'000 : 0, it.handle});
  }
  return all;
}

child_counts supervisor_actor::count_children() const {
  child_counts counts;
  for (const auto& info : which_children()) {
    ++counts.specs;
    counts.active += info.running ? 1 : 0;
    ++(info.type == child_type::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

caf::result<child_spec> supervisor_actor::child_spec_of(const std::string& id) const {
  for (std::size_t i = 0; i < children_.size(); ++i)
    if (spec_.children[i].id == id && !children_[i].forgotten)
      return spec_.children[i];
  return caf::make_error(caf::sec::invalid_argument, spec_.path + " has no child " + id);
}

std::int64_t supervisor_actor::now_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock().now().time_since_epoch())
    .count();
}

std::string supervisor_actor::text_of(const caf::error& reason) const {
  const bool ours = reason && reason.category() == intensity_exceeded().category();
  return hooks_.render && !ours ? hooks_.render(reason) : to_text(reason);
}

void supervisor_actor::tell_started(const std::string& error) {
  if (const auto tell = std::exchange(hooks_.on_started, nullptr))
    tell(error);
}

void supervisor_actor::report(event_kind kind, std::size_t index, const std::string& cause,
                              std::int64_t healing_us, std::int64_t delay_ms) {
  if (hooks_.on_event)
    hooks_.on_event({kind, spec_.path + "/" + spec_.children[index].id, cause,
                     children_[index].restarts, healing_us, delay_ms, now_us()});
}

} // namespace purser::supervisors
