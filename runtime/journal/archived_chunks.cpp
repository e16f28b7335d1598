#include "runtime/journal/archived_chunks.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/chunk.hpp"
#include "runtime/journal/store.hpp"

#include <algorithm>

namespace purser {

namespace fs = std::filesystem;

namespace {

/// Files kept open, with their index in memory.
constexpr std::size_t most_open_files = 64;

/// Unpacked blocks kept: one for each shard that is read at the same time is what a scan needs.
constexpr std::size_t most_cached_bytes = std::size_t{64} << 20;

} // namespace

std::string encode(const archived_file& file) {
  std::string bytes;
  codec::put_varint(bytes, file.id);
  codec::put_varint(bytes, file.bytes);
  codec::put_varint(bytes, file.ranges.size());
  for (const auto& range : file.ranges) {
    codec::put_varint(bytes, range.shard);
    codec::put_varint(bytes, range.first);
    codec::put_varint(bytes, range.last);
    codec::put_varint(bytes, range.events);
  }
  return bytes;
}

archived_file decode_archived_file(std::string_view name, std::string_view mark) {
  try {
    archived_file file{std::string{name}, codec::take_varint(mark), codec::take_varint(mark), {}};
    for (auto left = codec::take_varint(mark); left > 0; --left) {
      chunk_range range;
      range.shard = static_cast<std::uint16_t>(codec::take_varint(mark));
      range.first = codec::take_varint(mark);
      range.last = codec::take_varint(mark);
      range.events = codec::take_varint(mark);
      file.ranges.push_back(range);
    }
    return file;
  } catch (const codec::decode_error& error) {
    throw journal_corrupt("the mark of the archive file " + std::string{name} +
                          " cannot be read: " + error.what());
  }
}

void archived_chunks::know(std::vector<archived_file> files) {
  const std::lock_guard lock{mutex_};
  cache_.clear();
  cached_bytes_ = 0;
  open_.clear();
  files_ = std::move(files);
  by_shard_.clear();
  for (const auto& file : files_)
    for (const auto& range : file.ranges) {
      if (by_shard_.size() <= range.shard)
        by_shard_.resize(std::size_t{range.shard} + 1);
      by_shard_[range.shard].emplace_back(range, &file);
    }
  for (std::size_t shard = 0; shard < by_shard_.size(); ++shard) {
    auto& parts = by_shard_[shard];
    std::ranges::sort(parts, {}, [](const auto& part) { return part.first.first; });
    std::uint64_t before = 0;
    for (const auto& [range, file] : parts) {
      if (range.first != before + 1 || range.last < range.first)
        throw journal_corrupt(folder_.string() + " should hold chunk " +
                              std::to_string(before + 1) + " of shard " + std::to_string(shard) +
                              ", but no mark says in which file");
      before = range.last;
    }
  }
}

const archived_file* archived_chunks::file_of(std::uint16_t shard, std::uint64_t number) const {
  if (shard >= by_shard_.size())
    return nullptr;
  const auto& parts = by_shard_[shard];
  const auto at =
    std::ranges::lower_bound(parts, number, {}, [](const auto& part) { return part.first.last; });
  return at == parts.end() || number < at->first.first ? nullptr : at->second;
}

chunk_range archived_chunks::all_of(std::uint16_t shard) {
  const std::lock_guard lock{mutex_};
  chunk_range all{shard, 1, 0, 0};
  if (shard < by_shard_.size())
    for (const auto& [range, file] : by_shard_[shard]) {
      all.last = range.last;
      all.events += range.events;
    }
  return all;
}

const archive_reader& archived_chunks::reader_of(const archived_file& file) {
  auto at = std::ranges::find(open_, &file, &open_file::file);
  if (at != open_.end()) {
    open_.splice(open_.begin(), open_, at);
    return *at->reader;
  }
  const auto path = folder_ / file.name;
  if (std::error_code gone; !fs::exists(path, gone))
    throw store_error(path.string() + " is missing");
  auto reader = std::make_unique<archive_reader>(path);
  if (reader->trailer().id != file.id)
    throw journal_corrupt(path.string() + " is not the file that was archived here");
  open_.push_front({&file, std::move(reader)});
  if (open_.size() > most_open_files) {
    std::erase_if(cache_, [&](const cached_block& entry) {
      if (entry.file != open_.back().file)
        return false;
      cached_bytes_ -= entry.block->size();
      return true;
    });
    open_.pop_back();
  }
  return *open_.front().reader;
}

std::shared_ptr<const unpacked_block>
archived_chunks::block_of(const archived_file& file, std::uint16_t shard, std::uint64_t number) {
  const auto& reader = reader_of(file);
  const auto* place = reader.find(shard, number);
  if (place == nullptr)
    throw journal_corrupt(reader.name().string() + " does not hold it");
  const auto at = std::ranges::find(cache_, place, &cached_block::place);
  if (at != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, at);
    return at->block;
  }
  cache_.push_front({&file, place, reader.read(*place)});
  auto block = cache_.front().block;
  cached_bytes_ += block->size();
  while (cached_bytes_ > most_cached_bytes && cache_.size() > 1) {
    cached_bytes_ -= cache_.back().block->size();
    cache_.pop_back();
  }
  return block;
}

std::optional<std::string> archived_chunks::chunk(std::uint16_t shard, std::uint64_t number) {
  const std::lock_guard lock{mutex_};
  const auto* file = file_of(shard, number);
  if (file == nullptr)
    return std::nullopt;
  std::uint64_t last = number;
  try {
    const auto& part = *std::ranges::find(file->ranges, shard, &chunk_range::shard);
    last = part.last;
    const auto& reader = reader_of(*file);
    if (const auto* place = reader.find(shard, number))
      last = place->last_chunk();
    return std::string{block_of(*file, shard, number)->chunk(number)};
  } catch (const store_error& error) {
    throw archive_unreadable(chunk_place(shard, number) + " was archived: " + error.what(), last);
  } catch (const journal_corrupt& error) {
    throw archive_unreadable(chunk_place(shard, number) + " was archived: " + error.what(), last);
  }
}

std::vector<std::string> archived_chunks::missing() {
  const std::lock_guard lock{mutex_};
  std::vector<std::string> found;
  for (const auto& file : files_) {
    std::error_code error;
    const auto path = folder_ / file.name;
    const auto size = fs::file_size(path, error);
    if (error)
      found.push_back(path.string() + " cannot be read (" + error.message() + ")");
    else if (size != file.bytes)
      found.push_back(path.string() + " has " + std::to_string(size) + " bytes, not " +
                      std::to_string(file.bytes));
  }
  return found;
}

} // namespace purser
