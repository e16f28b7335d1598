#include "runtime/journal/durable_mark.hpp"

#include "runtime/journal/store.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace purser {

namespace {

struct slot {
  std::uint64_t magic = 0x314b52414d525544; // "DURMARK1"
  std::uint64_t turn = 0;
  std::uint64_t durable = 0;
  std::uint64_t checksum = 0;

  std::uint64_t sum() const {
    return XXH3_64bits(this, sizeof magic + sizeof turn + sizeof durable);
  }
};
static_assert(sizeof(slot) == 32);

} // namespace

durable_mark::durable_mark(const std::filesystem::path& file, bool read_only) : path_(file) {
  file_ = ::open(path_.c_str(), (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0644);
  if (file_ < 0 && !(read_only && errno == ENOENT))
    throw store_error(path_.string() + " cannot be opened: " + std::strerror(errno));
  read();
}

durable_mark::~durable_mark() {
  if (file_ >= 0)
    ::close(file_);
}

void durable_mark::read() {
  std::array<slot, 2> slots{};
  const auto size = file_ < 0 ? 0 : ::pread(file_, slots.data(), sizeof slots, 0);
  if (size <= 0)
    return;
  std::optional<slot> newest;
  const auto whole_slots = static_cast<std::size_t>(size) / sizeof(slot);
  for (std::size_t i = 0; i < whole_slots; ++i)
    if (slots[i].magic == slot{}.magic && slots[i].checksum == slots[i].sum() &&
        (!newest || slots[i].turn > newest->turn))
      newest = slots[i];
  if (!newest)
    throw journal_corrupt(path_.string() + " is corrupted: the recorded durable position is lost");
  turn_ = newest->turn;
  recorded_ = newest->durable;
}

void durable_mark::create() {
  record(0);
  if (::fsync(file_) != 0)
    throw store_error(path_.string() + " cannot be synced: " + std::strerror(errno));
  sync_directory(path_.parent_path());
}

void durable_mark::record(position durable) {
  slot next;
  next.turn = ++turn_;
  next.durable = durable;
  next.checksum = next.sum();
  const auto place = static_cast<off_t>((turn_ % 2) * sizeof(slot));
  if (::pwrite(file_, &next, sizeof next, place) != static_cast<ssize_t>(sizeof next))
    throw store_error(path_.string() + " cannot be written: " + std::strerror(errno));
}

void sync_directory(const std::filesystem::path& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int why = errno;
  if (file >= 0)
    ::close(file);
  if (!synced)
    throw store_error(directory.string() + " cannot be synced: " + std::strerror(why));
}

} // namespace purser
