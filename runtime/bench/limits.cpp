#include "runtime/bench/limits.hpp"

#include "runtime/threads.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace purser::bench {

namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point began) {
  return std::chrono::duration<double>(steady::now() - began).count();
}

/// A file that is gone afterwards.
class scratch_file {
public:
  explicit scratch_file(const std::filesystem::path& directory)
      : path_(directory / "purser-bench-scratch"),
        file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (file_ < 0)
      throw std::runtime_error(path_.string() + " cannot be written: " + std::strerror(errno));
  }
  ~scratch_file() {
    ::close(file_);
    ::unlink(path_.c_str());
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  void append_and_sync(const std::vector<char>& bytes) const {
    if (::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(file_) != 0)
      throw std::runtime_error(path_.string() + " cannot be written: " + std::strerror(errno));
  }

private:
  std::filesystem::path path_;
  int file_;
};

/// @returns the seconds that each append and sync took.
std::vector<double> append_for(const std::filesystem::path& directory, std::size_t size,
                               double seconds) {
  const scratch_file file{directory};
  const std::vector<char> bytes(size, 'x');
  std::vector<double> took;
  for (const auto began = steady::now(); seconds_since(began) < seconds;) {
    const auto start = steady::now();
    file.append_and_sync(bytes);
    took.push_back(seconds_since(start));
  }
  return took;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const auto value : values)
    total += value;
  return total;
}

using tick_atom = caf::atom_constant<caf::atom("tick")>;

double messages_per_second(double seconds) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"))
    .set("scheduler.max-threads", std::size_t{threads_or_cores(0)});
  caf::actor_system system{config};
  std::atomic<std::uint64_t> received{0};
  const auto receiver = system.spawn([&received](caf::event_based_actor*) -> caf::behavior {
    return {[&received](tick_atom) { received.fetch_add(1, std::memory_order_relaxed); }};
  });
  constexpr std::uint64_t burst = 1'000;
  const auto began = steady::now();
  const auto sender = system.spawn([receiver](caf::event_based_actor* self) -> caf::behavior {
    return {[self, receiver](tick_atom) {
      for (std::uint64_t i = 0; i < burst; ++i)
        self->send(receiver, tick_atom::value);
    }};
  });
  std::uint64_t sent = 0;
  while (seconds_since(began) < seconds) {
    caf::anon_send(sender, tick_atom::value);
    sent += burst;
    while (sent - received.load(std::memory_order_relaxed) > 16 * burst)
      std::this_thread::yield();
  }
  while (received.load(std::memory_order_relaxed) < sent)
    std::this_thread::yield();
  const auto rate = static_cast<double>(sent) / seconds_since(began);
  caf::anon_send_exit(sender, caf::exit_reason::kill);
  caf::anon_send_exit(receiver, caf::exit_reason::kill);
  return rate;
}

std::string file_system_name(long type, bool& in_memory) {
  constexpr long tmpfs = 0x01021994;
  constexpr long ramfs = 0x858458f6;
  in_memory = type == tmpfs || type == ramfs;
  switch (type) {
  case 0xef53: return "ext4";
  case 0x58465342: return "xfs";
  case 0x9123683e: return "btrfs";
  case 0x794c7630: return "overlayfs";
  case 0x6969: return "nfs";
  case 0x2fc12fc1: return "zfs";
  case tmpfs: return "tmpfs";
  case ramfs: return "ramfs";
  default: return "type " + std::to_string(type);
  }
}

} // namespace

machine_limits measure_limits(const std::filesystem::path& directory, double seconds) {
  constexpr std::size_t kib = 1024;
  machine_limits limits;
  auto small = append_for(directory, 4 * kib, seconds);
  limits.syncs_per_second = static_cast<double>(small.size()) / sum(small);
  std::nth_element(small.begin(), small.begin() + static_cast<std::ptrdiff_t>(small.size() / 2),
                   small.end());
  limits.sync_ms_p50 = small[small.size() / 2] * 1e3;
  const auto large = append_for(directory, kib * kib, seconds);
  limits.append_mb_per_second =
    static_cast<double>(large.size()) * static_cast<double>(kib * kib) / 1e6 / sum(large);
  limits.messages_per_second = messages_per_second(seconds);
  return limits;
}

machine_description describe_machine(const std::filesystem::path& directory) {
  machine_description made;
  made.cores = std::thread::hardware_concurrency();
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) {
      made.cpu = line.substr(std::min(line.find(": ") + 2, line.size()));
      break;
    }
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) == 0)
    made.file_system = file_system_name(status.f_type, made.in_memory);
  return made;
}

std::int64_t cpu_us() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr std::int64_t us_per_second = 1'000'000;
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * us_per_second + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

} // namespace purser::bench
