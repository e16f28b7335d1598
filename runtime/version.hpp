// Which purser this is.
#pragma once

namespace purser {

inline constexpr const char* version = "0.1.0";

} // namespace purser
