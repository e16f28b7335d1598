// What an order is waiting for, in words.
#pragma once

#include "actors/views.hpp"
#include "runtime/engine.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace purser::tools {

struct explanation {
  std::string status;
  std::optional<std::string> reason;
  std::string since;   ///< when it came to this status, RFC 3339
  std::string because; ///< the event that led to it, and the command behind it if any
  std::vector<std::string> waits_for;
  std::optional<std::string> next; ///< when something happens by itself, and what
  std::vector<std::string> can_do; ///< commands that would change something
};
BOOST_DESCRIBE_STRUCT(explanation, (), (status, reason, since, because, waits_for, next, can_do))

/// `order` comes with its payment; `history` is its own events.
explanation explain(const order_view& order, const std::vector<event_notice>& history);

/// For people, a line each.
std::string to_text(const std::string& order_id, const explanation& what);

} // namespace purser::tools
