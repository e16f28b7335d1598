// Described structs as JSON: the reverse of json_reader.hpp. Empty optionals are left out.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11.hpp>

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace purser::config {

template <class T>
boost::json::value to_json(const T& value);

namespace detail {

template <class T>
struct json_form {
  static boost::json::value make(const T& value) {
    boost::json::object object;
    using members = boost::describe::describe_members<T, boost::describe::mod_public>;
    boost::mp11::mp_for_each<members>([&](auto member) {
      auto made = to_json(value.*member.pointer);
      if (!made.is_null())
        object.emplace(member.name, std::move(made));
    });
    return object;
  }
};

template <class T>
struct json_form<std::optional<T>> {
  static boost::json::value make(const std::optional<T>& value) {
    return value ? to_json(*value) : boost::json::value{};
  }
};

template <class T>
struct json_form<std::vector<T>> {
  static boost::json::value make(const std::vector<T>& value) {
    boost::json::array array;
    array.reserve(value.size());
    for (const auto& item : value)
      array.push_back(to_json(item));
    return array;
  }
};

template <class T>
struct json_form<std::map<std::string, T>> {
  static boost::json::value make(const std::map<std::string, T>& value) {
    boost::json::object object;
    for (const auto& [name, item] : value)
      object.emplace(name, to_json(item));
    return object;
  }
};

} // namespace detail

template <class T>
boost::json::value to_json(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return boost::json::value(boost::describe::enum_to_string(value, "unknown"));
  } else if constexpr (std::is_same_v<T, bool> || std::is_floating_point_v<T> ||
                       std::is_same_v<T, std::string>) {
    return boost::json::value(value);
  } else if constexpr (std::is_integral_v<T>) {
    using wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    return boost::json::value(static_cast<wide>(value));
  } else {
    return detail::json_form<T>::make(value);
  }
}

} // namespace purser::config
