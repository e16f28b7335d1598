// The order's workflow as a process manager: what happened -> the next messages (domain.md,
// "Saga").
//
//   holding -> authorizing -> committing -> capturing -> (confirmed)            C1
//      |  short       | declined                | refused
//      v              v                         v
//   letting_go     reversing (void or refund) -> releasing -> (canceled)       C2, C3
//   -> (rejected)
//   (confirmed) -> shipping -> (completed)
//
// G1 A stage is volatile, the phase is journaled: after a crash the phase's first stage starts
// again, and
//    everybody asked twice answers as before.       G2 Money goes back before stock is released
//    (C3).
// G3 Cancel and capture meet here; the payment makes the balance zero whatever was under way (C5).
#pragma once

#include "actors/domain/order.hpp"
#include "actors/domain/stock_fanout.hpp"

namespace purser {

enum class order_stage : std::uint8_t {
  none,
  holding,
  letting_go,
  authorizing,
  committing,
  capturing,
  reversing,
  releasing,
  shipping,
};

/// Where the workflow stands within one life of the actor.
struct order_progress {
  order_stage stage = order_stage::none;
  stock_fanout stock; ///< of a stage that asks stock
};

/// Decides a client's command, a reply or resume_step. `context.self.key` is the order's id.
/// Throws broken_invariant for a message that no workflow sends to an order.
decision<order_event> decide(const order& current, order_progress& progress,
                             const message_body& request, const decide_context& context);

} // namespace purser
