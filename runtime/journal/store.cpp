#include "runtime/journal/store.hpp"

namespace purser {

std::string store_key(const entity_ref& ref) {
  std::string key;
  key.reserve(1 + ref.key.size());
  key.push_back(static_cast<char>(ref.kind));
  key += ref.key;
  return key;
}

entity_ref entity_of(std::string_view key) {
  if (key.empty())
    throw journal_corrupt("an entity's key is empty");
  return {static_cast<entity_kind>(key.front()), std::string{key.substr(1)}};
}

} // namespace purser
