// The address of a Unix domain socket in a directory whose path may be longer than such an address
// can be.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace purser {

class socket_address {
public:
  /// Throws std::runtime_error when the directory cannot be opened. To be kept until the call that
  /// uses it has returned.
  socket_address(const std::filesystem::path& directory, const std::string& name)
      : directory_(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (directory_ < 0)
      throw std::runtime_error(directory.string() + " is no directory");
    const auto path = "/proc/self/fd/" + std::to_string(directory_) + "/" + name;
    address_.sun_family = AF_UNIX;
    std::strncpy(address_.sun_path, path.c_str(), sizeof address_.sun_path - 1);
  }
  ~socket_address() { ::close(directory_); }
  socket_address(const socket_address&) = delete;
  socket_address& operator=(const socket_address&) = delete;

  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const noexcept { return sizeof address_; }

private:
  int directory_;
  sockaddr_un address_{};
};

} // namespace purser
