#include "actors/codec.hpp"

namespace purser::codec {

namespace {

constexpr unsigned payload_bits = 7;
constexpr std::uint64_t payload_mask = 0x7f;
constexpr std::uint64_t more_flag = 0x80;

} // namespace

void put_varint(std::string& out, std::uint64_t value) {
  constexpr std::size_t most_bytes = 10;
  char bytes[most_bytes]; // written at once: each append looks whether there is room
  std::size_t size = 0;
  for (; value > payload_mask; value >>= payload_bits)
    bytes[size++] = static_cast<char>((value & payload_mask) | more_flag);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

std::uint64_t take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += payload_bits) {
    if (in.empty())
      throw decode_error("a number is cut short");
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    const auto bits = static_cast<std::uint64_t>(byte & payload_mask);
    if ((bits << shift) >> shift != bits)
      throw decode_error("a number has more than 64 bits");
    value |= bits << shift;
    if ((byte & more_flag) == 0)
      return value;
  }
  throw decode_error("a number has more than 64 bits");
}

std::string_view take_bytes(std::string_view& in, std::uint64_t size) {
  if (size > in.size())
    throw decode_error("a string is cut short");
  const auto bytes = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(static_cast<std::size_t>(size));
  return bytes;
}

} // namespace purser::codec
