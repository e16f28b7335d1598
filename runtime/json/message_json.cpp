#include "runtime/json/message_json.hpp"

#include "actors/message_fields.hpp"
#include "runtime/json/time_json.hpp"

namespace purser {

boost::json::object message_json(const message_body& body) {
  if (const auto* command = std::get_if<command_body>(&body)) {
    boost::json::object made{{"op", op_of(*command)}};
    const auto fields =
      std::visit([](const auto& of) { return config::to_json(of); }, *command).as_object();
    for (const auto& field : fields)
      made.insert(field);
    return made;
  }
  return std::visit(
    [](const auto& message) -> boost::json::object {
      if constexpr (std::is_same_v<std::decay_t<decltype(message)>, command_body>)
        return {};
      else
        return config::to_json(message).as_object();
    },
    body);
}

} // namespace purser
