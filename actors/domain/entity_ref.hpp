// What a message is addressed to and a stream is named after: the kind of an aggregate and its id.
#pragma once

#include <boost/describe.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace purser {

/// The kinds of aggregates. The numbers are stored in the journal: never reuse one.
enum class entity_kind : std::uint8_t {
  order = 1,
  stock = 2,
  payment = 3,
  receipt = 4,
  adjustment = 5,
  reservation = 6,
  batch = 7, ///< of receipts
};

std::string_view to_string(entity_kind kind);

BOOST_DESCRIBE_ENUM(entity_kind, order, stock, payment, receipt, adjustment, reservation, batch)

/// One aggregate, and the name of its stream. The key is the client's id, compared as bytes.
struct entity_ref {
  entity_kind kind = entity_kind::order;
  std::string key;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes what is generated for written
  friend auto operator<=>(const entity_ref&, const entity_ref&) = default;
};
BOOST_DESCRIBE_STRUCT(entity_ref, (), (kind, key))

/// "order/NW-10248": for logs and messages to people.
std::string to_string(const entity_ref& ref);

/// A stable 64-bit hash (FNV-1a with the finalizer of MurmurHash3). Shards depend on it: never
/// change it.
std::uint64_t stable_hash(const entity_ref& ref) noexcept;

/// The shard that owns an entity, of `shards` (at least 1).
inline std::uint16_t shard_of(const entity_ref& ref, std::uint16_t shards) noexcept {
  return static_cast<std::uint16_t>(stable_hash(ref) % shards);
}

struct entity_ref_hash {
  /// Of this process only. Not noexcept, so that the standard library's maps keep it beside each
  /// key.
  std::size_t operator()(const entity_ref& ref) const {
    constexpr std::size_t spread = 0x9e3779b97f4a7c15; // the golden ratio, in 64 bits
    return std::hash<std::string_view>{}(ref.key) + spread * static_cast<std::size_t>(ref.kind);
  }
};

} // namespace purser
