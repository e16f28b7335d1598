#include "supervisors/supervisor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>

namespace purser::supervisors {

namespace {

/// "This supervisor has all its children up", to its parent.
struct supervisor_up {
  caf::actor_addr who;
};
/// To self: the shutdown time of a stop has passed (delayed messages cannot be canceled: `turn`
/// tells).
struct shutdown_passed {
  std::uint64_t turn = 0;
};
/// To self: the next start is due (S12, A7).
struct start_due {
  std::uint64_t turn = 0;
};

} // namespace

} // namespace purser::supervisors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::supervisor_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::shutdown_passed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::start_due)

namespace purser::supervisors {

namespace {

constexpr auto category = caf::atom("supervis");

/// A message that overtakes what is queued at the child (caf-0.17 field notes, 0.4).
void send_exit_now(const caf::actor& child, const caf::actor_addr& from, const caf::error& reason) {
  caf::anon_send<caf::message_priority::high>(child, caf::exit_msg{from, reason});
}

class supervisor_actor final : public caf::event_based_actor {
public:
  supervisor_actor(caf::actor_config& config, supervisor_spec spec, supervisor_hooks hooks,
                   caf::actor parent)
      : caf::event_based_actor(config), spec_(std::move(spec)), hooks_(std::move(hooks)),
        parent_(std::move(parent)), window_(spec_.intensity, spec_.period.count()) {
    children_.resize(spec_.children.size());
  }

  const char* name() const override { return "supervisor"; }

  caf::behavior make_behavior() override {
    set_default_handler(caf::drop);
    set_exception_handler([](std::exception_ptr&) -> caf::error { return start_failed(); });
    set_down_handler([this](caf::down_msg& down) { on_down(down.source, down.reason); });
    set_exit_handler([this](caf::exit_msg& exit) { begin_stop(exit.reason); });
    for (std::size_t i = 0; i < children_.size(); ++i)
      to_start_.push_back(i);
    advance();
    return {
      [this](const supervisor_up& up) { on_child_up(up.who); },
      [this](const shutdown_passed& passed) {
        if (passed.turn == stop_turn_ && stopping_child_)
          send_exit_now(*children_[*stopping_child_].handle, address(), caf::exit_reason::kill);
      },
      [this](const start_due& due) {
        if (due.turn == start_turn_) {
          waiting_for_start_ = false;
          advance();
        }
      },
      [this](which_children_atom) { return which_children(); },
      [this](count_children_atom) { return count_children(); },
    };
  }

private:
  struct child {
    std::optional<caf::actor> handle; ///< while it runs
    bool dropped = false;             ///< its spec is gone (temporary)
    std::uint32_t restarts = 0;
    std::string last_cause;
    std::optional<std::int64_t> ended_at_us; ///< of an end that is to be healed
  };

  enum class state { starting, running, stopping };

  /// Does the next thing there is to do: stops first, then starts, then the next failure.
  void advance() {
    while (!stopping_child_) {
      if (!to_stop_.empty()) {
        const auto next = to_stop_.front();
        to_stop_.pop_front();
        stop_child(next);
      } else if (state_ == state::stopping) {
        return finish_stop();
      } else if (waiting_for_up_ || waiting_for_start_) {
        return;
      } else if (!to_start_.empty()) {
        if (!start_child(to_start_.front()))
          return;
      } else if (!failures_.empty()) {
        const auto [ended, normally] = failures_.front();
        failures_.pop_front();
        carry_out(ended, normally);
      } else {
        return became_idle();
      }
    }
  }

  void became_idle() {
    if (state_ != state::starting)
      return;
    state_ = state::running;
    tell_started("");
    if (parent_)
      caf::anon_send(parent_, supervisor_up{address()});
  }

  // -- Starting -----------------------------------------------------------------------------------

  /// @returns whether to go on at once.
  bool start_child(std::size_t index) {
    const auto& spec = spec_.children[index];
    auto& it = children_[index];
    start_result result = start_error{};
    try {
      result = spec.start(*this);
    } catch (const std::exception& error) {
      result = start_error{error.what()};
    }
    if (const auto* failed = std::get_if<start_error>(&result))
      return on_start_error(index, failed->why);
    to_start_.pop_front();
    const bool again = it.ended_at_us.has_value();
    if (auto* started = std::get_if<caf::actor>(&result)) {
      it.handle = std::move(*started);
      monitor(it.handle->address());
      waiting_for_up_ = spec.type == child_type::supervisor;
    } else if (spec.restart == restart_type::temporary) {
      it.dropped = true; // S2: a temporary child that says "ignore" keeps no spec
    }
    report(again ? event_kind::child_restarted : event_kind::child_started, index, "",
           again ? now_us() - *it.ended_at_us : 0);
    it.ended_at_us.reset();
    return true;
  }

