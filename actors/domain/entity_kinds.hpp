// The kinds of aggregates, all of them and by name: a new one is known wherever these are used.
#pragma once

#include "actors/domain/entity_ref.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace purser {

namespace detail {

template <template <class...> class List, class... Kinds>
constexpr std::array<entity_kind, sizeof...(Kinds)> values_of(List<Kinds...>) {
  return {Kinds::value...};
}

} // namespace detail

/// In the order of their numbers.
inline constexpr auto entity_kinds =
  detail::values_of(boost::describe::describe_enumerators<entity_kind>{});

/// The kind of that name, as to_string has it; nothing when there is none.
inline std::optional<entity_kind> kind_named(std::string_view name) {
  for (const auto kind : entity_kinds)
    if (to_string(kind) == name)
      return kind;
  return std::nullopt;
}

} // namespace purser
