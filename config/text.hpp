// Text that people write and read: nearest names, times.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace purser::config {

/// The candidate nearest to `name` by edit distance, when it is near enough to be meant; else
/// empty.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

/// "\"quantty\"" with ", did you mean \"quantity\"?" behind it when something is near.
std::string with_suggestion(std::string_view name, std::span<const std::string_view> candidates);

/// Milliseconds since 1970 UTC of an RFC 3339 time ("1996-07-04T00:00:00Z", with an offset, with a
/// fraction of which three digits count); nothing when it is none. Years 1 to 9999.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

} // namespace purser::config
