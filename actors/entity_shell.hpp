// An actor that entities with messages run in, one after another: most entities in memory have
// nothing to do, and do not need one. A shard has a few.
//
// S1 An entity runs in at most one shell: whoever wakes it (mailbox M4) finds it one, and it is
//    asleep again only when that one has let go of it.
// S2 A crash ends the shell, and its entity is healed (B1); nobody else was in it.
// S3 A shell that blocks holds up its entity, and nobody else as long as its shard has another
//    (entity_policy::shells).
#pragma once

#include "actors/entity_cell.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>

namespace purser {

struct entity_shell {
  caf::actor handle;       ///< the inbox's own, once it has been added there
  std::uint16_t shard = 0; ///< its number
  entity_cell_ptr serving; ///< the inbox's own; null while it is idle
};

using entity_shell_ptr = std::shared_ptr<entity_shell>;

} // namespace purser
