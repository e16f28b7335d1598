// What both kinds of supervisor have in common; private to this library.
#pragma once

#include "supervisors/child_record.hpp"
#include "supervisors/child_spec.hpp"
#include "supervisors/event.hpp"
#include "supervisors/supervisor.hpp"
#include "supervisors/tree_bounds.hpp"

#include <caf/actor_addr.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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
/// tells which stop).
struct shutdown_passed {
  std::uint64_t turn = 0;
};
/// To self: what was killed should have ended by now (B9).
struct stuck_passed {
  std::uint64_t turn = 0;
};
/// To self: a start is due (S12, A7).
struct start_due {
  std::size_t child = 0;
  std::uint64_t turn = 0;
};

/// A message that overtakes what is queued at the child (B4): a plain exit would wait behind it.
void send_exit_now(const caf::actor& child, const caf::actor_addr& from, const caf::error& reason);

/// An orderly end, as OTP's normal and shutdown: a transient child is not brought back after it.
bool is_normal(const caf::error& reason);

/// How long what an event tells of took, or will take.
struct spans {
  std::int64_t healing_us = 0;
  std::int64_t delay_ms = 0;
};

class supervisor_base : public caf::event_based_actor {
public:
  const char* name() const override { return "supervisor"; }

protected:
  enum class phase { starting, running, stopping, ended };

  supervisor_base(caf::actor_config& config, std::string path, supervisor_hooks hooks,
                  caf::actor_addr parent);

  /// Whoever asks for something unknown, or a hook that throws, must not hang it.
  void set_guards();

  start_result guarded_start(const std::function<start_result()>& start);
  /// What to call the end of a child that was not asked to end.
  static event_kind kind_of_end(const child_rules& child, const caf::error& reason);
  /// Empty for a reason that is to be expected while a child is being stopped (S15).
  std::string text_of_stop(const caf::error& reason) const;

  void tell_up();
  void tell_failed(const std::string& error);

  std::int64_t now_us() const;
  double random() const { return hooks_.random ? hooks_.random() : 0.5; }
  std::string text_of(const caf::error& reason) const;
  void report(event_kind kind, const std::string& id, const child_record& record,
              const std::string& cause = {}, const spans& took = {});
  /// Of the supervisor itself.
  void report_own(event_kind kind, const std::string& cause, std::uint32_t restarts = 0);

  const std::string path_;
  supervisor_hooks hooks_;
  const caf::actor_addr parent_; ///< the supervisor to tell when this one is up; may be null
  phase phase_ = phase::starting;
  caf::error stop_reason_;
  std::string start_failure_; ///< told once its children are down again (S2)
};

/// Spawns a supervisor of either kind. Throws std::invalid_argument with every mistake of the spec.
template <class Actor, class Spec>
caf::actor spawn_checked(caf::actor_system& system, Spec spec, supervisor_hooks hooks,
                         caf::actor_addr parent) {
  require_none(spec.path, check(spec));
  return system.spawn<Actor>(std::move(spec), std::move(hooks), std::move(parent));
}

/// The child of a supervisor that is a supervisor of either kind.
template <class Actor, class Spec>
child_spec child_of_kind(Spec spec, supervisor_hooks hooks) {
  child_spec child;
  child.id = spec.path.substr(spec.path.rfind('/') + 1);
  child.type = child_type::supervisor;
  child.below = std::make_shared<subtree_spec>(subtree_spec{spec});
  child.start = [spec = std::move(spec),
                 hooks = std::move(hooks)](caf::scheduled_actor& parent) -> start_result {
    return spawn_checked<Actor>(parent.home_system(), spec, hooks, parent.address());
  };
  return child;
}

} // namespace purser::supervisors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::begin_start)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::supervisor_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::shutdown_passed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::stuck_passed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::start_due)
