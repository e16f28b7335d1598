#include "actors/message_codec.hpp"

#include "actors/codec.hpp"
#include "actors/message_fields.hpp"

#include <type_traits>

namespace purser {

namespace {

template <class Alternative>
constexpr bool is_client_command = std::is_same_v<Alternative, command_body>;

/// Calls with an instance of every alternative of a variant.
template <class Variant, class Call>
void for_each_alternative(Call call) {
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::variant_size_v<Variant>>>(
    [&](auto index) { call(std::variant_alternative_t<index, Variant>{}); });
}

} // namespace

std::string encode_message(const message_body& body) {
  std::string bytes;
  std::visit(
    [&](const auto& message) {
      if constexpr (is_client_command<std::decay_t<decltype(message)>>)
        std::visit([&](const auto& command) { codec::encode(bytes, command); }, message);
      else
        codec::encode(bytes, message);
    },
    body);
  return bytes;
}

message_body decode_message(std::string_view name, std::string_view bytes) {
  message_body made;
  bool found = false;
  const auto read = [&](auto message, const message_body& as) {
    if (found || name_of(as) != name)
      return;
    found = true;
    made = message_body{codec::from_bytes<decltype(message)>(bytes)};
  };
  for_each_alternative<message_body>([&](auto message) {
    if constexpr (!is_client_command<decltype(message)>)
      read(message, message_body{message});
  });
  for_each_alternative<command_body>(
    [&](auto command) { read(command, message_body{command_body{command}}); });
  if (!found)
    throw codec::decode_error("unknown message " + std::string{name});
  return made;
}

std::string encode_request(message_body body) {
  std::visit(
    [](auto& message) {
      if constexpr (requires { message.attempt; })
        message.attempt = 0;
    },
    body);
  return encode_message(body);
}

} // namespace purser
