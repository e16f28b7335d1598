// The chunks of a data directory that were moved to files of its `archive/`. The journal's marks
// say which file holds which, and which exact file that is; nothing else in `archive/` counts.
#pragma once

#include "runtime/journal/archive_reader.hpp"

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace purser {

/// A mark: what an archive file holds.
struct archived_file {
  std::string name; ///< in `archive/`
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  std::vector<chunk_range> ranges;
};

std::string encode(const archived_file& file);
/// Throws journal_corrupt.
archived_file decode_archived_file(std::string_view name, std::string_view mark);

/// Chunks that were moved to an archive file, and cannot be read there now.
struct archive_unreadable : journal_corrupt {
  archive_unreadable(const std::string& why, std::uint64_t last)
      : journal_corrupt(why), up_to(last) {}
  std::uint64_t up_to = 0; ///< the shard's chunks up to this one cannot be read for this reason
};

/// Thread-safe.
class archived_chunks {
public:
  explicit archived_chunks(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// What the marks say, in place of what they said before.
  void know(std::vector<archived_file> files);

  /// nullopt: it was not archived. Throws archive_unreadable, naming the file.
  std::optional<std::string> chunk(std::uint16_t shard, std::uint64_t number);

  /// What was archived of a shard: always its first chunks. `last` is 0 when nothing was.
  chunk_range all_of(std::uint16_t shard);

  /// What an opening should warn of, in words: files that are not there, or are not those.
  std::vector<std::string> missing();

private:
  struct open_file {
    const archived_file* file;
    std::unique_ptr<archive_reader> reader;
  };
  struct cached_block {
    const archived_file* file;
    const archive_block* place;
    std::shared_ptr<const unpacked_block> block;
  };

  const archived_file* file_of(std::uint16_t shard, std::uint64_t number) const;
  const archive_reader& reader_of(const archived_file& file);
  std::shared_ptr<const unpacked_block> block_of(const archived_file& file, std::uint16_t shard,
                                                 std::uint64_t number);

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::vector<archived_file> files_;
  std::vector<std::vector<std::pair<chunk_range, const archived_file*>>> by_shard_; ///< ascending
  std::list<open_file> open_;     ///< the one used last comes first
  std::list<cached_block> cache_; ///< likewise
  std::size_t cached_bytes_ = 0;
};

} // namespace purser
