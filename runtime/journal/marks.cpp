#include "runtime/journal/marks.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/store.hpp"

#include <xxhash.h>

#include <cstring>

namespace purser::marks {

namespace {

constexpr std::size_t checksum_size = 8;

/// In the place of the version, which is never 0: frames of formats 1 and 2 begin with it.
constexpr std::uint64_t not_a_version = 0;
constexpr std::uint64_t frame_shape = 1;

std::vector<std::uint64_t> take_chunks(std::string_view& in) {
  const auto count = codec::take_varint(in);
  if (count > most_listed_chunks)
    throw codec::decode_error("its list of chunks is longer than its bound");
  std::vector<std::uint64_t> chunks(count);
  std::uint64_t last = 0;
  for (auto& number : chunks)
    number = last += codec::take_varint(in);
  return chunks;
}

} // namespace

void raise_format(store& disk, store_batch& batch, std::uint64_t to) {
  const auto stored = disk.mark(format);
  if (!stored || decode_number(*stored, format) < to)
    batch.marks.emplace_back(format, encode_number(to));
}

std::string checkpoint_key(std::uint16_t shard) {
  return std::string{checkpoint} + std::to_string(shard);
}

std::string indexed_key(std::uint16_t shard) {
  return std::string{indexed} + std::to_string(shard);
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

std::string due_key(std::int64_t at, const entity_ref& entity) {
  return std::string{due} + due_rest(at, entity);
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

void append_sealed_snapshot(std::string& to, std::uint64_t version,
                            std::span<const std::uint64_t> chunks, std::string_view bytes) {
  const auto begin = to.size();
  codec::put_varint(to, not_a_version);
  codec::put_varint(to, frame_shape);
  codec::put_varint(to, version);
  codec::put_varint(to, chunks.size());
  std::uint64_t last = 0;
  for (const auto number : chunks)
    codec::put_varint(to, number - std::exchange(last, number));
  to += bytes;
  const std::uint64_t checksum = XXH3_64bits(to.data() + begin, to.size() - begin);
  to.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
}

opened_snapshot open_snapshot(const entity_ref& entity, std::string_view stored) {
  std::uint64_t checksum = 0;
  if (stored.size() < sizeof checksum + 1)
    throw journal_corrupt("the snapshot of " + to_string(entity) + " is cut short");
  auto rest = stored.substr(0, stored.size() - checksum_size);
  std::memcpy(&checksum, stored.data() + rest.size(), sizeof checksum);
  if (XXH3_64bits(rest.data(), rest.size()) != checksum)
    throw journal_corrupt("the snapshot of " + to_string(entity) + " has a wrong checksum");
  try {
    opened_snapshot opened;
    opened.version = codec::take_varint(rest);
    if (opened.version == not_a_version) {
      if (const auto shape = codec::take_varint(rest); shape != frame_shape)
        throw codec::decode_error("shape " + std::to_string(shape) + " is not known");
      opened.version = codec::take_varint(rest);
      opened.chunks = take_chunks(rest);
    }
    opened.bytes = rest;
    return opened;
  } catch (const codec::decode_error& error) {
    throw journal_corrupt("the snapshot of " + to_string(entity) +
                          " cannot be read: " + error.what());
  }
}

} // namespace purser::marks
