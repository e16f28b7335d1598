#include "runtime/journal/store.hpp"

#include "runtime/journal/chunk.hpp"

namespace purser {

void store::for_each_chunk(std::uint16_t shard, std::uint64_t after, std::uint64_t up_to,
                           const chunk_bytes_visitor& visit) {
  for (auto number = after + 1; number <= up_to; ++number) {
    const auto bytes = chunk(shard, number);
    if (!bytes)
      throw journal_corrupt(chunk_place(shard, number) + " is missing");
    visit(number, *bytes);
  }
}

std::string store_key(const entity_ref& ref) {
  std::string key;
  key.reserve(1 + ref.key.size());
  append_store_key(key, ref);
  return key;
}

void append_store_key(std::string& to, const entity_ref& ref) {
  to.push_back(static_cast<char>(ref.kind));
  to += ref.key;
}

entity_ref entity_of(std::string_view key) {
  if (key.empty())
    throw journal_corrupt("an entity's key is empty");
  return {static_cast<entity_kind>(key.front()), std::string{key.substr(1)}};
}

} // namespace purser
