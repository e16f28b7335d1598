#include "tools/purser/event_line.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace purser::tools {

boost::json::object event_object(const event_notice& event) {
  boost::json::object made{{"position", event.position},
                           {"stream", to_string(event.stream)},
                           {"version", event.version},
                           {"event", event.name},
                           {"at", to_rfc3339(event.at)}};
  if (!event.cause.empty())
    made.emplace("cause", event.cause);
  made.emplace("data", boost::json::parse(event.data));
  return made;
}

std::string history_line(const boost::json::object& event) {
  const auto text = [&](const char* name) {
    const auto* value = event.if_contains(name);
    return value == nullptr ? std::string{} : std::string{value->as_string().c_str()};
  };
  auto line =
    boost::json::serialize(event.at("version")) + "  " + text("at") + "  " + text("event");
  if (const auto& data = event.at("data").as_object(); !data.empty())
    line += "  " + boost::json::serialize(data);
  if (const auto cause = text("cause"); !cause.empty())
    line += "  (by " + cause + ")";
  return line;
}

} // namespace purser::tools
