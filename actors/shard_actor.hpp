// A shard: the only one that starts its entities and heals them when they crash; it hands on the
// messages of those that do not run (router.hpp). Everything it must not forget is in shard_state
// and its inbox, which outlive its incarnations.
//
// D1 Messages reach an entity in the order in which they were sent to it (R1).
// D2 At most one incarnation of an entity runs: the next is started only when the last one is down.
// D3 A crash of an entity is decided by supervisors/entity_restarts.hpp and touches nobody else
// (B10). D4 More than max_live entities: the least recently used leave memory (cell_table.hpp).
// D5 However a shard ends, by a crash or with its supervisor: unless the node ends, its entities go
// on, and the next incarnation takes over what is in shard_state (B6).
#pragma once

#include "actors/entity_cell.hpp"
#include "actors/entity_shell.hpp"
#include "actors/node_context.hpp"
#include "actors/shard_look.hpp"

#include <caf/event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace purser {

struct shard_state {
  explicit shard_state(std::uint16_t number) : index(number) {}

  const std::uint16_t index;
  std::unordered_map<caf::actor_id, entity_shell_ptr> shells; ///< by their actors
  std::size_t live = 0;                                       ///< entities that run
  envelope_queue undistributed;                               ///< taken out of the inbox
  std::vector<entity_cell_ptr> opening;    ///< they run, and the inbox has yet to be told
  std::vector<entity_cell_ptr> restarting; ///< crashed, and waiting for their backoff
  std::int64_t started_at_ns = 0;          ///< monotonic: of the shard's incarnation
};

/// A shard answers this at once, ahead of what is queued.
struct shard_request {
  std::shared_ptr<const shard_question> question;
};

class shard_actor final : public caf::event_based_actor {
public:
  shard_actor(caf::actor_config& config, node_context& node, std::shared_ptr<shard_state> state);

  caf::behavior make_behavior() override;
  const char* name() const override { return "shard"; }

private:
  void distribute();
  void deliver(envelope_ptr message);
  bool ends() const; ///< the shard, or the node
  void start(const entity_cell_ptr& cell);
  void add_shell();
  bool open_started();
  void on_down(const caf::down_msg& down);
  void close(const entity_cell_ptr& cell);
  void on_crash(const entity_cell_ptr& cell);
  void restart_later(const entity_cell_ptr& cell, std::int64_t delay_ms);
  void start_again(const entity_cell_ptr& cell);
  void quarantine(const entity_cell_ptr& cell);
  void release(const envelope& request);
  void refuse(const envelope& message, bool may_have_happened);
  void refuse_all(envelope_queue messages, bool may_have_happened);
  /// `started`: at least so many are asked to leave.
  void limit_live(std::size_t started);
  bool passivate(const entity_cell_ptr& cell);
  void begin_stop(const caf::error& reason);
  void end();

  void report(supervisors::event_kind kind, const entity_cell& cell);
  supervisors::supervision_event event_of(supervisors::event_kind kind,
                                          const entity_cell& cell) const;

  node_context& node_;
  std::shared_ptr<shard_state> state_;
  bool ending_ = false;
  caf::error end_reason_;
};

} // namespace purser

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::shard_request)
