// The supervisor: an actor that starts its children in order, sees at once when one ends, and
// carries out what restart_plan.hpp says.
//
//   starting --all up--> running --a child ended--> restarting --all up--> running
//      | a start failed      \___ asked to end, or too many restarts ___/
//      v                                       v
//   stopping (children in reverse order) -> ended with its reason
#pragma once

#include "supervisors/child_spec.hpp"
#include "supervisors/event.hpp"

#include <caf/event_based_actor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace purser::supervisors {

/// The exit reason of a supervisor that gave up (B2): abnormal, so that a transient one is
/// restarted.
caf::error intensity_exceeded();
/// The exit reason of a supervisor whose first start failed; `why` names the child. Two reasons are
/// equal whatever their text.
caf::error start_failed(const std::string& why = {});
/// The exit reason of a supervisor one of whose hooks threw. Its children are killed.
caf::error supervisor_broken();
/// The text of an exit reason, those above by their names.
std::string to_text(const caf::error& exit);

/// One child, as which_children answers (S21).
struct child_info {
  std::string id;
  bool running = false;
  child_type type = child_type::worker;
  restart_type restart = restart_type::permanent;
  std::uint32_t restarts = 0;
  std::string last_cause;
  std::int64_t uptime_ms = 0; ///< while it runs
  caf::actor handle; ///< null while it does not run; stale after its next restart: ask again
};

struct child_counts {
  std::size_t specs = 0;
  std::size_t active = 0;
  std::size_t supervisors = 0;
  std::size_t workers = 0;
};

child_counts count(const std::vector<child_info>& children);

struct supervisor_hooks {
  event_sink on_event; ///< may be empty
  /// Called once: with "" when all children are up, else with what failed once all are down again.
  std::function<void(const std::string& error)> on_started;
  /// Uniform in [0, 1), for jitter; without it there is none.
  std::function<double()> random;
  /// The text of an exit reason; without it to_text's.
  std::function<std::string(const caf::error&)> render;
};

/// Spawns a supervisor. Throws std::invalid_argument with every mistake of the spec. Keep the
/// handle: a supervisor that nobody refers to ends, and kills its children. The hooks run in its
/// context.
caf::actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec,
                            supervisor_hooks hooks);

/// The same as a child of another supervisor: the parent's start waits until this one is up (S1).
caf::actor spawn_supervisor(caf::local_actor& parent, supervisor_spec spec, supervisor_hooks hooks);

/// The spec of a child that is such a supervisor: its id is the last part of its path, and what is
/// below it is known to the bounds of tree_bounds.hpp.
child_spec supervisor_child(supervisor_spec spec, supervisor_hooks hooks);

/// Asks a supervisor to end in order, ahead of whatever is queued (B4). Watch it to know when it
/// has.
void stop_supervisor(const caf::actor& supervisor);

/// Requests that a supervisor answers.
using which_children_atom = caf::atom_constant<caf::atom("which")>; // std::vector<child_info>
using count_children_atom = caf::atom_constant<caf::atom("count")>; // child_counts
using child_spec_atom = caf::atom_constant<caf::atom("spec")>;      // std::string id -> child_spec

} // namespace purser::supervisors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::child_spec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::supervisors::child_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<purser::supervisors::child_info>)
