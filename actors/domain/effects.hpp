// How a decision asks for a message to be sent.
#pragma once

#include "actors/domain/messages.hpp"

#include <utility>
#include <variant>
#include <vector>

namespace purser {

/// Asks for a message to another entity. It is made where it stays: a message_body has room for
/// the largest command, and is moved by way of a table of functions.
/// @returns the message, for a key; valid until the next effect.
template <class Body>
send_message& tell(std::vector<effect>& effects, entity_kind kind, const std::string& key,
                   Body&& body) {
  auto& message = std::get<send_message>(effects.emplace_back(std::in_place_type<send_message>));
  message.to.kind = kind;
  message.to.key = key;
  message.body = std::forward<Body>(body);
  return message;
}

} // namespace purser
