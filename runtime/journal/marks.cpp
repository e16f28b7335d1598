#include "runtime/journal/marks.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/store.hpp"

#include <xxhash.h>

#include <cstring>

namespace purser::marks {

std::string checkpoint_key(std::uint16_t shard) {
  return std::string{checkpoint} + std::to_string(shard);
}

std::string open_key(const entity_ref& entity) {
  return std::string{open} + store_key(entity);
}

std::string due_rest(std::int64_t at, const entity_ref& entity) {
  std::string rest;
  const auto ordered = static_cast<std::uint64_t>(at) ^ (std::uint64_t{1} << 63); // below 0 first
  for (int shift = 56; shift >= 0; shift -= 8)
    rest.push_back(static_cast<char>(ordered >> shift));
  return rest + store_key(entity);
}

std::pair<std::int64_t, entity_ref> decode_due(std::string_view rest) {
  std::uint64_t ordered = 0;
  if (rest.size() <= sizeof ordered)
    throw journal_corrupt("a timer's key is cut short");
  for (const char byte : rest.substr(0, sizeof ordered))
    ordered = ordered << 8 | static_cast<unsigned char>(byte);
  return {static_cast<std::int64_t>(ordered ^ (std::uint64_t{1} << 63)),
          entity_of(rest.substr(sizeof ordered))};
}

std::string encode_number(std::uint64_t value) {
  std::string bytes;
  codec::put_varint(bytes, value);
  return bytes;
}

std::uint64_t decode_number(std::string_view bytes, std::string_view what) {
  try {
    return codec::take_varint(bytes);
  } catch (const codec::decode_error& error) {
    throw journal_corrupt("the mark " + std::string{what} + " cannot be read: " + error.what());
  }
}

std::uint16_t shards_of(store& disk) {
  constexpr std::uint16_t when_empty = 8;
  const auto mark = disk.mark(shards);
  return mark ? static_cast<std::uint16_t>(decode_number(*mark, shards)) : when_empty;
}

std::string seal_snapshot(std::uint64_t version, std::string_view bytes) {
  std::string sealed;
  sealed.reserve(bytes.size() + 18);
  codec::put_varint(sealed, version);
  sealed += bytes;
  const std::uint64_t checksum = XXH3_64bits(sealed.data(), sealed.size());
  sealed.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  return sealed;
}

opened_snapshot open_snapshot(const entity_ref& entity, std::string_view stored) {
  std::uint64_t checksum = 0;
  if (stored.size() < sizeof checksum + 1)
    throw journal_corrupt("the snapshot of " + to_string(entity) + " is cut short");
  const auto body = stored.substr(0, stored.size() - sizeof checksum);
  std::memcpy(&checksum, stored.data() + body.size(), sizeof checksum);
  if (XXH3_64bits(body.data(), body.size()) != checksum)
    throw journal_corrupt("the snapshot of " + to_string(entity) + " has a wrong checksum");
  auto rest = body;
  opened_snapshot opened;
  opened.version = codec::take_varint(rest);
  opened.bytes = rest;
  return opened;
}

} // namespace purser::marks
