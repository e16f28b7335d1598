#include "runtime/tree.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <utility>

namespace purser {

//  path                 strategy      intensity  child            restart     shutdown
//  -------------------  ------------  ---------  ---------------  ----------  ---------
//  root                 one_for_all   2 in 5 s   shards           permanent   unlimited
//  root/shards          one_for_one   8 in 5 s   shard-0..N-1     permanent   10 s
//  root/shards/shard-i  (a shard supervises its entities itself: one restart record for each
//  entity,
//                        supervisors/entity_restarts.hpp; B3, B5, B10)
//
// A shard that crashes loses nothing: what it must not forget is in shard_state and the router.
// Root gives up only when shards crash over and over; then the engine is finished, and its host is
// told.

namespace {

using namespace std::chrono_literals;

supervisors::supervisor_spec shards_spec(node_context& node, const shard_states& shards) {
  supervisors::supervisor_spec spec{
    "root/shards", supervisors::strategy::one_for_one, 8, 5'000ms, {}};
  for (const auto& state : shards) {
    supervisors::child_spec child;
    child.id = "shard-" + std::to_string(state->index);
    child.shutdown = 10'000ms;
    child.start = [&node, state](caf::scheduled_actor& parent) -> supervisors::start_result {
      return caf::actor{parent.home_system().spawn<shard_actor>(node, state)};
    };
    spec.children.push_back(std::move(child));
  }
  return spec;
}

} // namespace

void end_entities(router& way, const shard_states& shards) {
  for (const auto& shard : shards)
    for (const auto& [id, shell] : shard->shells)
      if (const auto actor = way.inbox(shard->index).retire(shell))
        caf::anon_send_exit(actor, caf::exit_reason::kill);
}

void stop_tree(caf::actor_system& system, node_context& node, const shard_states& shards,
               const caf::actor& root) {
  node.stopping = true; // first: else the shards leave their entities to their next incarnation
  if (root) {
    caf::scoped_actor self{system};
    supervisors::stop_supervisor(root);
    self->wait_for(root);
  }
  end_entities(node.router, shards);
}

caf::actor start_tree(caf::actor_system& system, node_context& node, const shard_states& shards,
                      supervisors::supervisor_hooks hooks) {
  supervisors::child_spec shards_child;
  shards_child.id = "shards";
  shards_child.type = supervisors::child_type::supervisor;
  shards_child.shutdown = supervisors::shutdown_unlimited{};
  auto inner = hooks;
  inner.on_started = nullptr;
  shards_child.start = [&node, shards,
                        inner](caf::scheduled_actor& parent) -> supervisors::start_result {
    return supervisors::spawn_supervisor(parent, shards_spec(node, shards), inner);
  };
  return supervisors::spawn_supervisor(
    system, {"root", supervisors::strategy::one_for_all, 2, 5'000ms, {std::move(shards_child)}},
    std::move(hooks));
}

} // namespace purser
