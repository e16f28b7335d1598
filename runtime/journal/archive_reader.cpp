#include "runtime/journal/archive_reader.hpp"

#include "runtime/journal/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace purser {

namespace {

std::string place_of(const archive_block& block) {
  const auto numbers = std::to_string(block.first) + " to " + std::to_string(block.last_chunk());
  return "the block at byte " + std::to_string(block.offset) + " (" +
         (block.of_records() ? "records " + numbers
                             : "chunks " + numbers + " of shard " + std::to_string(block.shard)) +
         "): ";
}

std::string unpacked(std::string_view stored, const archive_block& block) {
  std::string bytes(block.size, '\0');
  const auto size = ZSTD_decompress(bytes.data(), bytes.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != bytes.size())
    throw journal_corrupt("it cannot be unpacked");
  return bytes;
}

} // namespace

unpacked_block::unpacked_block(std::string bytes, std::uint64_t first, std::uint32_t chunks)
    : bytes_(std::move(bytes)), first_(first) {
  std::string_view rest{bytes_};
  chunks_.reserve(chunks);
  for (std::uint32_t i = 0; i < chunks; ++i) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof size)
      throw journal_corrupt("its chunks do not fill it");
    std::memcpy(&size, rest.data(), sizeof size);
    rest.remove_prefix(sizeof size);
    if (rest.size() < size)
      throw journal_corrupt("its chunks do not fill it");
    chunks_.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  if (!rest.empty())
    throw journal_corrupt("its chunks do not fill it");
}

archive_reader::archive_reader(std::filesystem::path name) : name_(std::move(name)) {
  try {
    open();
  } catch (...) {
    if (file_ >= 0)
      ::close(file_);
    throw;
  }
}

archive_reader::~archive_reader() {
  ::close(file_);
}

void archive_reader::refuse(const std::string& why) const {
  throw journal_corrupt(name_.string() + " is damaged: " + why);
}

void archive_reader::open() {
  namespace format = archive_format;
  file_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0 && errno == ENOENT)
    throw store_error(name_.string() + " does not exist");
  struct stat about {};
  if (file_ < 0 || ::fstat(file_, &about) != 0)
    throw store_error(name_.string() + " cannot be opened: " + std::strerror(errno));
  if (!S_ISREG(about.st_mode))
    throw store_error(name_.string() + " is no file");
  size_ = static_cast<std::uint64_t>(about.st_size);
  try {
    const auto head = bytes_at(0, std::min<std::uint64_t>(size_, format::header_size));
    header_ = format::decode_header(head);
    if (size_ < format::header_size + format::trailer_size)
      throw journal_corrupt("it was cut off at byte " + std::to_string(size_));
    trailer_ = format::decode_trailer(bytes_at(size_ - format::trailer_size, format::trailer_size));
    const auto space = size_ - format::header_size - format::trailer_size;
    if (trailer_.header_checksum != format::checksum(head) ||
        trailer_.blocks > space / format::entry_size ||
        trailer_.index_at != size_ - format::trailer_size - trailer_.blocks * format::entry_size)
      throw journal_corrupt("its beginning and its end do not belong together");
    const auto index = bytes_at(trailer_.index_at, trailer_.blocks * format::entry_size);
    if (trailer_.index_checksum != format::checksum(index))
      throw journal_corrupt("its index (from byte " + std::to_string(trailer_.index_at) +
                            ") has a wrong checksum");
    index_ = format::decode_index(index);
    check_index();
  } catch (const journal_corrupt& error) {
    refuse(error.what());
  } catch (const store_error& error) {
    throw store_error(name_.string() + " " + error.what());
  }
}

/// The checksums hold, so this is about files that something else than this program made.
void archive_reader::check_index() const {
  std::uint64_t offset = archive_format::header_size;
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;
  const archive_block* before = nullptr;
  for (const auto& block : index_) {
    const bool belongs =
      block.of_records() ? header_.records && block.events == 0 : block.shard < header_.shards;
    const bool follows = before == nullptr || block.shard > before->shard ||
                         (block.shard == before->shard && block.first == before->last_chunk() + 1);
    if (!belongs || !follows || block.chunks == 0 || block.first == 0 || block.offset != offset ||
        block.size > archive_format::largest_block || block.chunks > block.size ||
        block.stored > trailer_.index_at - offset)
      throw journal_corrupt("entry " + std::to_string(&block - index_.data()) +
                            " of its index cannot be right");
    offset += block.stored;
    chunks += block.of_records() ? 0 : block.chunks;
    events += block.events;
    before = &block;
  }
  if (offset != trailer_.index_at || chunks != trailer_.chunks || events != trailer_.events)
    throw journal_corrupt("its index does not tell of all of it");
}

std::string archive_reader::bytes_at(std::uint64_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const auto got =
      ::pread(file_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw store_error("cannot be read: " + std::string{std::strerror(errno)});
    if (got == 0)
      throw journal_corrupt("it was cut off at byte " + std::to_string(offset + done));
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::vector<chunk_range> archive_reader::ranges() const {
  std::vector<chunk_range> all;
  for (const auto& block : index_) {
    if (block.of_records())
      continue;
    if (all.empty() || all.back().shard != block.shard)
      all.push_back({block.shard, block.first, 0, 0});
    all.back().last = block.last_chunk();
    all.back().events += block.events;
  }
  return all;
}

const archive_block* archive_reader::find(std::uint16_t shard, std::uint64_t number) const {
  auto after = std::upper_bound(index_.begin(), index_.end(), std::pair{shard, number},
                                [](const auto& wanted, const archive_block& block) {
                                  return wanted < std::pair{block.shard, block.first};
                                });
  if (after == index_.begin())
    return nullptr;
  const auto& block = *std::prev(after);
  return block.shard == shard && number <= block.last_chunk() ? &block : nullptr;
}

std::shared_ptr<const unpacked_block> archive_reader::read(const archive_block& block) const {
  try {
    auto bytes = bytes_at(block.offset, block.stored);
    if (archive_format::checksum(bytes) != block.checksum)
      throw journal_corrupt("its checksum is wrong");
    switch (block.codec) {
    case block_codec::raw: break;
    case block_codec::zstd: bytes = unpacked(bytes, block); break;
    default: throw journal_corrupt("it is packed in an unknown way");
    }
    return std::make_shared<unpacked_block>(std::move(bytes), block.first, block.chunks);
  } catch (const journal_corrupt& error) {
    refuse(place_of(block) + error.what());
  } catch (const store_error& error) {
    throw store_error(name_.string() + " " + error.what());
  }
}

} // namespace purser
