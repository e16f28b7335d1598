#include "supervisors/dynamic_supervisor.hpp"

#include "supervisors/dynamic_supervisor_actor.hpp"
#include "supervisors/tree_bounds.hpp"

#include <caf/actor_system.hpp>

#include <memory>
#include <utility>

namespace purser::supervisors {

std::vector<spec_error> check(const dynamic_supervisor_spec& spec) {
  constexpr auto the_template = "instances";
  std::vector<spec_error> errors;
  check_limits(spec.path, spec.period, spec.stuck_after, errors);
  if (!spec.instances.start)
    errors.push_back({the_template, "start", "must be a function"});
  check_rules(spec.instances, the_template, spec.auto_shutdown, errors);
  return errors;
}

caf::actor spawn_dynamic_supervisor(caf::actor_system& system, dynamic_supervisor_spec spec,
                                    supervisor_hooks hooks) {
  return spawn_checked<dynamic_supervisor_actor>(system, std::move(spec), std::move(hooks), {});
}

caf::actor spawn_dynamic_supervisor(caf::local_actor& parent, dynamic_supervisor_spec spec,
                                    supervisor_hooks hooks) {
  return spawn_checked<dynamic_supervisor_actor>(parent.home_system(), std::move(spec),
                                                 std::move(hooks), parent.address());
}

child_spec dynamic_supervisor_child(dynamic_supervisor_spec spec, supervisor_hooks hooks) {
  return child_of_kind<dynamic_supervisor_actor>(std::move(spec), std::move(hooks));
}

} // namespace purser::supervisors
