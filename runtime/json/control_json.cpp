#include "runtime/json/control_json.hpp"

#include "config/json_writer.hpp"
#include "runtime/engine.hpp"

#include <boost/json/serialize.hpp>
#include <unistd.h>

#include <charconv>

namespace purser {

namespace {

using config::to_json;

/// Actors that do not answer within this are told as such.
constexpr std::int64_t tree_timeout_ms = 500;

boost::json::value events_after(engine& from, std::string_view number) {
  std::uint64_t after = 0;
  const auto* end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, after);
  if (read.ec != std::errc{} || read.ptr != end)
    throw std::invalid_argument("events wants a number: the last one that is known, or 0");
  const auto events = from.supervision_events(after);
  return boost::json::object{{"newest", events.empty() ? after : events.back().number},
                             {"events", to_json(events)}};
}

boost::json::value answer_to(engine& from, std::string_view request) {
  if (request == "tree")
    return to_json(from.tree(tree_timeout_ms));
  if (request == "health") {
    auto made = to_json(from.health());
    made.as_object()["pid"] = ::getpid();
    return made;
  }
  if (request == "figures")
    return to_json(from.figures());
  constexpr std::string_view events = "events ";
  if (request.starts_with(events))
    return events_after(from, request.substr(events.size()));
  throw std::invalid_argument("unknown request; there are tree, health, figures and events N");
}

} // namespace

std::string answer_control(engine& from, std::string_view request) {
  try {
    return boost::json::serialize(answer_to(from, request));
  } catch (const std::exception& error) {
    return boost::json::serialize(boost::json::object{{"error", error.what()}});
  }
}

} // namespace purser
