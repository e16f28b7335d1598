#pragma once

#include <cstdint>

namespace purser::supervisors {

/// What to do about a failure, by its kind (A9).
enum class directive : std::uint8_t {
  resume,   ///< go on with the state it had. For entities alone (entity_restarts.hpp): an actor
            ///< that has ended has no state to go on with, so a child's spec may not say it
  restart,  ///< as the restart type says
  stop,     ///< not again. A child's spec stays unless it is temporary, and nothing runs
  escalate, ///< not ours to heal: the supervisor stops its children and ends with the same cause
};

} // namespace purser::supervisors
