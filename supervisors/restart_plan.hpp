// What a supervisor does when a child has ended: pure. The actors only carry it out.
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstddef>
#include <vector>

namespace purser::supervisors {

/// What becomes of a child that has ended by itself.
enum class after_end : std::uint8_t {
  stay_down, ///< it ended as it may, or a rule stops it; its spec stays
  forget,    ///< its spec is dropped
  restart,   ///< counts towards the intensity, once (S11)
  escalate,  ///< the supervisor gives up because a rule says so (A9)
};

/// What the rules of a child say to an abnormal exit; asked before its restart type is.
directive directive_for(const child_rules& child, const caf::error& cause);

/// `how` counts only for an abnormal exit.
after_end after(const child_rules& child, bool normally, directive how);

/// Whether the end of `ended`, which is not to be restarted, is the end of its supervisor, too
/// (S16). `another` says whether another significant child runs or is about to.
bool shuts_down(auto_shutdown when, const child_rules& ended, bool another);

struct restart_plan {
  std::vector<std::size_t> stop;  ///< in this order: the reverse of their start
  std::vector<std::size_t> start; ///< in this order
};

/// Whom to stop and start when `ended` is to be restarted. `children` are in start order; `running`
/// says which of them run besides the one that ended.
restart_plan plan_restart(strategy how, const std::vector<child_spec>& children,
                          const std::vector<bool>& running, std::size_t ended);

} // namespace purser::supervisors
