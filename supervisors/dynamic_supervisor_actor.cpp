#include "supervisors/dynamic_supervisor_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace purser::supervisors {

namespace {

/// In a timer's message: every instance, for they are stopped together (S3).
constexpr std::uint64_t all_of_them = 0;

} // namespace

dynamic_supervisor_actor::dynamic_supervisor_actor(caf::actor_config& config,
                                                   dynamic_supervisor_spec spec,
                                                   supervisor_hooks hooks, caf::actor_addr parent)
    : supervisor_base(config, spec.path, std::move(hooks), std::move(parent)),
      spec_(std::move(spec)), window_(spec_.intensity, spec_.period.count()) {}

caf::behavior dynamic_supervisor_actor::make_behavior() {
  set_guards();
  set_down_handler([this](caf::down_msg& down) { on_down(down.source, down.reason); });
  set_exit_handler([this](caf::exit_msg& exit) {
    if (!exit.source || !by_address_.contains(exit.source)) // S14
      begin_stop(exit.reason);
  });
  caf::anon_send(this, begin_start{});
  return {
    [this](const begin_start&) { begin(); },
    [this](const supervisor_up& up) {
      const auto found = by_address_.find(up.who);
      if (found == by_address_.end() || !members_.at(found->second).coming_up)
        return;
      is_up(found->second);
      up_when_all_are();
    },
    [this](const shutdown_passed& passed) { kill_late(passed); },
    [this](const stuck_passed& passed) { report_stuck(passed); },
    [this](const start_due& now) {
      const auto found = members_.find(now.child);
      if (found != members_.end() && !found->second.handle && found->second.start_turn == now.turn)
        start(found->first);
    },
    [this](start_child_atom, const std::string& id, const caf::message& arguments) {
      return start_instance(id, arguments);
    },
    [this](stop_child_atom, const std::string& id) { return stop_instance(id); },
    [this](which_children_atom) { return which_children(); },
    [this](count_children_atom) { return count(which_children()); },
    [this](child_spec_atom, const std::string& id) { return child_spec_of(id); },
  };
}

void dynamic_supervisor_actor::on_exit() { // W3: killed, broken, or no longer referenced
  while (!members_.empty()) {
    if (auto& it = members_.begin()->second; it.handle)
      send_exit_now(it.handle, address(), caf::exit_reason::kill);
    drop(members_.begin()->first);
  }
  by_address_.clear();
  tell_failed(path_ + " ended before it was up");
}

// -- Starting -------------------------------------------------------------------------------------

void dynamic_supervisor_actor::begin() {
  if (phase_ != phase::starting)
    return;
  std::vector<instance> recalled;
  try {
    if (spec_.recall)
      recalled = spec_.recall();
  } catch (const std::exception& error) {
    return fail_start(std::string{"recall failed: "} + error.what());
  }
  for (auto& which : recalled) {
    if (const auto mistake = mistake_in(which.id); !mistake.empty())
      return fail_start("recall: " + mistake);
    start(add(std::move(which)));
    if (phase_ != phase::starting)
      return; // it failed
  }
  up_when_all_are();
}

caf::response_promise dynamic_supervisor_actor::start_instance(const std::string& id,
                                                               const caf::message& arguments) {
  auto promise = make_response_promise();
  if (phase_ == phase::stopping || phase_ == phase::ended) {
    promise.deliver(caf::make_error(caf::sec::request_receiver_down, path_ + " stops"));
  } else if (const auto mistake = mistake_in(id); !mistake.empty()) {
    promise.deliver(caf::make_error(caf::sec::invalid_argument, mistake));
  } else {
    const auto which = add({id, arguments});
    members_.at(which).started.push_back(promise);
    start(which);
  }
  return promise;
}

dynamic_supervisor_actor::number dynamic_supervisor_actor::add(instance which) {
  const auto next = ++last_number_;
  by_id_[which.id] = next;
  members_[next].which = std::move(which);
  return next;
}

std::string dynamic_supervisor_actor::mistake_in(const std::string& id) const {
  if (id.empty() || id.find('/') != std::string::npos)
    return path_ + ": '" + id + "' cannot be a part of a path";
  return by_id_.contains(id) ? path_ + " has a child " + id : "";
}

void dynamic_supervisor_actor::fail_start(const std::string& why) { // S2
  start_failure_ = path_ + ": " + why;
  begin_stop(start_failed(start_failure_));
}

