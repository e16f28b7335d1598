// The binary codec: derived from the same declarations as JSON (Boost.Describe). Layout in
// docs/formats/events.md: integers are LEB128 varints (signed ones zigzag), strings and lists carry
// their length, optionals a flag byte, structs their members in order of declaration.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace purser::codec {

/// The bytes are not an image of the type: cut short, out of range, or left over.
struct decode_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace detail {

inline constexpr unsigned varint_bits = 7; ///< of the value in each byte
inline constexpr std::uint64_t varint_mask = 0x7f;
inline constexpr std::uint64_t varint_more = 0x80; ///< the flag of every byte but the last

void put_long_varint(std::string& out, std::uint64_t value);
std::uint64_t take_long_varint(std::string_view& in);
[[noreturn]] void fail(const char* why);

} // namespace detail

// Most numbers that are stored fit one byte: those are handled in place, without a call.

inline void put_varint(std::string& out, std::uint64_t value) {
  if (value <= detail::varint_mask)
    out.push_back(static_cast<char>(value));
  else
    detail::put_long_varint(out, value);
}

/// Takes a varint off the front. Throws decode_error.
inline std::uint64_t take_varint(std::string_view& in) {
  if (in.empty() || static_cast<unsigned char>(in.front()) > detail::varint_mask)
    return detail::take_long_varint(in);
  const auto value = static_cast<unsigned char>(in.front());
  in.remove_prefix(1);
  return value;
}

/// Takes `size` bytes off the front. Throws decode_error.
inline std::string_view take_bytes(std::string_view& in, std::uint64_t size) {
  if (size > in.size())
    detail::fail("a string is cut short");
  const auto bytes = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(static_cast<std::size_t>(size));
  return bytes;
}

constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

template <class T>
void encode(std::string& out, const T& value);
template <class T>
void decode(std::string_view& in, T& value);

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class K, class V, class C, class A>
inline constexpr bool is_map<std::map<K, V, C, A>> = true;
template <class K, class V, class H, class E, class A>
inline constexpr bool is_map<std::unordered_map<K, V, H, E, A>> = true;
template <class K, class V, class H, class E, class A>
inline constexpr bool is_map<boost::unordered_flat_map<K, V, H, E, A>> = true;

template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_public>;

/// The numbers of an enumeration's first and last value, and whether it has all between them.
template <class E>
struct enum_range {
  using number = std::underlying_type_t<E>;
  number first = std::numeric_limits<number>::max();
  number last = std::numeric_limits<number>::min();
  bool dense = false;

  constexpr enum_range() {
    using enumerators = boost::describe::describe_enumerators<E>;
    boost::mp11::mp_for_each<enumerators>([this](auto known) {
      first = std::min(first, static_cast<number>(known.value));
      last = std::max(last, static_cast<number>(known.value));
    });
    dense = static_cast<std::size_t>(last - first) + 1 == boost::mp11::mp_size<enumerators>::value;
  }
};

template <class E>
bool is_enumerator(E value) {
  constexpr enum_range<E> range;
  const auto number = static_cast<std::underlying_type_t<E>>(value);
  if (number < range.first || number > range.last)
    return false;
  bool found = range.dense;
  if constexpr (!range.dense)
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
      [&](auto known) { found = found || known.value == value; });
  return found;
}

template <class T>
void decode_integer(std::string_view& in, T& value) {
  if constexpr (std::is_signed_v<T>) {
    const auto wide = unzigzag(take_varint(in));
    value = static_cast<T>(wide);
    if (value != wide)
      fail("an integer is out of range");
  } else {
    const auto wide = take_varint(in);
    value = static_cast<T>(wide);
    if (value != wide)
      fail("an integer is out of range");
  }
}

inline void decode_text(std::string_view& in, std::string& value) {
  const auto size = take_varint(in);
  if (size == 0)
    value.clear(); // as most texts of a state are: without a call
  else
    value = take_bytes(in, size);
}

