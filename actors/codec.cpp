#include "actors/codec.hpp"

namespace purser::codec::detail {

void put_long_varint(std::string& out, std::uint64_t value) {
  constexpr std::size_t most_bytes = 10;
  char bytes[most_bytes]; // written at once: each append looks whether there is room
  image_writer writer{bytes};
  writer.varint(value);
  out.append(bytes, static_cast<std::size_t>(writer.at - bytes));
}

std::uint64_t take_long_varint(std::string_view& in) {
  std::uint64_t value = 0;
  std::size_t size = 0;
  for (unsigned shift = 0; shift < 64; shift += varint_bits) {
    if (size == in.size())
      fail("a number is cut short");
    const auto byte = static_cast<unsigned char>(in[size++]);
    const auto bits = static_cast<std::uint64_t>(byte & varint_mask);
    if ((bits << shift) >> shift != bits)
      break;
    value |= bits << shift;
    if ((byte & varint_more) == 0) {
      in.remove_prefix(size);
      return value;
    }
  }
  fail("a number has more than 64 bits");
}

void fail(const char* why) {
  throw decode_error(why);
}

} // namespace purser::codec::detail
