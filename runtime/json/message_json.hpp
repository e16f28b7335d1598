// Messages as JSON, for people: a command as it was read, and what entities tell each other.
#pragma once

#include "actors/domain/messages.hpp"

#include <boost/json/object.hpp>

namespace purser {

/// The fields; of a command its `op` first.
boost::json::object message_json(const message_body& body);

} // namespace purser
