// The dynamic supervisor (OTP's simple_one_for_one, S7): one template, any number of instances that
// come and go while it runs. Each is restarted by itself (S4), all share one intensity (S10), and
// they are stopped together under one timer (S3).
//
// It forgets its instances when it restarts (S17). What must run again is known from elsewhere, as
// from a journal, and asked for with `recall` (B6).
#pragma once

#include "supervisors/child_spec.hpp"
#include "supervisors/supervisor.hpp"

#include <caf/message.hpp>

#include <functional>
#include <string>
#include <vector>

namespace purser::supervisors {

/// One child of a dynamic supervisor.
struct instance {
  std::string id;         ///< unique among those that run; a part of its path
  caf::message arguments; ///< for the template's start function, at every incarnation
};

/// The template. A start function is held to the same as that of a child_spec.
struct instance_template : child_rules {
  std::function<start_result(caf::scheduled_actor& parent, const instance& which)> start;
};

struct dynamic_supervisor_spec {
  std::string path;
  instance_template instances;
  std::uint32_t intensity = 1; ///< restarts allowed within `period`, of all instances (S10)
  std::chrono::milliseconds period{5'000};
  supervisors::auto_shutdown auto_shutdown = supervisors::auto_shutdown::never;
  std::chrono::milliseconds stuck_after{1'000}; ///< as of a supervisor_spec
  /// What has to run already when the supervisor is up (B6); may be empty, must not block. Asked at
  /// each start; if it throws, or one of them fails to start, the start of the supervisor fails.
  std::function<std::vector<instance>()> recall;
};

/// A dry check (S21): every mistake, field by field; those of the template have its name.
std::vector<spec_error> check(const dynamic_supervisor_spec& spec);

/// As spawn_supervisor; stop_supervisor stops it, and it answers which_children, count_children
/// and child_spec requests, too.
caf::actor spawn_dynamic_supervisor(caf::actor_system& system, dynamic_supervisor_spec spec,
                                    supervisor_hooks hooks);
caf::actor spawn_dynamic_supervisor(caf::local_actor& parent, dynamic_supervisor_spec spec,
                                    supervisor_hooks hooks);

/// The spec of a child that is a dynamic supervisor; its id is the last part of its path.
child_spec dynamic_supervisor_child(dynamic_supervisor_spec spec, supervisor_hooks hooks);

/// std::string id, caf::message arguments -> caf::actor, once it is up; null if it said "ignore".
/// Errors: sec::invalid_argument for an id that is taken or has a '/'; start_failed with the cause,
/// and then nothing is kept; sec::request_receiver_down while the supervisor stops.
using start_child_atom = caf::atom_constant<caf::atom("startchild")>;
/// std::string id -> nothing, once it has ended and is forgotten.
/// Errors: sec::invalid_argument for an id that is not there.
using stop_child_atom = caf::atom_constant<caf::atom("stopchild")>;

} // namespace purser::supervisors
