// A backup, or a backup and archive files, read as one journal from its first chunk on.
#pragma once

#include "runtime/journal/archive_reader.hpp"
#include "runtime/journal/chunk.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace purser {

class archive_files {
public:
  /// Throws store_error, journal_corrupt: a file cannot be read, or they are not of one journal, or
  /// none of them is a backup.
  explicit archive_files(const std::vector<std::filesystem::path>& names);

  /// Of the newest backup.
  const std::filesystem::path& name() const noexcept { return backup_->name(); }
  std::uint16_t shards() const noexcept { return shards_; }
  position head() const noexcept { return head_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

  using chunk_visitor = std::function<void(const chunk_header&, std::string_view bytes)>;

  /// Visits every chunk up to `head`, shard by shard. Throws journal_corrupt, naming the place:
  /// damage, a gap, events that are too many or too few.
  void for_each_chunk(const chunk_visitor& visit) const;

  using record_visitor = std::function<void(const archive_record&)>;

  /// Visits the records of the newest backup, in the order of their keys. Throws journal_corrupt,
  /// naming the place: damage, or a mark that no backup holds. Their values are not looked into.
  void for_each_record(const record_visitor& visit) const;

private:
  std::uint64_t walk_shard(std::uint16_t shard, const chunk_visitor& visit) const;
  const archive_reader* holder_of(std::uint16_t shard, std::uint64_t number) const;
  void refuse_gap(std::uint16_t shard, std::uint64_t number) const;

  std::vector<std::unique_ptr<archive_reader>> files_;
  const archive_reader* backup_ = nullptr; ///< the newest
  std::uint16_t shards_ = 0;
  position head_ = 0;
  std::uint64_t bytes_ = 0;
};

} // namespace purser
