#include "supervisors/restart_plan.hpp"

#include <caf/error.hpp>

#include <algorithm>

namespace purser::supervisors {

directive directive_for(const child_rules& child, const caf::error& cause) {
  const auto rule = std::find_if(child.on_failure.begin(), child.on_failure.end(),
                                 [&cause](const auto& it) { return it.matches(cause); });
  return rule == child.on_failure.end() ? directive::restart : rule->then;
}

after_end after(const child_rules& child, bool normally, directive how) {
  if (!normally && how == directive::escalate)
    return after_end::escalate;
  if (child.restart == restart_type::temporary)
    return after_end::forget; // S8
  if (normally)
    return child.restart == restart_type::permanent ? after_end::restart
                                                    : after_end::stay_down; // S9
  return how == directive::stop ? after_end::stay_down : after_end::restart;
}

bool shuts_down(auto_shutdown when, const child_rules& ended, bool another) {
  switch (when) {
  case auto_shutdown::never: return false;
  case auto_shutdown::any_significant: return ended.significant;
  case auto_shutdown::all_significant: return ended.significant && !another;
  }
  return false;
}

restart_plan plan_restart(strategy how, const std::vector<child_spec>& children,
                          const std::vector<bool>& running, std::size_t ended) {
  restart_plan plan;
  const auto first = how == strategy::one_for_all ? 0 : ended;
  const auto end = how == strategy::one_for_one ? ended + 1 : children.size();
  for (auto i = end; i-- > first;)
    if (i != ended && running[i])
      plan.stop.push_back(i);
  for (auto i = first; i < end; ++i)
    if (children[i].restart != restart_type::temporary)
      plan.start.push_back(i); // S8; all that kept their spec start (S5, S9)
  return plan;
}

} // namespace purser::supervisors
