#include "tools/purser/engine_sample.hpp"

#include "runtime/engine.hpp"

#include <boost/json/parse.hpp>

#include <limits>

namespace purser::tools {

boost::json::object ask(control_client& engine, const std::string& request) {
  boost::json::error_code error;
  const auto answer = boost::json::parse(engine.ask(request, ask_timeout_ms), error);
  if (error || !answer.is_object())
    throw engine_error("the engine's answer to " + request + " is no JSON object");
  return answer.get_object();
}

engine_sample take_sample(control_client& engine, std::size_t most_events) {
  engine_sample made;
  made.figures = ask(engine, "figures");
  made.at = std::chrono::steady_clock::now();
  made.health = ask(engine, "health");
  made.tree = ask(engine, "tree");
  if (most_events == 0)
    return made;
  const auto answer = ask(engine, "events 0");
  const auto& all = list_in(answer, "events");
  for (std::size_t i = all.size() - std::min(all.size(), most_events); i < all.size(); ++i)
    made.events.push_back(all[i]);
  return made;
}

std::int64_t number_in(const boost::json::object& from, std::string_view name) {
  const auto* found = from.if_contains({name.data(), name.size()});
  if (found == nullptr || !found->is_number())
    return 0;
  if (found->is_uint64() && found->get_uint64() > std::numeric_limits<std::int64_t>::max())
    return std::numeric_limits<std::int64_t>::max();
  return found->is_double() ? static_cast<std::int64_t>(found->get_double())
                            : found->to_number<std::int64_t>();
}

std::string text_in(const boost::json::object& from, std::string_view name) {
  const auto* found = from.if_contains({name.data(), name.size()});
  return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
}

bool is_set(const boost::json::object& from, std::string_view name) {
  const auto* found = from.if_contains({name.data(), name.size()});
  return found != nullptr && found->is_bool() && found->get_bool();
}

const boost::json::array& list_in(const boost::json::object& from, std::string_view name) {
  static const boost::json::array none;
  const auto* found = from.if_contains({name.data(), name.size()});
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string status_of(const boost::json::object& health) {
  if (!is_set(health, "live"))
    return "failed";
  if (!is_set(health, "ready"))
    return "stopping";
  return is_set(health, "degraded") ? "degraded" : "ready";
}

std::string fitted(std::string_view text, std::size_t columns, bool to_the_right) {
  constexpr unsigned char continuation_mask = 0xc0;
  constexpr unsigned char continuation = 0x80;
  constexpr unsigned char first_printable = 0x20;
  constexpr unsigned char del = 0x7f;
  constexpr unsigned char c1_lead = 0xc2; // U+0080 to U+009F are C2 80 to C2 9F
  constexpr unsigned char c1_beyond = 0xa0;
  std::string made;
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & continuation_mask) == continuation) {
      made += text[i];
      continue;
    }
    if (width == columns)
      break;
    ++width;
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : byte;
    const bool is_c1 = byte == c1_lead && next >= continuation && next < c1_beyond;
    if (is_c1)
      ++i;
    made += byte < first_printable || byte == del || is_c1 ? '?' : text[i];
  }
  const std::string rest(columns - width, ' ');
  return to_the_right ? rest + made : made + rest;
}

std::string duration_text(std::int64_t milliseconds) {
  constexpr std::int64_t second = 1'000;
  constexpr std::int64_t minute = 60 * second;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  const auto in = [milliseconds](std::int64_t unit, const char* name) {
    return std::to_string(milliseconds / unit) + name;
  };
  if (milliseconds < second)
    return in(1, " ms");
  if (milliseconds < 3 * minute)
    return in(second, " s");
  if (milliseconds < 3 * hour)
    return in(minute, " min");
  return milliseconds < 3 * day ? in(hour, " h") : in(day, " d");
}

} // namespace purser::tools
