#include "actors/domain/text_rules.hpp"

#include <algorithm>
#include <cstdint>

namespace purser {

namespace {

constexpr std::uint32_t invalid = 0xffffffff;

/// Takes one code point off the front, or says `invalid` (table 3-7 of the Unicode standard).
std::uint32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const std::uint32_t lead = byte(0);
  std::uint32_t code = lead;
  std::size_t size = 1;
  if (lead >= 0xf0 && lead <= 0xf4 && follows(1) && follows(2) && follows(3)) {
    code = (lead & 7U) << 18 | (byte(1) & 0x3fU) << 12 | (byte(2) & 0x3fU) << 6 | (byte(3) & 0x3fU);
    size = code >= 0x10000 && code <= 0x10ffff ? 4 : 0;
  } else if (lead >= 0xe0 && lead <= 0xef && follows(1) && follows(2)) {
    code = (lead & 0xfU) << 12 | (byte(1) & 0x3fU) << 6 | (byte(2) & 0x3fU);
    size = code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? 3 : 0;
  } else if (lead >= 0xc2 && lead <= 0xdf && follows(1)) {
    code = (lead & 0x1fU) << 6 | (byte(1) & 0x3fU);
    size = 2;
  } else if (lead >= 0x80) {
    size = 0;
  }
  text.remove_prefix(size);
  return size == 0 ? invalid : code;
}

} // namespace

std::optional<std::size_t> utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count)
    if (take_code_point(text) == invalid)
      return std::nullopt;
  return count;
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool has_control_character(std::string_view utf8) {
  while (!utf8.empty()) {
    const auto code = take_code_point(utf8);
    if (code == invalid || code <= 0x1f || (code >= 0x7f && code <= 0x9f))
      return true;
  }
  return false;
}

} // namespace purser
