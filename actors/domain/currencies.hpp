// The currencies of ISO 4217.
#pragma once

#include <string_view>

namespace purser {

/// Whether the alphabetic code ("USD") is active in ISO 4217.
bool is_currency(std::string_view code);

} // namespace purser
