#include "runtime/journal/directory_lock.hpp"

#include "runtime/journal/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace purser {

namespace {

std::string program_name() {
  std::string name(64, '\0');
  const int file = ::open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  const auto size = file < 0 ? 0 : ::read(file, name.data(), name.size());
  if (file >= 0)
    ::close(file);
  name.resize(size > 1 ? static_cast<std::size_t>(size - 1) : 0); // without the newline
  return name.empty() ? "purser" : name;
}

} // namespace

directory_lock::directory_lock(const std::filesystem::path& directory) {
  const auto path = directory / "lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw store_error(path.string() + " cannot be opened: " + std::strerror(errno));
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    std::string owner(128, '\0');
    const auto size = ::pread(file_, owner.data(), owner.size(), 0);
    owner.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    ::close(file_);
    throw store_error(directory.string() + " is in use by " +
                      (owner.empty() ? "another process" : owner) +
                      "; one process owns a data directory");
  }
  const auto me = program_name() + ", process " + std::to_string(::getpid());
  if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, me.data(), me.size(), 0) < 0)
    return; // a full disk: the lock holds all the same, only its name is missing
}

directory_lock::~directory_lock() {
  ::close(file_);
}

} // namespace purser
