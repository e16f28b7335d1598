#include "runtime/journal/archive_files.hpp"

#include "runtime/journal/marks.hpp"
#include "runtime/journal/store.hpp"

#include <algorithm>
#include <utility>

namespace purser {

namespace {

/// Backups of one position may differ in what was dropped or released between them.
auto age_of(const archive_reader& backup) {
  return std::pair{backup.header().head, backup.header().made_at};
}

bool is_kept_in_backups(std::string_view key) {
  return std::ranges::any_of(marks::kept_in_backups,
                             [&](std::string_view prefix) { return key.starts_with(prefix); });
}

} // namespace

archive_files::archive_files(const std::vector<std::filesystem::path>& names) {
  std::uint64_t events = 0;
  for (const auto& name : names) {
    files_.push_back(std::make_unique<archive_reader>(name));
    const auto& file = *files_.back();
    if (file.header().shards != files_.front()->header().shards)
      throw store_error(name.string() + " is of a journal with " +
                        std::to_string(file.header().shards) + " shards, " +
                        names.front().string() + " of one with " +
                        std::to_string(files_.front()->header().shards));
    if (file.header().kind == archive_kind::backup &&
        (backup_ == nullptr || age_of(file) > age_of(*backup_)))
      backup_ = &file;
    events += file.trailer().events;
    bytes_ += file.bytes();
  }
  if (backup_ == nullptr)
    throw store_error(names.empty() ? "no file is named"
                                    : names.front().string() +
                                        " holds an archived part of a journal; name a backup too");
  shards_ = backup_->header().shards;
  head_ = backup_->header().head;
  if (head_ > events)
    throw journal_corrupt(backup_->name().string() + " ends at position " + std::to_string(head_) +
                          ", and there are only " + std::to_string(events) +
                          " events; if it was made without the archive, name the archive's files");
}

const archive_reader* archive_files::holder_of(std::uint16_t shard, std::uint64_t number) const {
  for (const auto& file : files_)
    if (file->find(shard, number) != nullptr)
      return file.get();
  return nullptr;
}

void archive_files::refuse_gap(std::uint16_t shard, std::uint64_t number) const {
  for (const auto& file : files_)
    for (const auto& range : file->ranges())
      if (range.shard == shard && range.first > number)
        throw journal_corrupt(chunk_place(shard, number) + " is in no file, but " +
                              chunk_place(shard, range.first) + " is in " + file->name().string());
}

std::uint64_t archive_files::walk_shard(std::uint16_t shard, const chunk_visitor& visit) const {
  std::uint64_t number = 1;
  std::uint64_t events = 0;
  position before = 0;
  while (const auto* file = holder_of(shard, number)) {
    const auto& place = *file->find(shard, number);
    const auto block = file->read(place);
    for (; number <= place.last_chunk(); ++number) {
      const auto bytes = block->chunk(number);
      try {
        const auto header = checked_header(bytes, shard, number);
        if (header.first > head_)
          return events; // an archive made after the backup
        if (header.first <= before || header.last < header.first || header.last > head_)
          throw journal_corrupt(chunk_place(shard, number) + " is out of order");
        before = header.last;
        events += header.count;
        visit(header, bytes);
      } catch (const journal_corrupt& error) {
        throw journal_corrupt(file->name().string() + " is damaged: " + error.what());
      }
    }
  }
  refuse_gap(shard, number);
  return events;
}

void archive_files::for_each_chunk(const chunk_visitor& visit) const {
  std::uint64_t events = 0;
  for (std::uint16_t shard = 0; shard < shards_; ++shard)
    events += walk_shard(shard, visit);
  if (events != head_)
    throw journal_corrupt("the journal ended at position " + std::to_string(head_) + ", and " +
                          std::to_string(events) + " events are there");
}

void archive_files::for_each_record(const record_visitor& visit) const {
  std::string before;
  for (const auto& place : backup_->blocks()) {
    if (!place.of_records())
      continue;
    const auto block = backup_->read(place);
    for (auto number = place.first; number <= place.last_chunk(); ++number) {
      try {
        auto record = archive_format::decode_record(block->chunk(number));
        if (!is_kept_in_backups(record.key))
          throw journal_corrupt("it is a mark that no backup holds");
        if (record.key <= before)
          throw journal_corrupt("it is out of order");
        visit(record);
        before = std::move(record.key);
      } catch (const journal_corrupt& error) {
        throw journal_corrupt(backup_->name().string() + " is damaged: record " +
                              std::to_string(number) + ": " + error.what());
      }
    }
  }
}

} // namespace purser
