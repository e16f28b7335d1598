// Clients that each send their next command when the last was answered, and what that measures.
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

/// What one workload did.
struct measured {
  std::uint64_t answers = 0;
  double seconds = 0;
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

  double per_second() const { return seconds > 0 ? static_cast<double>(answers) / seconds : 0; }
};

class closed_loop {
public:
  /// Makes the number-th command; `random` is a number to choose by.
  using maker = std::function<command(std::uint64_t number, std::uint64_t random)>;

  closed_loop(engine& target, std::size_t clients, maker make)
      : engine_(target), clients_(clients), make_(std::move(make)) {}

  /// Ends early once `stop` says so. Throws std::runtime_error when a command was not accepted.
  measured run(double seconds, std::function<bool()> stop = {});

private:
  using steady = std::chrono::steady_clock;

  void next(std::uint64_t state);
  void answered(steady::time_point sent, const answer& result);
  latencies quantiles();

  engine& engine_;
  std::size_t clients_;
  maker make_;
  steady::time_point end_;
  std::function<bool()> stop_;
  std::atomic<std::uint64_t> number_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
  std::vector<std::uint32_t> took_us_;
  std::uint64_t failed_ = 0;
  std::string failure_;
};

} // namespace purser::tools
