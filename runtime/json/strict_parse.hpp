// JSON text to a value, strictly: one document, bounded depth, and no field twice (Boost.JSON would
// keep the last one silently).
#pragma once

#include <boost/json/value.hpp>

#include <string_view>

namespace purser {

/// Throws config::json_error with the pointer of a repeated field, or "" and the byte offset of a
/// syntax error.
boost::json::value parse_strictly(std::string_view json);

} // namespace purser