  bool on_start_error(std::size_t index, const std::string& why) {
    const auto text = spec_.children[index].id + " could not be started: " + why;
    report(event_kind::child_crashed, index, text);
    if (state_ == state::starting) { // S2
      tell_started(spec_.path + ": " + text);
      begin_stop(start_failed());
      return true;
    }
    children_[index].last_cause = text;
    if (window_.exceeds(now_us() / 1'000)) { // S12: each try counts
      give_up(text);
      return true;
    }
    ++children_[index].restarts;
    start_later(index);
    return false;
  }

  void start_later(std::size_t index) {
    waiting_for_start_ = true;
    const start_due due{++start_turn_};
    const auto& spec = spec_.children[index];
    const auto random = hooks_.random ? hooks_.random() : 0.5;
    const auto delay =
      spec.backoff ? backoff_ms(*spec.backoff, children_[index].restarts, random) : 0;
    if (delay == 0)
      caf::anon_send(this, due);
    else
      delayed_send(this, std::chrono::milliseconds{delay}, due);
  }

  void on_child_up(const caf::actor_addr& who) {
    for (const auto& it : children_)
      if (it.handle && it.handle->address() == who && waiting_for_up_) {
        waiting_for_up_ = false;
        return advance();
      }
  }

  // -- Ending of children -------------------------------------------------------------------------

  void on_down(const caf::actor_addr& who, const caf::error& reason) {
    const auto index = index_of(who);
    if (!index)
      return; // an incarnation before the current one
    auto& it = children_[*index];
    it.handle.reset();
    if (stopping_child_ == index) {
      stopping_child_.reset();
      report(event_kind::child_stopped, *index, unexpected_while_stopping(reason));
      return advance();
    }
    waiting_for_up_ = waiting_for_up_ && spec_.children[*index].type != child_type::supervisor;
    const bool normally = reason == caf::exit_reason::normal || !reason;
    it.last_cause = text_of(reason);
    it.ended_at_us = normally ? std::nullopt : std::optional{now_us()};
    report(normally ? event_kind::child_stopped : event_kind::child_crashed, *index, it.last_cause);
    std::erase(to_stop_, *index); // it has ended by itself
    if (state_ == state::stopping)
      return advance();
    if (state_ == state::starting && !normally) { // S2: it failed while its siblings were coming up
      tell_started(spec_.path + ": " + spec_.children[*index].id + " failed: " + it.last_cause);
      return begin_stop(start_failed());
    }
    if (is_to_be_started(*index))
      return advance(); // a plan under way starts it anyway
    failures_.emplace_back(*index, normally);
    advance();
  }

  bool is_to_be_started(std::size_t index) const {
    return std::find(to_start_.begin(), to_start_.end(), index) != to_start_.end();
  }

  void carry_out(std::size_t ended, bool normally) {
    std::vector<bool> running;
    for (const auto& it : children_)
      running.push_back(it.handle.has_value());
    const auto plan = plan_restart(spec_.strategy, spec_.children, running, ended, normally);
    if (plan.what == restart_plan::kind::nothing)
      return;
    if (plan.what == restart_plan::kind::forget) {
      children_[ended].dropped = true;
      return;
    }
    if (window_.exceeds(now_us() / 1'000))
      return give_up(children_[ended].last_cause);
    if (!children_[ended].ended_at_us)
      children_[ended].ended_at_us =
        now_us(); // a permanent child that ended normally is healed too
    const auto earlier = children_[ended].restarts++;
    for (const auto index : plan.stop)
      if (spec_.children[index].restart == restart_type::temporary)
        children_[index].dropped = true; // S8
    to_stop_.assign(plan.stop.begin(), plan.stop.end());
    to_start_.assign(plan.start.begin(), plan.start.end());
    if (spec_.children[ended].backoff && earlier > 0)
      start_later(ended); // A7: the first restart has no delay
  }

  void give_up(const std::string& cause) {
    supervision_event event;
    event.kind = event_kind::gave_up;
    event.path = spec_.path;
    event.cause = cause;
    if (hooks_.on_event)
      hooks_.on_event(event);
    begin_stop(intensity_exceeded());
  }

  // -- Stopping -----------------------------------------------------------------------------------

  void stop_child(std::size_t index) {
    auto& it = children_[index];
    if (!it.handle)
      return;
    stopping_child_ = index;
    const auto& how = spec_.children[index].shutdown;
    const bool at_once = std::holds_alternative<shutdown_kill>(how);
    send_exit_now(*it.handle, address(),
                  at_once ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
    ++stop_turn_;
    if (const auto* within = std::get_if<std::chrono::milliseconds>(&how))
      delayed_send(this, *within, shutdown_passed{stop_turn_});
  }

  void begin_stop(const caf::error& reason) {
    if (state_ == state::stopping)
      return;
    state_ = state::stopping;
    stop_reason_ = reason;
    to_start_.clear();
    failures_.clear();
    waiting_for_up_ = false;
    waiting_for_start_ = false;
    ++start_turn_;
    to_stop_.clear();
    for (auto i = children_.size(); i-- > 0;) // S3
      if (children_[i].handle && stopping_child_ != i)
        to_stop_.push_back(i);
    advance();
  }

  void finish_stop() {
    tell_started(spec_.path + " was stopped before it was up");
    quit(stop_reason_);
  }

  std::string unexpected_while_stopping(const caf::error& reason) const {
    const bool expected = !reason || reason == caf::exit_reason::normal ||
                          reason == caf::exit_reason::user_shutdown ||
                          reason == caf::exit_reason::kill;
    return expected ? "" : text_of(reason); // S15: reported, not escalated
  }

  // -- Introspection ------------------------------------------------------------------------------

  std::vector<child_info> which_children() const {
    std::vector<child_info> all;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      const auto& spec = spec_.children[i];
      const auto& it = children_[i];
      if (!it.dropped)
        all.push_back(
          {spec.id, it.handle.has_value(), spec.type, spec.restart, it.restarts, it.last_cause});
    }
    return all;
  }

  child_counts count_children() const {
    child_counts counts;
    for (const auto& info : which_children()) {
      ++counts.specs;
      counts.active += info.running ? 1 : 0;
      ++(info.type == child_type::supervisor ? counts.supervisors : counts.workers);
    }
    return counts;
  }

  // -- Small things -------------------------------------------------------------------------------

  std::optional<std::size_t> index_of(const caf::actor_addr& who) const {
    for (std::size_t i = 0; i < children_.size(); ++i)
      if (children_[i].handle && children_[i].handle->address() == who)
        return i;
    return std::nullopt;
  }

  std::int64_t now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock().now().time_since_epoch())
      .count();
  }

  std::string text_of(const caf::error& reason) const {
    return hooks_.render ? hooks_.render(reason) : caf::to_string(reason);
  }

  void tell_started(const std::string& error) {
    if (auto tell = std::exchange(hooks_.on_started, nullptr))
      tell(error);
  }

  void report(event_kind kind, std::size_t index, const std::string& cause,
              std::int64_t healing_us = 0) {
    if (hooks_.on_event)
      hooks_.on_event({kind, spec_.path + "/" + spec_.children[index].id, cause,
                       children_[index].restarts, healing_us});
  }

  supervisor_spec spec_;
  supervisor_hooks hooks_;
  caf::actor parent_;
  restart_window window_;
  std::vector<child> children_; ///< one for each spec, in start order
  state state_ = state::starting;
  std::deque<std::size_t> to_stop_;
  std::deque<std::size_t> to_start_;
  std::deque<std::pair<std::size_t, bool>> failures_; ///< child, whether it ended normally
  std::optional<std::size_t> stopping_child_;
  bool waiting_for_up_ = false;    ///< a supervisor that was started says so when it is up
  bool waiting_for_start_ = false; ///< a delayed start
  std::uint64_t stop_turn_ = 0;
  std::uint64_t start_turn_ = 0;
  caf::error stop_reason_;
};

void require_valid(const supervisor_spec& spec) {
  std::string text;
  for (const auto& error : check(spec))
    text += (text.empty() ? "" : "; ") + error.child + (error.child.empty() ? "" : ".") +
            error.field + " " + error.message;
  if (!text.empty())
    throw std::invalid_argument("supervisor " + spec.path + ": " + text);
}

} // namespace

caf::error intensity_exceeded() {
  return {1, category};
}
caf::error start_failed() {
  return {2, category};
}

caf::actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec,
                            supervisor_hooks hooks) {
  require_valid(spec);
  return system.spawn<supervisor_actor>(std::move(spec), std::move(hooks), caf::actor{});
}

caf::actor spawn_supervisor(caf::scheduled_actor& parent, supervisor_spec spec,
                            supervisor_hooks hooks) {
  require_valid(spec);
  return parent.home_system().spawn<supervisor_actor>(std::move(spec), std::move(hooks),
                                                      caf::actor_cast<caf::actor>(&parent));
}

void stop_supervisor(const caf::actor& supervisor) {
  send_exit_now(supervisor, nullptr, caf::exit_reason::user_shutdown);
}

} // namespace purser::supervisors
