// The layout of a file that holds chunks outside RocksDB: a backup of a whole journal, or a stretch
// that was archived (docs/formats/archive.md). All integers are little endian.
#pragma once

#include "actors/ports/journal.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

enum class archive_kind : std::uint32_t {
  backup = 1, ///< every chunk up to `head`, or every one that is in no other archive
  stretch = 2 ///< chunks that were moved out of a data directory
};

/// The first 64 bytes.
struct archive_header {
  archive_kind kind = archive_kind::backup;
  std::uint16_t shards = 0;
  position head = 0;        ///< the journal's last position when the file was made
  std::int64_t made_at = 0; ///< wall clock, milliseconds since 1970 UTC
};

enum class block_codec : std::uint16_t { raw = 0, zstd = 1 };

/// Where a run of one shard's chunks is in the file. 48 bytes of the index.
struct archive_block {
  std::uint16_t shard = 0;
  block_codec codec = block_codec::raw;
  std::uint32_t chunks = 0;
  std::uint64_t first = 0;  ///< number of the first chunk
  std::uint64_t offset = 0; ///< from the beginning of the file
  std::uint32_t stored = 0; ///< bytes in the file
  std::uint32_t size = 0;   ///< bytes when unpacked
  std::uint64_t events = 0;
  std::uint64_t checksum = 0;

  std::uint64_t last_chunk() const noexcept { return first + chunks - 1; }
};

/// The last 64 bytes. `id` covers the header, the index, and through the index every block: two
/// files with one id hold the same.
struct archive_trailer {
  std::uint64_t index_at = 0;
  std::uint64_t blocks = 0;
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;
  std::uint64_t index_checksum = 0;
  std::uint64_t header_checksum = 0;
  std::uint64_t id = 0;
};

namespace archive_format {

inline constexpr std::uint32_t newest = 1; ///< of the file; a program reads what is not above it
inline constexpr std::size_t header_size = 64;
inline constexpr std::size_t entry_size = 48;
inline constexpr std::size_t trailer_size = 64;

/// A block is packed once it has grown to this; one larger chunk makes a larger block.
inline constexpr std::size_t block_size = std::size_t{256} << 10;
/// No block is larger when unpacked: what a damaged or foreign file can make us allocate.
inline constexpr std::size_t largest_block = std::size_t{1} << 30;

std::uint64_t checksum(std::string_view bytes);

std::string encode(const archive_header& header);
std::string encode(const std::vector<archive_block>& index);
/// Fills in the id. `trailer.index_checksum` and `header_checksum` are the caller's.
std::string encode(archive_trailer& trailer);

/// These throw journal_corrupt with what is wrong; store_error for a newer format.
archive_header decode_header(std::string_view bytes);
std::vector<archive_block> decode_index(std::string_view bytes);
archive_trailer decode_trailer(std::string_view bytes);

} // namespace archive_format

/// A run of one shard's chunks, the last included.
struct chunk_range {
  std::uint16_t shard = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t events = 0; ///< in them

  bool operator==(const chunk_range&) const = default;
};

} // namespace purser
