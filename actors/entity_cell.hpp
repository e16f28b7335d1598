// An entity of a shard. Its mailbox, its restart record and why it last failed outlive its
// incarnations.
#pragma once

#include "actors/domain/entity_ref.hpp"
#include "actors/domain/money.hpp"
#include "actors/incarnation.hpp"
#include "actors/mailbox.hpp"
#include "supervisors/entity_restarts.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace purser {

struct entity_cell : std::enable_shared_from_this<entity_cell> {
  explicit entity_cell(entity_ref of) : ref(std::move(of)), hash(stable_hash(ref)) {}

  const entity_ref ref;
  const std::uint64_t hash; ///< stable_hash of `ref`
  mailbox box;

  /// Null before its first turn, and after a crash.
  std::unique_ptr<incarnation> own;

  // Written by the running incarnation; read by the shard once that is down.
  supervisors::entity_restart_state restarts;
  bool recovering = true;           ///< it has not yet been rebuilt from the journal
  bool first_ever = false;          ///< there is nothing to rebuild it from (envelope::first_ever)
  bool counted_open = false;        ///< it is counted among node_context::open
  std::optional<unix_millis> timer; ///< as told to node_context::set_timer
  std::string failure;              ///< why the last incarnation ended
  std::uint64_t version = 0;        ///< of the entity, as far as it was seen
  std::int64_t failed_at_ns = 0;    ///< monotonic; 0 once it is healed

  // Its cell_table's own.
  bool open = false;            ///< messages may come straight into its mailbox
  bool used_again = false;      ///< after a pause
  entity_cell* newer = nullptr; ///< of the open ones like it: used next after this one
  entity_cell* older = nullptr;
  std::uint64_t used_at = 0;    ///< openings so far when it was last used
  std::uint64_t counted_at = 0; ///< and when a use of it was last counted
  std::uint8_t chances = 0;     ///< to stay although it is the oldest

  // The shard's own.
  bool alive = false; ///< in memory; else it waits for its restart, or is quarantined
  bool quarantined = false;
  std::int64_t started_at_ns = 0; ///< monotonic: of the running incarnation
  std::int64_t crashed_at_ns = 0; ///< monotonic: of the last crash
};

using entity_cell_ptr = std::shared_ptr<entity_cell>;

} // namespace purser
