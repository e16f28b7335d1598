#include "supervisors/restart_plan.hpp"

namespace purser::supervisors {

restart_plan plan_restart(strategy how, const std::vector<child_spec>& children,
                          const std::vector<bool>& running, std::size_t ended, bool normally) {
  restart_plan plan;
  switch (children[ended].restart) {
  case restart_type::temporary: plan.what = restart_plan::kind::forget; return plan; // S8
  case restart_type::transient:
    if (normally)
      return plan; // S9
    break;
  case restart_type::permanent: break;
  }
  plan.what = restart_plan::kind::restart;
  const auto first = how == strategy::one_for_all ? 0 : ended;
  const auto end = how == strategy::one_for_one ? ended + 1 : children.size();
  for (auto i = end; i-- > first;)
    if (i != ended && running[i])
      plan.stop.push_back(i);
  for (auto i = first; i < end; ++i) {
    if (children[i].restart !=
        restart_type::temporary) // S8; all that kept their spec start (S5, S9)
      plan.start.push_back(i);
  }
  return plan;
}

} // namespace purser::supervisors
