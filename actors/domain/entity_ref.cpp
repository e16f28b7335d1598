#include "actors/domain/entity_ref.hpp"

namespace purser {

std::string_view to_string(entity_kind kind) {
  switch (kind) {
  case entity_kind::order: return "order";
  case entity_kind::stock: return "stock";
  case entity_kind::payment: return "payment";
  case entity_kind::receipt: return "receipt";
  case entity_kind::adjustment: return "adjustment";
  case entity_kind::reservation: return "reservation";
  case entity_kind::batch: return "batch";
  }
  return "unknown";
}

std::string to_string(const entity_ref& ref) {
  std::string name{to_string(ref.kind)};
  name += '/';
  name += ref.key;
  return name;
}

std::uint64_t stable_hash(const entity_ref& ref) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL; // FNV-1a, 64 bit
  const auto add = [&hash](unsigned char byte) {
    hash ^= byte;
    hash *= 0x100000001b3ULL;
  };
  add(static_cast<unsigned char>(ref.kind));
  for (const char c : ref.key)
    add(static_cast<unsigned char>(c));
  hash ^= hash >> 33; // fmix64 of MurmurHash3: FNV alone leaves the low bits poorly mixed
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return hash;
}

} // namespace purser
