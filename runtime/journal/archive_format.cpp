#include "runtime/journal/archive_format.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/store.hpp"

#include <xxhash.h>

#include <array>
#include <cstring>

namespace purser::archive_format {

namespace {

using magic_bytes = std::array<char, 8>;
constexpr magic_bytes begin_magic{'P', 'U', 'R', 'S', 'A', 'R', 'C', '1'};
constexpr magic_bytes end_magic{'P', 'U', 'R', 'S', 'E', 'N', 'D', '1'};

// As stored, byte for byte: no padding, little endian.
struct stored_header {
  magic_bytes magic = begin_magic;
  std::uint32_t format = first_format;
  std::uint32_t shards = 0;
  std::uint32_t kind = 0;
  std::uint32_t unused = 0;
  std::int64_t made_at = 0;
  std::uint64_t head = 0;
  std::array<std::uint64_t, 2> unused_too{};
  std::uint64_t checksum = 0;
};

struct stored_entry {
  std::uint16_t shard = 0;
  std::uint16_t codec = 0;
  std::uint32_t chunks = 0;
  std::uint64_t first = 0;
  std::uint64_t offset = 0;
  std::uint32_t stored = 0;
  std::uint32_t size = 0;
  std::uint64_t events = 0;
  std::uint64_t checksum = 0;
};

struct stored_trailer {
  std::uint64_t index_at = 0;
  std::uint64_t blocks = 0;
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;
  std::uint64_t index_checksum = 0;
  std::uint64_t header_checksum = 0;
  std::uint64_t id = 0; ///< checksum of all before
  magic_bytes magic = end_magic;
};

static_assert(sizeof(stored_header) == header_size);
static_assert(sizeof(stored_entry) == entry_size);
static_assert(sizeof(stored_trailer) == trailer_size);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "archives are little endian");

template <class T>
std::string bytes_of(const T& stored) {
  return {reinterpret_cast<const char*>(&stored), sizeof stored};
}

template <class T>
T from_bytes(std::string_view bytes) {
  T stored;
  std::memcpy(&stored, bytes.data(), sizeof stored);
  return stored;
}

} // namespace

std::uint64_t checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string encode(const archive_header& header) {
  stored_header made;
  made.format = header.records ? records_format : first_format;
  made.shards = header.shards;
  made.kind = static_cast<std::uint32_t>(header.kind);
  made.made_at = header.made_at;
  made.head = header.head;
  made.checksum = checksum(std::string_view{bytes_of(made)}.substr(0, header_size - 8));
  return bytes_of(made);
}

std::string encode(const archive_record& record) {
  std::string bytes;
  codec::encode(bytes, record);
  return bytes;
}

std::string encode(const std::vector<archive_block>& index) {
  std::string bytes;
  bytes.reserve(index.size() * entry_size);
  for (const auto& block : index)
    bytes += bytes_of(stored_entry{block.shard, static_cast<std::uint16_t>(block.codec),
                                   block.chunks, block.first, block.offset, block.stored,
                                   block.size, block.events, block.checksum});
  return bytes;
}

std::string encode(archive_trailer& trailer) {
  stored_trailer made;
  made.index_at = trailer.index_at;
  made.blocks = trailer.blocks;
  made.chunks = trailer.chunks;
  made.events = trailer.events;
  made.index_checksum = trailer.index_checksum;
  made.header_checksum = trailer.header_checksum;
  made.id = checksum(std::string_view{bytes_of(made)}.substr(0, trailer_size - 16));
  trailer.id = made.id;
  return bytes_of(made);
}

archive_header decode_header(std::string_view bytes) {
  if (bytes.size() < header_size)
    throw journal_corrupt("it is too short for an archive");
  const auto stored = from_bytes<stored_header>(bytes);
  if (stored.magic != begin_magic)
    throw journal_corrupt("it is no purser archive");
  if (stored.checksum != checksum(bytes.substr(0, header_size - 8)))
    throw journal_corrupt("its header (bytes 0 to 63) has a wrong checksum");
  if (stored.format > newest)
    throw store_error("was written by a newer purser (archive format " +
                      std::to_string(stored.format) + ", this program knows " +
                      std::to_string(newest) + ")");
  if (stored.shards == 0 || stored.shards > UINT16_MAX || stored.kind < 1 || stored.kind > 2)
    throw journal_corrupt("its header tells of " + std::to_string(stored.shards) +
                          " shards and kind " + std::to_string(stored.kind));
  return {static_cast<archive_kind>(stored.kind), static_cast<std::uint16_t>(stored.shards),
          stored.head, stored.made_at, stored.format >= records_format};
}

archive_record decode_record(std::string_view bytes) {
  try {
    return codec::from_bytes<archive_record>(bytes);
  } catch (const codec::decode_error& error) {
    throw journal_corrupt(std::string{"it cannot be read: "} + error.what());
  }
}

std::vector<archive_block> decode_index(std::string_view bytes) {
  std::vector<archive_block> index;
  index.reserve(bytes.size() / entry_size);
  for (; bytes.size() >= entry_size; bytes.remove_prefix(entry_size)) {
    const auto stored = from_bytes<stored_entry>(bytes);
    index.push_back({stored.shard, static_cast<block_codec>(stored.codec), stored.chunks,
                     stored.first, stored.offset, stored.stored, stored.size, stored.events,
                     stored.checksum});
  }
  return index;
}

archive_trailer decode_trailer(std::string_view bytes) {
  const auto stored = from_bytes<stored_trailer>(bytes);
  if (stored.magic != end_magic)
    throw journal_corrupt("it does not end as an archive ends: it was cut off or never finished");
  if (stored.id != checksum(bytes.substr(0, trailer_size - 16)))
    throw journal_corrupt("its trailer (the last 64 bytes) has a wrong checksum");
  return {stored.index_at,       stored.blocks,          stored.chunks, stored.events,
          stored.index_checksum, stored.header_checksum, stored.id};
}

} // namespace purser::archive_format