/// A count that cannot be larger than the bytes that are left, so that it never allocates the moon.
inline std::size_t take_count(std::string_view& in) {
  const auto count = take_varint(in);
  if (count > in.size())
    fail("a list is longer than its bytes");
  return static_cast<std::size_t>(count);
}

// An image is walked twice: counted, then written where there is room for all of it.

struct image_counter {
  std::size_t bytes = 0;

  void varint(std::uint64_t value) noexcept {
    constexpr auto round_up = varint_bits - 1;
    bytes += value <= varint_mask
               ? 1
               : (static_cast<std::size_t>(std::bit_width(value)) + round_up) / varint_bits;
  }
  void text(std::string_view value) noexcept { bytes += value.size(); }
};

struct image_writer {
  char* at;

  void varint(std::uint64_t value) noexcept {
    for (; value > varint_mask; value >>= varint_bits)
      *at++ = static_cast<char>((value & varint_mask) | varint_more);
    *at++ = static_cast<char>(value);
  }
  void text(std::string_view value) noexcept {
    std::memcpy(at, value.data(), value.size());
    at += value.size();
  }
};

template <class Sink, class T>
void put(Sink& sink, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    sink.varint(value ? 1 : 0);
  } else if constexpr (std::is_enum_v<T>) {
    sink.varint(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_signed_v<T>)
      sink.varint(zigzag(value));
    else
      sink.varint(value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    sink.varint(value.size());
    sink.text(value);
  } else if constexpr (is_optional<T>) {
    put(sink, value.has_value());
    if (value)
      put(sink, *value);
  } else if constexpr (is_vector<T>) {
    sink.varint(value.size());
    for (const auto& item : value)
      put(sink, item);
  } else if constexpr (is_map<T>) {
    sink.varint(value.size());
    for (const auto& [key, item] : value) {
      put(sink, key);
      put(sink, item);
    }
  } else {
    boost::mp11::mp_for_each<members<T>>([&](auto member) { put(sink, value.*member.pointer); });
  }
}

} // namespace detail

template <class T>
void encode(std::string& out, const T& value) {
  detail::image_counter counted;
  detail::put(counted, value);
  const auto before = out.size();
  out.resize(before + counted.bytes);
  detail::image_writer writer{out.data() + before};
  detail::put(writer, value);
}

template <class T>
void decode(std::string_view& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto byte = take_bytes(in, 1).front();
    if (byte != '\0' && byte != '\1')
      detail::fail("a flag is neither 0 nor 1");
    value = byte == '\1';
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    detail::decode_integer(in, number);
    value = static_cast<T>(number);
    if (!detail::is_enumerator(value))
      throw decode_error("unknown enumerator " + std::to_string(number));
  } else if constexpr (std::is_integral_v<T>) {
    detail::decode_integer(in, value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    detail::decode_text(in, value);
  } else if constexpr (detail::is_optional<T>) {
    bool present = false;
    decode(in, present);
    value.reset();
    if (present)
      decode(in, value.emplace());
  } else if constexpr (detail::is_vector<T>) {
    value.clear();
    const auto count = detail::take_count(in);
    value.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      decode(in, value.emplace_back());
  } else if constexpr (detail::is_map<T>) {
    value.clear();
    const auto count = detail::take_count(in);
    for (std::size_t i = 0; i < count; ++i) {
      typename T::key_type key{};
      decode(in, key);
      decode(in, value[std::move(key)]);
    }
  } else {
    boost::mp11::mp_for_each<detail::members<T>>(
      [&](auto member) { decode(in, value.*member.pointer); });
  }
}

template <class T>
std::string to_bytes(const T& value) {
  std::string out;
  encode(out, value);
  return out;
}

/// Reads all of the bytes into a value that exists; every member of it is replaced. Throws
/// decode_error, also when bytes are left over; the value is then of no use.
template <class T>
void decode_all(std::string_view in, T& value) {
  decode(in, value);
  if (!in.empty())
    detail::fail("bytes are left over");
}

/// Throws decode_error, also when bytes are left over.
template <class T>
T from_bytes(std::string_view in) {
  T value{};
  decode_all(in, value);
  return value;
}

} // namespace purser::codec
