// An actor that serves one entity after another: starting and ending one for each order would cost
// more than what the order does. It belongs to a shard.
//
// An entity that leaves memory leaves its shell to the next one; a crash takes the shell with it.
#pragma once

#include "actors/entity_cell.hpp"

#include <caf/actor.hpp>

#include <mutex>
#include <utility>

namespace purser {

class entity_shell {
public:
  // The shard's own.
  caf::actor handle;
  entity_cell_ptr cell; ///< whom it serves; null while it is idle

  /// By the shard, with a wake-up behind it.
  void hand_over(entity_cell_ptr entity) {
    const std::lock_guard lock{mutex_};
    next_ = std::move(entity);
  }

  /// By the actor: whom it is to serve from now on; null when there is nobody.
  entity_cell_ptr take_over() {
    const std::lock_guard lock{mutex_};
    return std::exchange(next_, nullptr);
  }

private:
  std::mutex mutex_;
  entity_cell_ptr next_;
};

using entity_shell_ptr = std::shared_ptr<entity_shell>;

} // namespace purser
