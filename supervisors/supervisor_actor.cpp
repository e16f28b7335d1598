#include "supervisors/supervisor_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace purser::supervisors {

supervisor_actor::supervisor_actor(caf::actor_config& config, supervisor_spec spec,
                                   supervisor_hooks hooks, caf::actor_addr parent)
    : supervisor_base(config, spec.path, std::move(hooks), std::move(parent)),
      spec_(std::move(spec)), window_(spec_.intensity, spec_.period.count()),
      children_(spec_.children.size()) {}

caf::behavior supervisor_actor::make_behavior() {
  set_guards();
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
    [this](const stuck_passed& passed) { stuck_time_passed(passed.turn); },
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
  tell_failed(path_ + " ended before it was up");
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
      const auto next = std::move(failures_.front());
      failures_.pop_front();
      carry_out(next);
    } else if (const auto next = next_start()) {
      start_child(*next);
    } else if (phase_ == phase::starting) {
      tell_up();
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

// -- Starting -------------------------------------------------------------------------------------

void supervisor_actor::start_child(std::size_t index) {
  to_start_.erase(index);
  const auto& spec = spec_.children[index];
  auto& it = children_[index];
  auto result = guarded_start([&] { return spec.start(*this); });
  if (const auto* failed = std::get_if<start_error>(&result))
    return start_went_wrong(index, failed->why, start_failed(failed->why));
  if (std::holds_alternative<ignore_child>(result)) {
    it.record.ended_at_us.reset();
    report_child(event_kind::child_ignored, index);
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

void supervisor_actor::child_is_up(std::size_t index) {
  auto& record = children_[index].record;
  const auto healing_us = record.is_up(now_us());
  report_child(record.incarnations == 1 ? event_kind::child_started : event_kind::child_restarted,
               index, "", {healing_us, 0});
}

void supervisor_actor::start_went_wrong(std::size_t index, const std::string& why,
                                        const caf::error& cause) {
  auto& record = children_[index].record;
  record.last_cause = id_of(index) + " could not be started: " + why;
  report_child(event_kind::child_crashed, index, record.last_cause);
  if (phase_ == phase::starting)
    return fail_start(record.last_cause);
  heal(index, cause); // S12: a try that fails is a failure like any other
  if (to_start_.contains(index) && children_[index].due)
    start_later(index); // by a message to self, so that others get in between
}

void supervisor_actor::start_later(std::size_t index) {
  auto& it = children_[index];
  it.due = false;
  it.turn = ++start_turn_;
  const start_due due{index, it.turn};
  const auto delay_ms = it.record.delay_ms(spec_.children[index].backoff, random());
  report_child(event_kind::restart_delayed, index, it.record.last_cause, {0, delay_ms});
  if (delay_ms == 0)
    caf::anon_send(this, due);
  else
    delayed_send(this, std::chrono::milliseconds{delay_ms}, due);
}

// -- Endings --------------------------------------------------------------------------------------

void supervisor_actor::on_down(const caf::actor_addr& who, const caf::error& reason) {
  const auto found = by_address_.find(who);
  if (found == by_address_.end())
    return; // an incarnation before the current one
  const auto index = found->second;
  by_address_.erase(found);
  auto& it = children_[index];
  it.handle = nullptr;
  if (stopping_child_ == index) {
    stopping_child_.reset();
    return report_child(event_kind::child_stopped, index, text_of_stop(reason));
  }
  it.record.has_ended(now_us(), text_of(reason));
  if (waiting_for_up_ == index) {
    waiting_for_up_.reset();
    const auto& why = it.record.last_cause;
    return start_went_wrong(index, why, is_normal(reason) ? start_failed(why) : reason);
  }
  report_child(kind_of_end(spec_.children[index], reason), index, it.record.last_cause);
  std::erase(to_stop_, index);
  if (phase_ == phase::starting && !is_normal(reason)) // while its siblings were coming up
    return fail_start(id_of(index) + " failed: " + it.record.last_cause);
  const bool planned = phase_ == phase::stopping || to_start_.contains(index) || it.forgotten;
  if (!planned)
    failures_.push_back({index, reason});
}

void supervisor_actor::carry_out(const failure& what) {
  const auto& it = children_[what.child];
  if (it.handle || to_start_.contains(what.child) || it.forgotten)
    return; // a plan for a sibling has brought it back, or is about to (S11)
  heal(what.child, what.cause);
}

void supervisor_actor::heal(std::size_t index, const caf::error& cause) {
  const auto& spec = spec_.children[index];
  const bool normally = is_normal(cause);
  const auto how = normally ? directive::restart : directive_for(spec, cause);
  switch (after(spec, normally, how)) {
  case after_end::restart: return restart(index);
  case after_end::escalate: return give_up(index, cause);
  case after_end::stay_down:
    children_[index].record.ended_at_us.reset();
    if (!normally)
      report_child(event_kind::child_stopped, index, "stopped by its rule");
    break;
  case after_end::forget: forget(index); break;
  }
  if (!shuts_down(spec_.auto_shutdown, spec, another_significant(index)))
    return;
  report_own(event_kind::auto_shutdown, spec.id + " ended");
  begin_stop(caf::exit_reason::user_shutdown);
}

void supervisor_actor::restart(std::size_t index) {
  if (window_.exceeds(now_us() / 1'000))
    return give_up(index, intensity_exceeded());
  std::vector<bool> running;
  for (const auto& it : children_)
    running.push_back(static_cast<bool>(it.handle));
  const auto plan = plan_restart(spec_.strategy, spec_.children, running, index);
  auto& it = children_[index];
  const auto ended_at_us = it.record.ended_at_us.value_or(now_us());
  it.record.count_restart(spec_.children[index].backoff);
  for (const auto other : plan.stop)
    if (spec_.children[other].restart == restart_type::temporary)
      forget(other); // S8
  to_stop_.assign(plan.stop.begin(), plan.stop.end());
  for (const auto other : plan.start) {
    to_start_.insert(other);
    if (!children_[other].record.ended_at_us)
      children_[other].record.ended_at_us = ended_at_us; // siblings heal from the same failure
  }
  if (spec_.children[index].backoff && it.record.in_a_row > 1)
    start_later(index);
}

/// Whether a significant child other than this one runs, or ended and has not been looked at, or
/// is to be started.
bool supervisor_actor::another_significant(std::size_t index) const {
  const auto waits = [this](std::size_t i) {
    return std::any_of(failures_.begin(), failures_.end(),
                       [i](const auto& it) { return it.child == i; });
  };
  for (std::size_t i = 0; i < children_.size(); ++i)
    if (i != index && spec_.children[i].significant && !children_[i].forgotten &&
        (children_[i].handle || to_start_.contains(i) || waits(i)))
      return true;
  return false;
}

void supervisor_actor::give_up(std::size_t index, caf::error reason) {
  const auto& record = children_[index].record;
  report_own(event_kind::gave_up, id_of(index) + ": " + record.last_cause, record.restarts);
  begin_stop(std::move(reason));
}

void supervisor_actor::forget(std::size_t index) {
  children_[index].forgotten = true;
  report_child(event_kind::child_forgotten, index);
}

// -- Stopping -------------------------------------------------------------------------------------

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
  if (std::holds_alternative<shutdown_kill>(how))
    return kill_child();
  send_exit_now(it.handle, address(), caf::exit_reason::user_shutdown);
  if (const auto* within = std::get_if<std::chrono::milliseconds>(&how))
    delayed_send(this, *within, shutdown_passed{stop_turn_});
}

void supervisor_actor::kill_child() {
  send_exit_now(children_[*stopping_child_].handle, address(), caf::exit_reason::kill);
  delayed_send(this, spec_.stuck_after, stuck_passed{stop_turn_});
}

void supervisor_actor::shutdown_time_passed(std::uint64_t turn) {
  if (turn != stop_turn_ || !stopping_child_)
    return; // it ended in time
  report_child(event_kind::child_killed, *stopping_child_, "did not end within its shutdown time");
  kill_child();
}

void supervisor_actor::stuck_time_passed(std::uint64_t turn) {
  if (turn == stop_turn_ && stopping_child_)
    report_child(event_kind::child_stuck, *stopping_child_, "was killed and has not ended");
}

void supervisor_actor::fail_start(const std::string& why) { // S2
  start_failure_ = path_ + ": " + why;
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
  tell_failed(start_failure_.empty() ? path_ + " was stopped before it was up" : start_failure_);
  quit(stop_reason_);
}

// -- Introspection (S21) --------------------------------------------------------------------------

std::vector<child_info> supervisor_actor::which_children() const {
  const auto now = now_us();
  std::vector<child_info> all;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const auto& spec = spec_.children[i];
    const auto& it = children_[i];
    if (!it.forgotten)
      all.push_back({spec.id, static_cast<bool>(it.handle), spec.type, spec.restart,
                     it.record.restarts, it.record.last_cause,
                     it.handle ? it.record.uptime_ms(now) : 0, it.handle});
  }
  return all;
}

child_counts supervisor_actor::count_children() const {
  return count(which_children());
}

caf::result<child_spec> supervisor_actor::child_spec_of(const std::string& id) const {
  for (std::size_t i = 0; i < children_.size(); ++i)
    if (spec_.children[i].id == id && !children_[i].forgotten)
      return spec_.children[i];
  return caf::make_error(caf::sec::invalid_argument, path_ + " has no child " + id);
}

} // namespace purser::supervisors
