// Clients that each send their next command when the last was answered, and clients that send at a
// rate whatever the answers do; and what that measures.
#pragma once

#include "runtime/engine.hpp"

#include <boost/describe.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace purser::tools {

struct latencies {
  double p50 = 0;
  double p99 = 0;
  double max = 0;
};
BOOST_DESCRIBE_STRUCT(latencies, (), (p50, p99, max))

double seconds_since(std::chrono::steady_clock::time_point began);

/// Of times in microseconds.
latencies quantiles(std::vector<std::uint32_t> took_us);

/// What one workload did.
struct measured {
  std::uint64_t answers = 0;
  double seconds = 0;
  double per_second = 0; ///< answers
  latencies latency_ms;
  double cpu_us = 0;      ///< per answer
  double events = 0;      ///< per answer
  double messages = 0;    ///< that entities handled, per answer
  double activations = 0; ///< of entities, per answer
  double disk_bytes = 0;  ///< per event
  double commits_per_second = 0;
  double commit_us = 0; ///< writing and syncing, the mean of a commit
  std::uint64_t crashes = 0;
  double healing_ms_p99 = 0;
};

/// One client: makes its commands one after the other.
struct bench_client {
  std::uint64_t random = 0; ///< another number for each command, to choose by
  std::uint64_t order = 0;  ///< what it is at, for a client whose commands belong together
  std::uint32_t step = 0;
};

/// Makes a client's next command; `number` is another one for each command of the run.
using command_maker = std::function<command(bench_client& client, std::uint64_t number)>;

/// Counts the answers of one run and what the engine did meanwhile.
class load_meter {
public:
  explicit load_meter(engine& target);

  void answered(std::chrono::steady_clock::time_point sent, const answer& result);

  /// Throws std::runtime_error when a command was not accepted.
  measured result();

private:
  engine& engine_;
  engine_figures before_;
  std::int64_t cpu_before_;
  std::chrono::steady_clock::time_point began_;
  std::mutex mutex_;
  std::vector<std::uint32_t> took_us_;
  std::uint64_t failed_ = 0;
  std::string failure_;
};

/// `clients` clients for so many seconds. Latency counts from when a command was sent: nobody waits
/// to send. Ends early once `stop` says so. Throws std::runtime_error when a command was not
/// accepted.
measured closed_loop(engine& target, std::size_t clients, double seconds, const command_maker& make,
                     const std::function<bool()>& stop);

/// Commands that are sent to be done with, and not to be measured.
struct bulk {
  std::uint64_t first = 0; ///< the number of the first
  std::uint64_t count = 0;
  std::size_t at_once = 1;
};

/// Sends them, so many under way at a time. `told` hears ten times a second, on this thread, how
/// many were answered. Ends early once `stop` says so.
/// @returns how many were answered. Throws std::runtime_error when a command was not accepted.
std::uint64_t send_all(engine& target, const bulk& what, const command_maker& make,
                       const std::function<bool()>& stop,
                       const std::function<void(std::uint64_t done)>& told);

/// So many commands a second, whatever the answers do. Latency counts from when a command was to be
/// sent: when the engine is late, all who had to wait are counted (no coordinated omission).
measured open_loop(engine& target, double per_second, double seconds, const command_maker& make,
                   const std::function<bool()>& stop);

} // namespace purser::tools
