#include "tools/purser/interruption.hpp"

#include "tools/purser/terminal.hpp"

#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>

namespace purser::tools {

namespace {

constexpr int exit_of_signal = 128;

sigset_t both() {
  sigset_t made;
  sigemptyset(&made);
  sigaddset(&made, SIGINT);
  sigaddset(&made, SIGTERM);
  return made;
}

std::string name_of(int signal) {
  return signal == 0 ? "" : signal == SIGINT ? "SIGINT" : "SIGTERM";
}

} // namespace

interruption::interruption(std::int64_t stop_within_ms, bool notes)
    : stop_within_ms_(stop_within_ms), notes_(notes) {
  const auto signals = both();
  signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
  happened_ = ::eventfd(0, EFD_CLOEXEC);
  ended_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || happened_ < 0 || ended_ < 0)
    throw std::runtime_error("signals cannot be watched: too many open files?");
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread{[this] { watch(); }};
}

interruption::~interruption() {
  ::eventfd_write(ended_, 1);
  thread_.join();
  const auto signals = both();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  ::close(signals_);
  ::close(happened_);
  ::close(ended_);
}

std::string interruption::name() const {
  return name_of(signal_);
}

int interruption::exit_code() const noexcept {
  return exit_of_signal + signal_;
}

void interruption::now_at(std::string part) {
  const std::lock_guard lock{mutex_};
  part_ = std::move(part);
}

void interruption::on_overdue(std::function<std::vector<std::string>()> reasons) {
  const std::lock_guard lock{mutex_};
  reasons_ = std::move(reasons);
}

void interruption::watch() {
  using steady = std::chrono::steady_clock;
  steady::time_point until;
  for (;;) {
    pollfd files[] = {{signals_, POLLIN, 0}, {ended_, POLLIN, 0}};
    int wait_ms = -1;
    if (happened()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
      if (left <= 0)
        overdue();
      wait_ms = static_cast<int>(left);
    }
    if (::poll(files, std::size(files), wait_ms) < 0 && errno != EINTR)
      return;
    if (files[1].revents != 0)
      return;
    signalfd_siginfo told{};
    if (files[0].revents == 0 || ::read(signals_, &told, sizeof told) != sizeof told)
      continue;
    const auto number = static_cast<int>(told.ssi_signo);
    if (happened())
      ::_exit(exit_of_signal + number);
    until = steady::now() + std::chrono::milliseconds{stop_within_ms_};
    signal_ = number;
    ::eventfd_write(happened_, 1);
    if (notes_)
      complain(fmt::format("{}: stopping within {} ms; once more ends it at once", name_of(number),
                           grouped(stop_within_ms_)));
  }
}

/// What does not return cannot be stopped: its process ends.
void interruption::overdue() {
  const std::lock_guard lock{mutex_};
  std::string told =
    fmt::format("purser: not stopped within {} ms: it is at {}\n", grouped(stop_within_ms_), part_);
  if (reasons_)
    for (const auto& reason : reasons_())
      told += "purser: " + reason + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, told.data(), told.size());
  ::_exit(exit_did_not_stop);
}

} // namespace purser::tools
