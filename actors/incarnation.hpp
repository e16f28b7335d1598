// What there is of an entity in memory beside its cell: from its rebuilding out of the journal
// until it leaves memory, or crashes. It belongs to the shell that the entity runs in (S1), else to
// whoever has claimed its mailbox.
#pragma once

#include "actors/entity_image.hpp"

#include <cstdint>
#include <memory>

namespace purser {

/// What the journal answers, on whatever thread.
struct journal_reply;

struct incarnation {
  /// `number`: of all incarnations of the node, this one's.
  incarnation(const entity_ref& ref, const shop_policy& policy, std::uint64_t number);

  /// Whether it may leave memory (E5), if it has nothing in its mailbox.
  bool can_leave(position durable) const {
    return !image.has_open_step() && !image.must_resume() && last_position <= durable;
  }

  /// A number for one decision, and for thousands of askings in it (decide_context::attempt).
  std::uint64_t next_attempt();

  entity_image image;
  position last_position = 0;
  stream_place place;        ///< in the journal
  bool was_absent = false;   ///< it had no history: what it has done, it has done in here
  bool told_payment = false; ///< of an order
  bool asked_index = false;  ///< about the message in hand
  std::shared_ptr<journal_reply> reply; ///< the last one

private:
  std::uint64_t attempts_; ///< the number of the last decision
};

} // namespace purser
