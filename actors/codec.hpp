// The binary codec: derived from the same declarations as JSON (Boost.Describe). Layout in
// docs/formats/events.md: integers are LEB128 varints (signed ones zigzag), strings and lists carry
// their length, optionals a flag byte, structs their members in order of declaration.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include <cstdint>
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

void put_varint(std::string& out, std::uint64_t value);

/// Takes a varint off the front. Throws decode_error.
std::uint64_t take_varint(std::string_view& in);

/// Takes `size` bytes off the front. Throws decode_error.
std::string_view take_bytes(std::string_view& in, std::uint64_t size);

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

template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class E>
bool is_enumerator(E value) {
  bool found = false;
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
      throw decode_error("an integer is out of range");
  } else {
    const auto wide = take_varint(in);
    value = static_cast<T>(wide);
    if (value != wide)
      throw decode_error("an integer is out of range");
  }
}

/// A count that cannot be larger than the bytes that are left, so that it never allocates the moon.
inline std::size_t take_count(std::string_view& in) {
  const auto count = take_varint(in);
  if (count > in.size())
    throw decode_error("a list is longer than its bytes");
  return static_cast<std::size_t>(count);
}

} // namespace detail

template <class T>
void encode(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.push_back(value ? '\1' : '\0');
  } else if constexpr (std::is_enum_v<T>) {
    put_varint(out, static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_signed_v<T>)
      put_varint(out, zigzag(value));
    else
      put_varint(out, value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    put_varint(out, value.size());
    out.append(value);
  } else if constexpr (detail::is_optional<T>) {
    encode(out, value.has_value());
    if (value)
      encode(out, *value);
  } else if constexpr (detail::is_vector<T>) {
    put_varint(out, value.size());
    for (const auto& item : value)
      encode(out, item);
  } else if constexpr (detail::is_map<T>) {
    put_varint(out, value.size());
    for (const auto& [key, item] : value) {
      encode(out, key);
      encode(out, item);
    }
  } else {
    boost::mp11::mp_for_each<detail::members<T>>(
      [&](auto member) { encode(out, value.*member.pointer); });
  }
}

template <class T>
void decode(std::string_view& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto byte = take_bytes(in, 1).front();
    if (byte != '\0' && byte != '\1')
      throw decode_error("a flag is neither 0 nor 1");
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
    const auto size = take_varint(in);
    value = take_bytes(in, size);
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

/// Throws decode_error, also when bytes are left over.
template <class T>
T from_bytes(std::string_view in) {
  T value{};
  decode(in, value);
  if (!in.empty())
    throw decode_error("bytes are left over");
  return value;
}

} // namespace purser::codec
