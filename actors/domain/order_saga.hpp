// The order's workflow as a process manager: what happened -> the next messages (domain.md,
// "Saga").
//
//   holding -> authorizing -> committing -> capturing -> (confirmed)            C1
//      |  short       | declined                | refused
//      v              v                         v
//   letting_go     reversing (void or refund) -> releasing -> (canceled)       C2, C3
//   -> (rejected), or (backordered), which an offer of stock leads back to holding
//
// A hold that a forced count took (K10): reversing -> letting_go -> (backordered).
//
// Beside it, the tasks (order.hpp): each asks stock and the payment at once, and ends when both
// have answered. With capture on shipment, `capture` comes first and becomes `shipment`.
//
// Time (C8): `timer_due` asks, and the state decides whether a deadline has passed.
//
// G1 A stage is volatile, the phase and the tasks are journaled: after a crash the phase's first
// stage and every task start again, and everybody asked twice answers as before.
// G2 Money goes back before stock is released (C3).
// G3 Cancel and capture meet here; the payment makes the balance zero whatever was under way (C5).
#pragma once

#include "actors/domain/order.hpp"
#include "actors/domain/stock_fanout.hpp"

#include <map>
#include <utility>

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
  refunding, ///< stock is released; the money is on its way back (C2)
};

/// Where a task stands.
struct task_progress {
  stock_fanout stock;
  bool stock_done = false;
  bool money_done = false;
  std::optional<std::string> refused; ///< the money was, and why
};

/// Where the workflow stands within one life of the actor.
struct order_progress {
  order_stage stage = order_stage::none;
  stock_fanout stock;      ///< of a stage that asks stock
  bool money_back = false; ///< of canceling: nothing of the customer's is left with us
  bool sold = false;       ///< of committing: the money is captured already
  bool lost = false;       ///< of holding: a hold was taken while others were being asked for
  bool offered = false;    ///< stock was offered while the order was busy: try once more
  std::map<std::pair<task_kind, std::string>, task_progress> tasks;
};

/// Decides a client's command, a reply or resume_step. `context.self.key` is the order's id.
/// Throws broken_invariant for a message that no workflow sends to an order.
decision<order_event> decide(const order& current, order_progress& progress,
                             const message_body& request, const decide_context& context,
                             const order_policy& policy);

/// Decides, and evolves the order by the events on the way, so that nothing is copied. When it
/// throws, the order is half evolved: of no use.
decision<order_event> handle(order& current, order_progress& progress, const message_body& request,
                             const decide_context& context, const order_policy& policy);

} // namespace purser
