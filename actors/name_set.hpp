// Things that have an entity's name, by that name.
#pragma once

#include "actors/domain/entity_ref.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>

namespace purser {

/// What is looked for. `hash`: the stable_hash of `ref`.
struct sought_name {
  std::uint64_t hash = 0;
  const entity_ref& ref;
};

/// One of a name_set. The hash stands beside the pointer: what is not looked for stays out of the
/// processor's cache.
template <class Pointer>
struct named {
  std::uint64_t hash = 0;
  Pointer to;
};

struct hash_of_name {
  using is_transparent = void;
  using is_avalanching = void; // stable_hash is; but in one shard its last bits are all the same
  std::size_t operator()(const auto& of) const noexcept { return of.hash ^ of.hash >> 32; }
};

/// `Name`: the member of what is pointed to.
template <class Pointer, auto Name>
struct same_name {
  using is_transparent = void;
  bool operator()(const named<Pointer>& one, const named<Pointer>& other) const noexcept {
    return one.to == other.to;
  }
  bool operator()(const sought_name& one, const named<Pointer>& other) const noexcept {
    return one.hash == other.hash && one.ref == (*other.to).*Name;
  }
  bool operator()(const named<Pointer>& one, const sought_name& other) const noexcept {
    return (*this)(other, one);
  }
};

/// Found by sought_name; each name is there once.
template <class Pointer, auto Name>
using name_set = boost::unordered_flat_set<named<Pointer>, hash_of_name, same_name<Pointer, Name>>;

} // namespace purser
