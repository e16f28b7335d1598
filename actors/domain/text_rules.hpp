// What ids and texts may contain (contract.md, section 4).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace purser {

/// The number of characters of well-formed UTF-8; nothing when it is not (overlong, surrogate,
/// cut).
std::optional<std::size_t> utf8_length(std::string_view text);

/// Whether it holds nothing but U+0020 to 7E, so that its size is its number of characters.
bool is_printable_ascii(std::string_view text);

/// Whether it holds a control character: U+0000 to 1F or U+007F to 9F.
bool has_control_character(std::string_view utf8);

} // namespace purser
