#include "runtime/control_socket.hpp"

#include "runtime/socket_address.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace purser {

namespace {

constexpr int backlog = 16;
constexpr int pause_ms = 100;
constexpr std::size_t block = 1'024;

} // namespace

control_socket::control_socket(const std::filesystem::path& directory,
                               std::function<std::string(std::string_view)> answer, limits bounds)
    : path_(directory / control_socket_name), answer_(std::move(answer)), limits_(bounds) {
  const socket_address address{directory, control_socket_name};
  ::unlink(path_.c_str()); // T1
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // The mode of the file that bind makes is that of the socket.
  if (listener_ < 0 || wake_ < 0 || ::fchmod(listener_, S_IRUSR | S_IWUSR) != 0 ||
      ::bind(listener_, address.get(), address.size()) != 0 || ::listen(listener_, backlog) != 0) {
    const std::string why = std::strerror(errno);
    ::close(listener_);
    ::close(wake_);
    throw std::runtime_error(path_.string() + " cannot be made: " + why);
  }
  thread_ = std::thread{[this] { run(); }};
}

control_socket::~control_socket() {
  ::unlink(path_.c_str());
  ::eventfd_write(wake_, 1);
  thread_.join();
  for (const auto& each : clients_)
    ::close(each.file);
  ::close(listener_);
  ::close(wake_);
}

void control_socket::run() {
  std::vector<pollfd> files;
  for (;;) {
    files = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    auto next = steady::time_point::max();
    for (const auto& each : clients_) {
      files.push_back({each.file, static_cast<short>(each.out.empty() ? POLLIN : POLLOUT), 0});
      next = std::min(next, each.deadline);
    }
    int wait_ms = -1;
    if (!clients_.empty()) {
      const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(next - steady::now()).count();
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, limits_.patience_ms + 1));
    }
    if (::poll(files.data(), files.size(), wait_ms) < 0 && errno != EINTR)
      return;
    if (files[0].revents != 0)
      return;
    const auto now = steady::now();
    std::vector<client> stay;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      auto& each = clients_[i];
      if (serve(each, files[i + 2].revents) && each.deadline > now)
        stay.push_back(std::move(each));
      else
        ::close(each.file);
    }
    clients_ = std::move(stay);
    if (files[1].revents != 0)
      welcome();
  }
}

void control_socket::welcome() {
  const int file = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (file < 0) {
    if (errno == EMFILE || errno == ENFILE) // it stays in the queue: not at once again
      ::poll(nullptr, 0, pause_ms);
    return;
  }
  if (clients_.size() >= limits_.most_clients) {
    ::close(file);
    return;
  }
  clients_.push_back(
    {file, {}, {}, steady::now() + std::chrono::milliseconds{limits_.patience_ms}});
}

/// @returns whether the client may stay.
bool control_socket::serve(client& at, short events) {
  if (events == 0)
    return true;
  if (!at.out.empty())
    return give(at);
  return take(at);
}

bool control_socket::take(client& at) {
  char buffer[block];
  const auto size = ::recv(at.file, buffer, sizeof buffer, 0);
  if (size < 0)
    return errno == EAGAIN || errno == EINTR;
  if (size == 0)
    return false;
  at.in.append(buffer, static_cast<std::size_t>(size));
  for (auto newline = at.in.find('\n'); newline != std::string::npos; newline = at.in.find('\n')) {
    if (newline >= limits_.longest_request)
      break;
    at.out += answer_(std::string_view{at.in}.substr(0, newline)) + '\n';
    at.in.erase(0, newline + 1);
    at.deadline = steady::now() + std::chrono::milliseconds{limits_.patience_ms};
  }
  if (at.in.size() > limits_.longest_request) {
    at.out += "{\"error\":\"the request is longer than " + std::to_string(limits_.longest_request) +
              " bytes\"}\n";
    give(at);
    return false;
  }
  return at.out.empty() || give(at);
}

bool control_socket::give(client& at) const {
  const auto size = ::send(at.file, at.out.data(), at.out.size(), MSG_NOSIGNAL);
  if (size < 0)
    return errno == EAGAIN || errno == EINTR;
  at.out.erase(0, static_cast<std::size_t>(size));
  return true;
}

} // namespace purser
