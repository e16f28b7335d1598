// A message as bytes, for dead letters (docs/formats/journal.md): its fields by the binary codec.
// Its name, as name_of tells it, says what they are.
#pragma once

#include "actors/domain/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace purser {

/// Of the shapes of all messages together: raised when a field of one is added, removed or moved,
/// so that bytes of another program are not taken for something else.
inline constexpr std::uint32_t message_schema = 1;

std::string encode_message(const message_body& body);

/// Throws codec::decode_error: an unknown name, or bytes that are not of such a message.
message_body decode_message(std::string_view name, std::string_view bytes);

/// The bytes without what differs when the same request is made again after a crash of its sender:
/// the number of the asking.
std::string encode_request(message_body body);

} // namespace purser
