// Reads an archive file. Every byte that is used has been checked against a checksum first.
#pragma once

#include "runtime/journal/archive_format.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

/// The chunks of one block, unpacked.
class unpacked_block {
public:
  /// `bytes`: each chunk with its length (4 bytes) before it. Throws journal_corrupt.
  unpacked_block(std::string bytes, std::uint64_t first, std::uint32_t chunks);

  /// The bytes of a chunk that the block holds; good as long as the block is.
  std::string_view chunk(std::uint64_t number) const { return chunks_.at(number - first_); }
  std::size_t size() const noexcept { return bytes_.size(); }

private:
  std::string bytes_;
  std::uint64_t first_;
  std::vector<std::string_view> chunks_;
};

class archive_reader {
public:
  /// Checks header, trailer and index. Throws store_error (it cannot be read, or is of a newer
  /// format) and journal_corrupt (it is damaged, cut off, or something else), naming the file.
  explicit archive_reader(std::filesystem::path name);
  ~archive_reader();
  archive_reader(const archive_reader&) = delete;
  archive_reader& operator=(const archive_reader&) = delete;

  const std::filesystem::path& name() const noexcept { return name_; }
  const archive_header& header() const noexcept { return header_; }
  const archive_trailer& trailer() const noexcept { return trailer_; }
  const std::vector<archive_block>& blocks() const noexcept { return index_; }
  std::uint64_t bytes() const noexcept { return size_; }

  /// The chunks that it holds, one a shard.
  std::vector<chunk_range> ranges() const;

  /// The block of a chunk; nullptr when it is not in here.
  const archive_block* find(std::uint16_t shard, std::uint64_t number) const;

  /// Throws store_error, journal_corrupt with the place.
  std::shared_ptr<const unpacked_block> read(const archive_block& block) const;

private:
  std::string bytes_at(std::uint64_t offset, std::size_t size) const;
  void open();
  void check_index() const;
  [[noreturn]] void refuse(const std::string& why) const;

  std::filesystem::path name_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  archive_header header_;
  archive_trailer trailer_;
  std::vector<archive_block> index_; ///< by shard, then by number
};

} // namespace purser
