// Stored events as JSON.
#pragma once

#include "actors/ports/journal.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace purser {

/// The fields of an event. Throws journal_corrupt when this program cannot read it.
boost::json::object event_data(const recorded_event& event);

} // namespace purser
