#include "tools/purser/closed_loop.hpp"

#include "runtime/bench/limits.hpp"

#include <algorithm>
#include <stdexcept>

namespace purser::tools {

namespace {

/// The next number of a splitmix64 sequence: cheap, and good enough to choose SKUs by.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  auto mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

} // namespace

measured closed_loop::run(double seconds, std::function<bool()> stop) {
  stop_ = std::move(stop);
  const auto before = engine_.figures();
  const auto cpu_before = bench::cpu_us();
  const auto began = steady::now();
  end_ =
    began + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
  running_ = clients_;
  for (std::size_t client = 0; client < clients_; ++client)
    next(client * 0x9e3779b97f4a7c15ULL + 1);
  std::unique_lock lock{mutex_};
  idle_.wait(lock, [this] { return running_ == 0; });
  measured made;
  made.seconds = std::chrono::duration<double>(steady::now() - began).count();
  made.answers = took_us_.size();
  if (failed_ != 0)
    throw std::runtime_error(std::to_string(failed_) + " commands were not accepted: " + failure_);
  const auto answers = static_cast<double>(std::max<std::uint64_t>(made.answers, 1));
  made.cpu_us = static_cast<double>(bench::cpu_us() - cpu_before) / answers;
  const auto after = engine_.figures();
  made.events = static_cast<double>(after.events - before.events) / answers;
  made.messages = static_cast<double>(after.messages - before.messages) / answers;
  made.activations = static_cast<double>(after.activations - before.activations) / answers;
  const auto commits = static_cast<double>(after.commits - before.commits);
  made.commits_per_second = commits / made.seconds;
  made.commit_us =
    static_cast<double>(after.write_us - before.write_us + after.sync_us - before.sync_us) /
    std::max(commits, 1.0);
  made.crashes = after.crashes - before.crashes;
  made.healing_ms_p99 = static_cast<double>(after.healing_us_p99) / 1e3;
  made.latency_ms = quantiles();
  return made;
}

/// Latency counts from when the command was sent; in a closed loop nobody waits to send.
void closed_loop::next(std::uint64_t state) {
  const auto random = next_random(state);
  const auto sent = steady::now();
  engine_.submit(make_(number_.fetch_add(1), random), [this, sent, state](const answer& result) {
    answered(sent, result);
    if (steady::now() < end_ && !(stop_ && stop_()))
      return next(state);
    const std::lock_guard lock{mutex_};
    if (--running_ == 0)
      idle_.notify_all();
  });
}

void closed_loop::answered(steady::time_point sent, const answer& result) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - sent);
  const std::lock_guard lock{mutex_};
  took_us_.push_back(static_cast<std::uint32_t>(us.count()));
  if (result.result != outcome::accepted) {
    ++failed_;
    failure_ = std::string{to_string(result.why)} + result.detail;
  }
}

latencies closed_loop::quantiles() {
  if (took_us_.empty())
    return {};
  std::sort(took_us_.begin(), took_us_.end());
  const auto at = [this](double q) {
    return took_us_[static_cast<std::size_t>(q * static_cast<double>(took_us_.size() - 1))] / 1e3;
  };
  return {at(0.5), at(0.99), at(1)};
}

} // namespace purser::tools
