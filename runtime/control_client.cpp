#include "runtime/control_client.hpp"

#include "runtime/control_socket.hpp"
#include "runtime/engine.hpp"
#include "runtime/socket_address.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace purser {

namespace {

constexpr std::size_t block = std::size_t{64} << 10;

/// An answer is never longer: rows and notices are bounded.
constexpr std::size_t longest_answer = std::size_t{16} << 20;

} // namespace

control_client::control_client(const std::filesystem::path& directory) : directory_(directory) {
  if (!std::filesystem::is_directory(directory))
    throw engine_error(directory.string() + " is no directory");
  const socket_address address{directory, control_socket_name};
  file_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file_ >= 0 && ::connect(file_, address.get(), address.size()) == 0)
    return;
  const int why = errno;
  ::close(file_);
  if (why == ENOENT || why == ECONNREFUSED)
    throw engine_error("no running engine has " + directory.string() + " open");
  throw engine_error((directory / control_socket_name).string() +
                     " cannot be reached: " + std::strerror(why));
}

control_client::~control_client() {
  ::close(file_);
}

std::string control_client::ask(const std::string& request, std::int64_t timeout_ms) {
  using steady = std::chrono::steady_clock;
  const auto until = steady::now() + std::chrono::milliseconds{timeout_ms};
  const auto line = request + "\n";
  if (::send(file_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    throw engine_error("the engine of " + directory_.string() + " has gone");
  std::size_t newline = std::string::npos;
  while ((newline = rest_.find('\n')) == std::string::npos) {
    const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now()).count();
    pollfd file{file_, POLLIN, 0};
    const int ready = ::poll(&file, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready <= 0)
      throw engine_error("the engine of " + directory_.string() + " does not answer within " +
                         std::to_string(timeout_ms) + " ms");
    const auto before = rest_.size();
    rest_.resize(before + block);
    const auto size = ::recv(file_, rest_.data() + before, block, 0);
    rest_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (size <= 0 || rest_.size() > longest_answer)
      throw engine_error("the engine of " + directory_.string() + " has gone");
  }
  auto answer = rest_.substr(0, newline);
  rest_.erase(0, newline + 1);
  if (answer.starts_with("{\"error\":"))
    throw engine_error("the engine of " + directory_.string() + " refuses: " + answer);
  return answer;
}

} // namespace purser
