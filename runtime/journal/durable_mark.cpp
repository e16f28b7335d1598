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

void durable_mark::record(position durable) {
  slot next;
  next.turn = ++turn_;
  next.durable = durable;
  next.checksum = next.sum();
  const auto place = static_cast<off_t>((turn_ % 2) * sizeof(slot));
  if (::pwrite(file_, &next, sizeof next, place) != static_cast<ssize_t>(sizeof next))
    throw store_error(path_.string() + " cannot be written: " + std::strerror(errno));
}

} // namespace purser
