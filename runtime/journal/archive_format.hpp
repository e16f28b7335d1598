// The layout of a file that holds chunks outside RocksDB: a backup of a whole journal, or a stretch
// that was archived (docs/formats/archive.md). All integers are little endian.
#pragma once

#include "actors/ports/journal.hpp"

#include <boost/describe.hpp>

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
  bool records = false;     ///< it may hold records beside chunks: the file is of format 2
};

enum class block_codec : std::uint16_t { raw = 0, zstd = 1 };

/// A mark that a backup keeps: a dead letter, a quarantine. Key and value as in the journal.
struct archive_record {
  std::string key;
  std::string value;

  bool operator==(const archive_record&) const = default;
};
BOOST_DESCRIBE_STRUCT(archive_record, (), (key, value))

/// Where a run of one shard's chunks is in the file; or of records, which are counted from 1 as the
/// chunks of a shard are. 48 bytes of the index.
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
  bool of_records() const noexcept { return shard == shard_of_records; }

  /// In place of a shard; a journal's last one is below it.
  static constexpr std::uint16_t shard_of_records = UINT16_MAX;
};

/// The last 64 bytes. `id` covers the header, the index, and through the index every block: two
/// files with one id hold the same.
struct archive_trailer {
  std::uint64_t index_at = 0;
  std::uint64_t blocks = 0;
  std::uint64_t chunks = 0; ///< records are not counted
  std::uint64_t events = 0;
  std::uint64_t index_checksum = 0;
  std::uint64_t header_checksum = 0;
  std::uint64_t id = 0;
};

namespace archive_format {

/// Of the file; a program reads what is not above the newest it knows. A file without records is of
/// the first, so that older programs read it.
inline constexpr std::uint32_t first_format = 1;
inline constexpr std::uint32_t records_format = 2;
inline constexpr std::uint32_t newest = records_format;
inline constexpr std::size_t header_size = 64;
inline constexpr std::size_t entry_size = 48;
inline constexpr std::size_t trailer_size = 64;

/// A block is packed once it has grown to this; one larger chunk makes a larger block.
inline constexpr std::size_t block_size = std::size_t{256} << 10;
/// No block is larger when unpacked: what a damaged or foreign file can make us allocate.
inline constexpr std::size_t largest_block = std::size_t{1} << 30;

std::uint64_t checksum(std::string_view bytes);

std::string encode(const archive_header& header);
std::string encode(const archive_record& record);
std::string encode(const std::vector<archive_block>& index);
/// Fills in the id. `trailer.index_checksum` and `header_checksum` are the caller's.
std::string encode(archive_trailer& trailer);

/// These throw journal_corrupt with what is wrong; store_error for a newer format.
archive_header decode_header(std::string_view bytes);
archive_record decode_record(std::string_view bytes);
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