void dynamic_supervisor_actor::start(number which) {
  auto& it = members_.at(which);
  auto result = guarded_start([&] { return spec_.instances.start(*this, it.which); });
  if (const auto* error = std::get_if<start_error>(&result))
    return start_went_wrong(which, error->why, start_failed(error->why));
  if (std::holds_alternative<ignore_child>(result)) { // W2
    report_member(event_kind::child_ignored, it);
    for (auto& promise : std::exchange(it.started, {}))
      promise.deliver(caf::actor{});
    return drop(which);
  }
  it.handle = std::move(std::get<caf::actor>(result));
  by_address_[it.handle->address()] = which;
  unlink_from(it.handle->address()); // S14: its down message tells all there is to know
  monitor(it.handle);
  if (spec_.instances.type == child_type::supervisor)
    it.coming_up = true;
  else
    is_up(which);
}

void dynamic_supervisor_actor::is_up(number which) {
  auto& it = members_.at(which);
  it.coming_up = false;
  const auto healing_us = it.record.is_up(now_us());
  const bool first = it.record.incarnations == 1;
  report_member(first ? event_kind::child_started : event_kind::child_restarted, it, "",
                {healing_us, 0});
  for (auto& promise : std::exchange(it.started, {}))
    promise.deliver(it.handle);
}

void dynamic_supervisor_actor::start_went_wrong(number which, const std::string& why,
                                                const caf::error& cause) {
  auto& it = members_.at(which);
  it.record.last_cause = it.which.id + " could not be started: " + why;
  report_member(event_kind::child_crashed, it, it.record.last_cause);
  if (it.record.incarnations > 0)
    return heal(which, cause, failed::starting); // S12
  if (it.started.empty())
    return fail_start(std::string{it.record.last_cause});
  for (auto& promise : std::exchange(it.started, {}))
    promise.deliver(start_failed(why));
  drop(which);
}

void dynamic_supervisor_actor::up_when_all_are() {
  const auto comes_up = [](const auto& entry) { return entry.second.coming_up; };
  if (phase_ == phase::starting && std::none_of(members_.begin(), members_.end(), comes_up))
    tell_up();
}

// -- Endings --------------------------------------------------------------------------------------

void dynamic_supervisor_actor::on_down(const caf::actor_addr& who, const caf::error& reason) {
  const auto found = by_address_.find(who);
  if (found == by_address_.end())
    return;
  const auto which = found->second;
  by_address_.erase(found);
  auto& it = members_.at(which);
  it.handle = nullptr;
  if (it.stopping) {
    report_member(event_kind::child_stopped, it, text_of_stop(reason));
    phase_ == phase::stopping ? drop(which) : forget(which);
    return finish_when_empty();
  }
  it.record.has_ended(now_us(), text_of(reason));
  if (std::exchange(it.coming_up, false)) {
    const auto why = it.record.last_cause;
    return start_went_wrong(which, why, is_normal(reason) ? start_failed(why) : reason);
  }
  report_member(kind_of_end(spec_.instances, reason), it, it.record.last_cause);
  if (phase_ == phase::starting && !is_normal(reason)) // while its siblings were coming up
    return fail_start(it.which.id + " failed: " + it.record.last_cause);
  heal(which, reason, failed::running);
}

void dynamic_supervisor_actor::heal(number which, const caf::error& cause, failed while_it_was) {
  const bool normally = is_normal(cause);
  const auto how = normally ? directive::restart : directive_for(spec_.instances, cause);
  switch (after(spec_.instances, normally, how)) {
  case after_end::restart: return restart(which, while_it_was);
  case after_end::escalate: return give_up(which, cause);
  case after_end::stay_down: // W2
  case after_end::forget: break;
  }
  const bool end = shuts_down(spec_.auto_shutdown, spec_.instances, another_significant(which));
  if (end)
    report_own(event_kind::auto_shutdown, members_.at(which).which.id + " ended");
  forget(which);
  if (end)
    begin_stop(caf::exit_reason::user_shutdown);
}

