// What a supervisor does when a child has ended: pure. The actor only carries it out.
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstddef>
#include <vector>

namespace purser::supervisors {

struct restart_plan {
  enum class kind : std::uint8_t {
    nothing, ///< it ended as it may; its spec stays
    forget,  ///< its spec is dropped
    restart, ///< counts towards the intensity, once (S11)
  };
  kind what = kind::nothing;
  std::vector<std::size_t> stop;  ///< in this order: the reverse of their start
  std::vector<std::size_t> start; ///< in this order
};

/// `children` in start order; `running` says which of them run besides the one that ended.
restart_plan plan_restart(strategy how, const std::vector<child_spec>& children,
                          const std::vector<bool>& running, std::size_t ended, bool normally);

} // namespace purser::supervisors
