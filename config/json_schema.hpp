// JSON Schema (draft 2020-12) of described structs: derived from the same descriptions that reading
// and writing are, so that it cannot say something else.
#pragma once

#include "config/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace purser::config {

/// What a struct says of its fields, for people: specialize with `static constexpr
/// std::array<std::pair<std::string_view, std::string_view>, N> texts`.
template <class T>
struct field_texts {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 0> texts{};
};

/// Types that are written otherwise than their members: specialize with `static
/// boost::json::object make()`.
template <class T>
struct schema_form;

template <class T>
boost::json::object schema_of();

namespace detail {

template <class T>
concept has_schema_form = requires {
  schema_form<T>::make();
};

template <class T>
boost::json::object enum_schema() {
  boost::json::array names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
    [&](auto known) { names.push_back(known.name); });
  return {{"enum", std::move(names)}};
}

template <class T>
boost::json::object object_schema() {
  boost::json::object properties;
  boost::mp11::mp_for_each<members<T>>([&](auto member) {
    using type = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
    auto made = schema_of<type>();
    for (const auto& [name, text] : field_texts<T>::texts)
      if (name == member.name)
        made["description"] = text;
    properties.emplace(member.name, std::move(made));
  });
  boost::json::object made{
    {"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  boost::json::array required;
  for (const auto name : required_fields<T>::names)
    required.push_back(boost::json::string_view{name.data(), name.size()});
  if (!required.empty())
    made.emplace("required", std::move(required));
  return made;
}

} // namespace detail

/// The schema of what `read` reads into a T.
template <class T>
boost::json::object schema_of() {
  if constexpr (detail::has_schema_form<T>)
    return schema_form<T>::make();
  else if constexpr (std::is_same_v<T, boost::json::value>)
    return {};
  else if constexpr (std::is_same_v<T, bool>)
    return {{"type", "boolean"}};
  else if constexpr (std::is_enum_v<T>)
    return detail::enum_schema<T>();
  else if constexpr (std::is_integral_v<T> && std::is_unsigned_v<T>)
    return {{"type", "integer"}, {"minimum", 0}};
  else if constexpr (std::is_integral_v<T>)
    return {{"type", "integer"}};
  else if constexpr (std::is_same_v<T, std::string>)
    return {{"type", "string"}};
  else if constexpr (detail::is_optional<T>)
    return schema_of<typename T::value_type>();
  else if constexpr (detail::is_vector<T>)
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>()}};
  else if constexpr (detail::is_text_map<T>)
    return {{"type", "object"}, {"additionalProperties", boost::json::object{{"type", "string"}}}};
  else
    return detail::object_schema<T>();
}

} // namespace purser::config
