// An event as a JSON object, and as a line for people.
#pragma once

#include "runtime/engine.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace purser::tools {

boost::json::object event_object(const event_notice& event);

/// "3  1996-07-04T00:00:00Z  order_confirmed  {...}"
std::string history_line(const boost::json::object& event);

} // namespace purser::tools