void dynamic_supervisor_actor::restart(number which, failed while_it_was) {
  if (window_.exceeds(now_us() / 1'000))
    return give_up(which, intensity_exceeded());
  auto& it = members_.at(which);
  const auto& backoff = spec_.instances.backoff;
  it.record.count_restart(backoff);
  const auto delay_ms = it.record.delay_ms(backoff, random());
  if (while_it_was == failed::running && delay_ms == 0)
    return start(which);
  const start_due due{which, ++it.start_turn}; // S12: by a message, so that others get in between
  report_member(event_kind::restart_delayed, it, it.record.last_cause, {0, delay_ms});
  if (delay_ms == 0)
    caf::anon_send(this, due);
  else
    delayed_send(this, std::chrono::milliseconds{delay_ms}, due);
}

/// All instances are significant, or none is.
bool dynamic_supervisor_actor::another_significant(number which) const {
  return std::any_of(members_.begin(), members_.end(), [which](const auto& entry) {
    return entry.first != which && !entry.second.stopping;
  });
}

void dynamic_supervisor_actor::give_up(number which, caf::error reason) {
  const auto& it = members_.at(which);
  report_own(event_kind::gave_up, it.which.id + ": " + it.record.last_cause, it.record.restarts);
  begin_stop(std::move(reason));
}

void dynamic_supervisor_actor::forget(number which) {
  report_member(event_kind::child_forgotten, members_.at(which));
  drop(which);
}

/// Whoever still waits for an answer gets it.
void dynamic_supervisor_actor::drop(number which) {
  auto gone = std::move(members_.at(which));
  members_.erase(which);
  by_id_.erase(gone.which.id);
  for (auto& promise : gone.stopped)
    promise.deliver(caf::unit);
  for (auto& promise : gone.started)
    promise.deliver(
      caf::make_error(caf::sec::request_receiver_down, gone.which.id + " was stopped"));
}

// -- Stopping -------------------------------------------------------------------------------------

caf::response_promise dynamic_supervisor_actor::stop_instance(const std::string& id) {
  auto promise = make_response_promise();
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) {
    promise.deliver(caf::make_error(caf::sec::invalid_argument, path_ + " has no child " + id));
    return promise;
  }
  const auto which = found->second;
  auto& it = members_.at(which);
  it.stopped.push_back(promise);
  if (!it.handle) {
    forget(which); // it waited for its next start
  } else if (!it.stopping) {
    ask_to_end(it);
    arm(which);
  }
  return promise;
}

void dynamic_supervisor_actor::ask_to_end(member& it) {
  it.stopping = true;
  if (std::holds_alternative<shutdown_kill>(shutdown_of(spec_.instances)))
    kill(it);
  else
    send_exit_now(it.handle, address(), caf::exit_reason::user_shutdown);
}

void dynamic_supervisor_actor::kill(member& it) {
  it.killed = true;
  send_exit_now(it.handle, address(), caf::exit_reason::kill);
}

void dynamic_supervisor_actor::arm(number which) {
  const auto how = shutdown_of(spec_.instances);
  if (std::holds_alternative<shutdown_kill>(how))
    delayed_send(this, spec_.stuck_after, stuck_passed{which});
  else if (const auto* within = std::get_if<std::chrono::milliseconds>(&how))
    delayed_send(this, *within, shutdown_passed{which});
}

void dynamic_supervisor_actor::kill_late(const shutdown_passed& passed) {
  bool any = false;
  for (auto& [which, it] : members_)
    if (it.stopping && !it.killed && (passed.turn == all_of_them || passed.turn == which)) {
      report_member(event_kind::child_killed, it, "did not end within its shutdown time");
      kill(it);
      any = true;
    }
  if (any)
    delayed_send(this, spec_.stuck_after, stuck_passed{passed.turn});
}

void dynamic_supervisor_actor::report_stuck(const stuck_passed& passed) {
  for (auto& [which, it] : members_)
    if (it.killed && !it.stuck && (passed.turn == all_of_them || passed.turn == which)) {
      it.stuck = true;
      report_member(event_kind::child_stuck, it, "was killed and has not ended");
    }
}

void dynamic_supervisor_actor::begin_stop(caf::error reason) {
  if (phase_ == phase::stopping || phase_ == phase::ended)
    return;
  phase_ = phase::stopping;
  stop_reason_ = std::move(reason);
  std::vector<number> all;
  for (auto it = members_.rbegin(); it != members_.rend(); ++it)
    all.push_back(it->first);
  for (const auto which : all) {
    auto& it = members_.at(which);
    if (!it.handle)
      drop(which);
    else if (!it.stopping)
      ask_to_end(it);
  }
  if (!members_.empty())
    arm(all_of_them);
  finish_when_empty();
}

void dynamic_supervisor_actor::finish_when_empty() {
  if (phase_ != phase::stopping || !members_.empty())
    return;
  phase_ = phase::ended;
  tell_failed(start_failure_.empty() ? path_ + " was stopped before it was up" : start_failure_);
  quit(stop_reason_);
}

// -- Introspection (S21) --------------------------------------------------------------------------

std::vector<child_info> dynamic_supervisor_actor::which_children() const {
  std::vector<child_info> all;
  for (const auto& [which, it] : members_)
    all.push_back({it.which.id, static_cast<bool>(it.handle), spec_.instances.type,
                   spec_.instances.restart, it.record.restarts, it.record.last_cause,
                   it.handle ? it.record.uptime_ms(now_us()) : 0, it.handle});
  return all;
}

caf::result<child_spec> dynamic_supervisor_actor::child_spec_of(const std::string& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return caf::make_error(caf::sec::invalid_argument, path_ + " has no child " + id);
  child_spec spec{static_cast<const child_rules&>(spec_.instances), id, {}};
  spec.start = [start = spec_.instances.start, which = members_.at(found->second).which](
                 caf::scheduled_actor& parent) { return start(parent, which); };
  return spec;
}

} // namespace purser::supervisors
