// Strict reading of described structs from JSON: an unknown field, a missing one, a wrong type or a
// number out of range is an error that says where (RFC 6901 pointer), what, and the bound.
#pragma once

#include "config/text.hpp"

#include <boost/describe.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace purser::config {

struct json_error : std::runtime_error {
  json_error(std::string at, const std::string& message)
      : std::runtime_error(message), pointer(std::move(at)) {}
  std::string pointer;
};

/// Which fields must be there: specialize with `static constexpr std::array<std::string_view, N>
/// names`. Fields that are not named keep the struct's initial value when they are left out.
template <class T>
struct required_fields {
  static constexpr std::array<std::string_view, 0> names{};
};

/// The largest number of elements of a list; more is an error before anything is read.
struct read_limits {
  std::size_t list = 2'000;
  std::size_t map = 50;
};

/// Where in the document: a chain on the stack, so that a path costs nothing until it is needed.
struct json_place {
  const json_place* parent = nullptr;
  std::string_view name;
  std::optional<std::size_t> index;

  std::string pointer() const;
};

/// "a string", "the number 1.5"...: what was found, for messages.
std::string describe(const boost::json::value& value);

[[noreturn]] void fail(const json_place& place, const std::string& message);

std::int64_t read_signed(const boost::json::value& value, const json_place& place,
                         std::int64_t least, std::int64_t most);
std::uint64_t read_unsigned(const boost::json::value& value, const json_place& place,
                            std::uint64_t most);
std::string read_string(const boost::json::value& value, const json_place& place);
std::int64_t read_time(const boost::json::value& value, const json_place& place);

template <class T>
void read(const boost::json::value& from, T& to, const json_place& place,
          const read_limits& limits = {});

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_text_map = false;
template <>
inline constexpr bool is_text_map<std::map<std::string, std::string>> = true;

template <class T>
using members = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
std::vector<std::string_view> names_of() {
  std::vector<std::string_view> names;
  boost::mp11::mp_for_each<members<T>>([&](auto member) { names.push_back(member.name); });
  return names;
}

template <class E>
void read_enum(const boost::json::value& from, E& to, const json_place& place) {
  const auto name = read_string(from, place);
  bool found = false;
  std::string allowed;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto known) {
    if (name == known.name) {
      to = known.value;
      found = true;
    }
    allowed += (allowed.empty() ? "\"" : ", \"") + std::string{known.name} + "\"";
  });
  if (!found)
    fail(place, "must be one of " + allowed + ", not \"" + name.substr(0, 64) + "\"");
}

template <class T>
void read_object(const boost::json::value& from, T& to, const json_place& place,
                 const read_limits& limits, std::span<const std::string_view> also_allowed) {
  const auto* object = from.if_object();
  if (object == nullptr)
    fail(place, "must be an object, not " + describe(from));
  for (const auto& entry : *object) {
    const std::string_view name{entry.key().data(), entry.key().size()};
    if (std::find(also_allowed.begin(), also_allowed.end(), name) != also_allowed.end())
      continue;
    bool known = false;
    boost::mp11::mp_for_each<members<T>>([&](auto member) {
      if (!known && name == member.name) {
        known = true;
        read(entry.value(), to.*member.pointer, json_place{&place, name, {}}, limits);
      }
    });
    if (!known) {
      auto names = names_of<T>();
      names.insert(names.end(), also_allowed.begin(), also_allowed.end());
      fail(json_place{&place, name, {}}, "unknown field " + with_suggestion(name, names));
    }
  }
  for (const auto name : required_fields<T>::names)
    if (!object->contains(boost::json::string_view{name.data(), name.size()}))
      fail(json_place{&place, name, {}}, "is missing");
}

template <class T>
void read_list(const boost::json::value& from, std::vector<T>& to, const json_place& place,
               const read_limits& limits) {
  const auto* array = from.if_array();
  if (array == nullptr)
    fail(place, "must be a list, not " + describe(from));
  if (array->size() > limits.list)
    fail(place, "has " + std::to_string(array->size()) + " elements; at most " +
                  std::to_string(limits.list) + " are allowed");
  to.clear();
  to.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i)
    read((*array)[i], to.emplace_back(), json_place{&place, {}, i}, limits);
}

inline void read_map(const boost::json::value& from, std::map<std::string, std::string>& to,
                     const json_place& place, const read_limits& limits) {
  const auto* object = from.if_object();
  if (object == nullptr)
    fail(place, "must be an object, not " + describe(from));
  if (object->size() > limits.map)
    fail(place, "has " + std::to_string(object->size()) + " entries; at most " +
                  std::to_string(limits.map) + " are allowed");
  to.clear();
  for (const auto& entry : *object) {
    const std::string_view name{entry.key().data(), entry.key().size()};
    to.emplace(name, read_string(entry.value(), json_place{&place, name, {}}));
  }
}

} // namespace detail

template <class T>
void read(const boost::json::value& from, T& to, const json_place& place,
          const read_limits& limits) {
  if constexpr (std::is_same_v<T, boost::json::value>) {
    to = from; // whatever it is
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!from.is_bool())
      fail(place, "must be true or false, not " + describe(from));
    to = from.get_bool();
  } else if constexpr (std::is_enum_v<T>) {
    detail::read_enum(from, to, place);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    to = static_cast<T>(
      read_signed(from, place, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::is_integral_v<T>) {
    to = static_cast<T>(read_unsigned(from, place, std::numeric_limits<T>::max()));
  } else if constexpr (std::is_same_v<T, std::string>) {
    to = read_string(from, place);
  } else if constexpr (detail::is_optional<T>) {
    read(from, to.emplace(), place, limits);
  } else if constexpr (detail::is_vector<T>) {
    detail::read_list(from, to, place, limits);
  } else if constexpr (detail::is_text_map<T>) {
    detail::read_map(from, to, place, limits);
  } else {
    detail::read_object(from, to, place, limits, {});
  }
}

} // namespace purser::config
