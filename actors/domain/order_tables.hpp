// The order's machine as data: what each command meets in each phase, and where each event leads.
// Everything not listed is refused without effect. docs/architecture.md draws it.
#pragma once

#include "actors/domain/order.hpp"

#include <array>
#include <optional>

namespace purser {

enum class order_command : std::uint8_t { place, cancel, ship };
BOOST_DESCRIBE_ENUM(order_command, place, cancel, ship)

/// What a command meets.
struct order_verdict {
  enum class kind : std::uint8_t { accept, already_so, refuse };
  kind what = kind::refuse;
  rejection why = rejection::none; ///< of refuse
};

struct order_command_rule {
  order_status phase = order_status::absent;
  order_command command = order_command::place;
  order_verdict verdict;
};

struct order_transition {
  order_status from = order_status::absent;
  std::uint16_t event = 0;                ///< its type number
  order_status to = order_status::absent; ///< absent: back to the phase that was left
};

namespace order_rules {

using status = order_status;
inline constexpr order_verdict accept{order_verdict::kind::accept};
inline constexpr order_verdict already_so{order_verdict::kind::already_so};
constexpr order_verdict refuse(rejection why) {
  return {order_verdict::kind::refuse, why};
}

inline constexpr std::array commands{
  order_command_rule{status::absent, order_command::place, accept},
  order_command_rule{status::absent, order_command::cancel, refuse(rejection::order_unknown)},
  order_command_rule{status::absent, order_command::ship, refuse(rejection::order_unknown)},

  order_command_rule{status::reserving, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::reserving, order_command::cancel, accept},
  order_command_rule{status::reserving, order_command::ship,
                     refuse(rejection::order_not_confirmed)},

  order_command_rule{status::awaiting_payment, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::awaiting_payment, order_command::cancel, accept},
  order_command_rule{status::awaiting_payment, order_command::ship,
                     refuse(rejection::order_not_confirmed)},

  order_command_rule{status::confirmed, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::confirmed, order_command::cancel, accept},
  order_command_rule{status::confirmed, order_command::ship, accept},

  order_command_rule{status::fulfilling, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::fulfilling, order_command::cancel,
                     refuse(rejection::order_already_shipped)},
  order_command_rule{status::fulfilling, order_command::ship,
                     refuse(rejection::order_already_shipped)},

  order_command_rule{status::completed, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::completed, order_command::cancel,
                     refuse(rejection::order_already_shipped)},
  order_command_rule{status::completed, order_command::ship,
                     refuse(rejection::order_already_shipped)},

  order_command_rule{status::canceling, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::canceling, order_command::cancel, already_so},
  order_command_rule{status::canceling, order_command::ship, refuse(rejection::order_canceled)},

  order_command_rule{status::canceled, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::canceled, order_command::cancel, already_so},
  order_command_rule{status::canceled, order_command::ship, refuse(rejection::order_canceled)},

  order_command_rule{status::rejected, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::rejected, order_command::cancel, refuse(rejection::order_rejected)},
  order_command_rule{status::rejected, order_command::ship, refuse(rejection::order_rejected)},

  order_command_rule{status::needs_attention, order_command::place, refuse(rejection::id_reused)},
  order_command_rule{status::needs_attention, order_command::cancel,
                     refuse(rejection::payment_unknown)},
  order_command_rule{status::needs_attention, order_command::ship,
                     refuse(rejection::order_not_confirmed)},
};

inline constexpr std::array transitions{
  order_transition{status::absent, order_placed::type, status::reserving},

  order_transition{status::reserving, order_reserved::type, status::awaiting_payment},
  order_transition{status::reserving, order_rejected::type, status::rejected},
  order_transition{status::reserving, cancel_requested::type, status::canceling},
  order_transition{status::reserving, order_parked::type, status::needs_attention},

  order_transition{status::awaiting_payment, order_confirmed::type, status::confirmed},
  order_transition{status::awaiting_payment, payment_failed::type, status::canceling},
  order_transition{status::awaiting_payment, cancel_requested::type, status::canceling},
  order_transition{status::awaiting_payment, order_parked::type, status::needs_attention},

  order_transition{status::confirmed, cancel_requested::type, status::canceling},
  order_transition{status::confirmed, order_shipped::type, status::fulfilling},

  order_transition{status::fulfilling, order_completed::type, status::completed},
  order_transition{status::fulfilling, order_parked::type, status::needs_attention},

  order_transition{status::canceling, order_canceled::type, status::canceled},
  order_transition{status::canceling, order_parked::type, status::needs_attention},

  order_transition{status::needs_attention, order_resumed::type, status::absent},
};

} // namespace order_rules

/// The rule for a command in a phase; every pair is in the table.
constexpr const order_verdict& verdict_on(order_status phase, order_command command) {
  for (const auto& rule : order_rules::commands)
    if (rule.phase == phase && rule.command == command)
      return rule.verdict;
  throw broken_invariant("order_tables.hpp has no rule for a command");
}

/// Where an event leads from a phase; nothing when it is illegal there.
constexpr std::optional<order_status> next_status(order_status from, std::uint16_t event) {
  for (const auto& transition : order_rules::transitions)
    if (transition.from == from && transition.event == event)
      return transition.to;
  return std::nullopt;
}

} // namespace purser
