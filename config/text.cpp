#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <numeric>
#include <vector>

namespace purser::config {

namespace {

/// Levenshtein's distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Takes exactly `digits` decimal digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits),
                   [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + digits, value);
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos)
    return false;
  text.remove_prefix(1);
  return true;
}

/// ".25" -> 250; nothing when a dot has no digits.
std::optional<int> take_milliseconds(std::string_view& text) {
  if (!take(text, "."))
    return 0;
  int value = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 3)
      value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0)
    return std::nullopt;
  for (; digits < 3; ++digits)
    value *= 10;
  return value;
}

/// "Z" or "+02:00", in minutes.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, "Zz"))
    return 0;
  const int sign = !text.empty() && text.front() == '-' ? -1 : 1;
  if (!take(text, "+-"))
    return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":"))
    return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59)
    return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

} // namespace

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
  std::string_view best;
  auto distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  constexpr std::size_t longest_typo = 64;
  if (name.size() > longest_typo)
    return best;
  for (const auto candidate : candidates)
    if (const auto d = edit_distance(name, candidate); d < distance) {
      distance = d;
      best = candidate;
    }
  return best;
}

std::string with_suggestion(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr std::size_t shown = 64;
  std::string text =
    "\"" + std::string{name.substr(0, shown)} + (name.size() > shown ? "..." : "") + "\"";
  if (const auto near = nearest(name, candidates); !near.empty())
    text += "; did you mean \"" + std::string{near} + "\"?";
  return text;
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || *year < 1 || !take(text, "-"))
    return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-"))
    return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take(text, "Tt "))
    return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":"))
    return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take(text, ":"))
    return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 59)
    return std::nullopt;
  const auto ms = take_milliseconds(text);
  const auto offset = ms ? take_offset(text) : std::nullopt;
  if (!offset || !text.empty())
    return std::nullopt;
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year{*year},
                                    chrono::month{static_cast<unsigned>(*month)},
                                    chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok())
    return std::nullopt;
  const auto time = chrono::sys_days{date} + chrono::hours{*hour} +
                    chrono::minutes{*minute - *offset} + chrono::seconds{*second} +
                    chrono::milliseconds{*ms};
  return chrono::duration_cast<chrono::milliseconds>(time.time_since_epoch()).count();
}

} // namespace purser::config
