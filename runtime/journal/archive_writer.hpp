// Writes an archive file: whole under its name, or not at all.
#pragma once

#include "runtime/journal/archive_format.hpp"
#include "runtime/journal/chunk.hpp"

#include <filesystem>
#include <string>

namespace purser {

struct archive_summary {
  std::uint64_t chunks = 0;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t raw_bytes = 0; ///< of the chunks
  std::uint64_t bytes = 0;     ///< of the file
  std::uint64_t id = 0;
  std::vector<chunk_range> ranges; ///< what it holds, one a shard
};

struct archive_write_options {
  bool replace = false; ///< a file of that name may be replaced
  bool pack = true;     ///< with zstd, where that makes a block smaller
  std::size_t block_size = archive_format::block_size;
};

/// Writes to NAME.partial. `finish` syncs it and gives it its name; without that nothing stays.
class archive_writer {
public:
  /// Throws store_error: it exists, another process writes it, it cannot be made.
  archive_writer(std::filesystem::path name, const archive_header& header,
                 const archive_write_options& options = {});
  ~archive_writer();
  archive_writer(const archive_writer&) = delete;
  archive_writer& operator=(const archive_writer&) = delete;

  /// Chunks come shard by shard, and in a shard number by number. Throws store_error.
  void add(const chunk_header& header, std::string_view bytes);

  /// Records come after all chunks, in the order of their keys, and the header has told of them.
  /// Throws store_error.
  void add(const archive_record& record);

  /// Bytes in the file so far; those of the block under way as if they could not be packed.
  std::uint64_t size() const noexcept { return offset_ + block_.size(); }

  /// The file and its name survive a crash of the machine when this returns. Throws store_error.
  archive_summary finish();

private:
  void append(std::uint16_t shard, std::uint64_t number, std::uint64_t events,
              std::string_view bytes);
  void close_block();
  void put(std::string_view bytes);
  void flush();
  [[noreturn]] void fail(const std::string& what, int why) const;
  void refuse_existing() const;
  bool owns_partial() const;

  std::filesystem::path name_;
  std::filesystem::path partial_;
  archive_write_options options_;
  bool takes_records_;
  int file_ = -1;
  std::uint64_t header_checksum_ = 0;
  std::uint64_t offset_ = 0;
  std::string buffer_;
  std::string block_;
  archive_block open_;
  std::vector<archive_block> index_;
  archive_summary summary_;
};

} // namespace purser
