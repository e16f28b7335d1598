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
  require_none(spec.path, check(spec));
  return system.spawn<dynamic_supervisor_actor>(std::move(spec), std::move(hooks),
                                                caf::actor_addr{});
}

caf::actor spawn_dynamic_supervisor(caf::local_actor& parent, dynamic_supervisor_spec spec,
                                    supervisor_hooks hooks) {
  require_none(spec.path, check(spec));
  return parent.home_system().spawn<dynamic_supervisor_actor>(std::move(spec), std::move(hooks),
                                                              parent.address());
}

child_spec dynamic_supervisor_child(dynamic_supervisor_spec spec, supervisor_hooks hooks) {
  child_spec child;
  child.id = spec.path.substr(spec.path.rfind('/') + 1);
  child.type = child_type::supervisor;
  child.below = std::make_shared<subtree_spec>(subtree_spec{spec});
  child.start = [spec = std::move(spec),
                 hooks = std::move(hooks)](caf::scheduled_actor& parent) -> start_result {
    return spawn_dynamic_supervisor(parent, spec, hooks);
  };
  return child;
}

} // namespace purser::supervisors
