// The order's machine as data (domain.md, "Order"): what each command meets in each status, and
// where each event leads. docs/machines.md is drawn from these tables.
#pragma once

#include "actors/domain/order.hpp"

#include <array>
#include <optional>

namespace purser {

/// What clients ask of an order. A cancel that names lines is a command of its own here.
enum class order_command : std::uint8_t {
  place,
  cancel,
  cancel_part,
  ship,
  deliver,
  return_goods,
  hold,
  resume,
  resolve,
  refund,
  retry,
};
BOOST_DESCRIBE_ENUM(order_command, place, cancel, cancel_part, ship, deliver, return_goods, hold,
                    resume, resolve, refund, retry)

/// What a command meets.
struct order_verdict {
  enum class kind : std::uint8_t {
    accept,
    already_so, ///< accepted, and nothing changes
    refuse,
    as_phase, ///< as in the phase that lies under on_hold or needs_attention
  };
  kind what = kind::refuse;
  rejection why = rejection::none; ///< of refuse

  friend bool operator==(const order_verdict&, const order_verdict&) = default;
};

struct order_transition {
  order_status from = order_status::absent;
  std::uint16_t event = 0; ///< its type number
  order_status to = order_status::absent;
};

namespace order_rules {

using status = order_status;
inline constexpr order_verdict ok{order_verdict::kind::accept};
inline constexpr order_verdict so{order_verdict::kind::already_so};
inline constexpr order_verdict under{order_verdict::kind::as_phase};
constexpr order_verdict no(rejection why) {
  return {order_verdict::kind::refuse, why};
}
inline constexpr auto no_id = no(rejection::id_reused);
inline constexpr auto no_order = no(rejection::order_unknown);
inline constexpr auto no_yet = no(rejection::order_not_confirmed);
inline constexpr auto no_left = no(rejection::order_already_shipped);
inline constexpr auto no_gone = no(rejection::order_canceled);
inline constexpr auto no_rej = no(rejection::order_rejected);
inline constexpr auto no_attn = no(rejection::order_needs_attention);
inline constexpr auto no_hold = no(rejection::order_on_hold);
inline constexpr auto no_none = no(rejection::nothing_to_resume);
inline constexpr auto no_unkn = no(rejection::nothing_to_resolve);
inline constexpr auto no_try = no(rejection::nothing_to_retry);
inline constexpr auto no_more = no(rejection::quantity_exceeded);
inline constexpr auto no_clsd = no(rejection::order_closed);
inline constexpr auto no_ship = no(rejection::shipment_unknown);

inline constexpr std::array statuses{
  status::absent,      status::reserving, status::awaiting_payment, status::confirmed,
  status::fulfilling,  status::completed, status::returning,        status::canceling,
  status::canceled,    status::rejected,  status::on_hold,          status::needs_attention,
  status::backordered, status::closed,
};

struct command_row {
  order_command command = order_command::place;
  std::array<order_verdict, statuses.size()> verdicts; ///< in the order of `statuses`
};

// clang-format off
inline constexpr std::array commands{
  //                                       absent    reserving awaiting  confirmed fulfill   completed returning canceling canceled  rejected on_hold  attention backord. closed
  command_row{order_command::place,        {ok,       no_id,    no_id,    no_id,    no_id,    no_id,    no_id,    no_id,    no_id,    no_id,   no_id,   no_id,    no_id,   no_id}},
  command_row{order_command::cancel,       {no_order, ok,       ok,       ok,       ok,       no_left,  no_left,  so,       so,       no_rej,  under,   under,    ok,      no_clsd}},
  command_row{order_command::cancel_part,  {no_order, no_yet,   no_yet,   ok,       ok,       no_left,  no_left,  no_gone,  no_gone,  no_rej,  under,   under,    no_yet,  no_clsd}},
  command_row{order_command::ship,         {no_order, no_yet,   no_yet,   ok,       ok,       no_left,  no_left,  no_gone,  no_gone,  no_rej,  no_hold, no_attn,  no_yet,  no_clsd}},
  command_row{order_command::deliver,      {no_order, no_yet,   no_yet,   no_ship,  ok,       ok,       ok,       no_gone,  no_gone,  no_rej,  under,   under,    no_yet,  no_clsd}},
  command_row{order_command::return_goods, {no_order, no_yet,   no_yet,   no_more,  ok,       ok,       ok,       no_gone,  no_gone,  no_rej,  under,   no_attn,  no_yet,  no_clsd}},
  command_row{order_command::hold,         {no_order, no_yet,   ok,       ok,       ok,       no_left,  no_left,  no_gone,  no_gone,  no_rej,  so,      no_attn,  no_yet,  no_clsd}},
  command_row{order_command::resume,       {no_order, no_none,  no_none,  no_none,  no_none,  no_none,  no_none,  no_none,  no_none,  no_none, ok,      no_none,  no_none, no_none}},
  command_row{order_command::resolve,      {no_order, no_unkn,  no_unkn,  no_unkn,  no_unkn,  no_unkn,  no_unkn,  no_unkn,  no_unkn,  no_unkn, no_unkn, ok,       no_unkn, no_unkn}},
  command_row{order_command::refund,       {no_order, no_yet,   no_yet,   ok,       ok,       ok,       ok,       no_gone,  no_gone,  no_rej,  under,   no_attn,  no_yet,  no_clsd}},
  command_row{order_command::retry,        {no_order, no_try,   no_try,   no_try,   no_try,   no_try,   no_try,   no_try,   no_try,   no_try,  ok,      no_try,   no_try,  no_try}},
};
// clang-format on

/// Events that lead to another phase.
inline constexpr std::array transitions{
  order_transition{status::absent, order_placed::type, status::reserving},
  order_transition{status::reserving, order_reserved::type, status::awaiting_payment},
  order_transition{status::reserving, order_rejected::type, status::rejected},
  order_transition{status::reserving, cancel_requested::type, status::canceling},
  order_transition{status::awaiting_payment, order_confirmed::type, status::confirmed},
  order_transition{status::awaiting_payment, payment_failed::type, status::canceling},
  order_transition{status::awaiting_payment, cancel_requested::type, status::canceling},
  order_transition{status::confirmed, cancel_requested::type, status::canceling},
  order_transition{status::confirmed, order_shipped::type, status::fulfilling},
  order_transition{status::fulfilling, order_shipped::type, status::fulfilling},
  order_transition{status::fulfilling, order_completed::type, status::completed},
  order_transition{status::completed, order_returned::type, status::returning},
  order_transition{status::returning, returns_settled::type, status::completed},
  order_transition{status::canceling, order_canceled::type, status::canceled},
  order_transition{status::reserving, order_backordered::type, status::backordered},
  order_transition{status::awaiting_payment, order_backordered::type, status::backordered}, // K10
  order_transition{status::backordered, backorder_tried::type, status::reserving},
  order_transition{status::backordered, cancel_requested::type, status::canceling},
  order_transition{status::backordered, order_given_up::type, status::canceling},
  order_transition{status::awaiting_payment, order_given_up::type, status::canceling},
  order_transition{status::completed, order_closed::type, status::closed},
};

struct phase_events {
  order_status phase = order_status::absent;
  std::array<std::uint16_t, 12> events{}; ///< type numbers; 0: none
};

/// Events that leave the phase as it is.
inline constexpr std::array stays{
  phase_events{status::reserving, {order_parked::type, order_unparked::type}},
  phase_events{status::awaiting_payment,
               {order_parked::type, order_unparked::type, payment_resolved::type, order_held::type,
                order_resumed::type, payment_declined::type, payment_retried::type,
                order_hold_lost::type, payment_needs_action::type, payment_action_done::type,
                payment_overdue::type}},
  phase_events{status::confirmed,
               {order_parked::type, order_unparked::type, payment_resolved::type, order_held::type,
                order_resumed::type, shipment_requested::type, lines_canceled::type,
                refund_granted::type, task_settled::type, task_refused::type}},
  phase_events{status::fulfilling,
               {order_parked::type, order_unparked::type, payment_resolved::type, order_held::type,
                order_resumed::type, shipment_requested::type, lines_canceled::type,
                refund_granted::type, task_settled::type, task_refused::type, order_returned::type,
                order_delivered::type}},
  phase_events{status::completed,
               {order_parked::type, order_unparked::type, payment_resolved::type,
                refund_granted::type, task_settled::type, task_refused::type,
                order_delivered::type}},
  phase_events{status::returning,
               {order_parked::type, order_unparked::type, payment_resolved::type,
                refund_granted::type, task_settled::type, task_refused::type, order_delivered::type,
                order_returned::type}},
  phase_events{status::canceling,
               {order_parked::type, order_unparked::type, payment_resolved::type}},
};

} // namespace order_rules

/// The verdict in a status; every pair is in the table.
constexpr const order_verdict& verdict_on(order_status status, order_command command) {
  for (const auto& row : order_rules::commands)
    if (row.command == command)
      for (std::size_t i = 0; i < order_rules::statuses.size(); ++i)
        if (order_rules::statuses[i] == status)
          return row.verdicts[i];
  throw broken_invariant("order_tables.hpp has no rule for a command");
}

/// Where an event leads from a phase; nothing when it is illegal there.
constexpr std::optional<order_status> next_phase(order_status from, std::uint16_t event) {
  for (const auto& transition : order_rules::transitions)
    if (transition.from == from && transition.event == event)
      return transition.to;
  for (const auto& row : order_rules::stays)
    if (row.phase == from)
      for (const auto stay : row.events)
        if (stay != 0 && stay == event)
          return from;
  return std::nullopt;
}

} // namespace purser
