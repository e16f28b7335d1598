// The product's supervision tree, as one readable table.
#pragma once

#include "actors/node_context.hpp"
#include "actors/shard_actor.hpp"
#include "supervisors/supervisor.hpp"

#include <memory>
#include <vector>

namespace purser {

/// What the tree's actors must not forget when they crash.
using shard_states = std::vector<std::shared_ptr<shard_state>>;

/// Starts the tree. `hooks.on_started` says when it is up.
caf::actor start_tree(caf::actor_system& system, node_context& node, const shard_states& shards,
                      supervisors::supervisor_hooks hooks);

/// When the tree is down: ends the entities that outlived their shards (D5), if any did.
void end_entities(router& way, const shard_states& shards);

/// Ends the node in order, and waits until all of it is down. Nothing is healed any more, and what
/// comes is answered so. `root` may be null, when it has not started.
void stop_tree(caf::actor_system& system, node_context& node, const shard_states& shards,
               const caf::actor& root);

} // namespace purser
