#include "tools/purser/load.hpp"

#include "runtime/bench/limits.hpp"
#include "tools/purser/client_numbers.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace purser::tools {

namespace {

using steady = std::chrono::steady_clock;

steady::duration of_seconds(double seconds) {
  return std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
}

/// Commands that are under way, for whoever has to wait for the last.
class under_way {
public:
  void begin() {
    const std::lock_guard lock{mutex_};
    ++count_;
  }

  void end() {
    const std::lock_guard lock{mutex_};
    if (--count_ == 0)
      none_.notify_all();
  }

  void wait_none() {
    std::unique_lock lock{mutex_};
    none_.wait(lock, [this] { return count_ == 0; });
  }

  /// @returns whether there are none.
  bool wait_none(std::chrono::milliseconds longest) {
    std::unique_lock lock{mutex_};
    return none_.wait_for(lock, longest, [this] { return count_ == 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::uint64_t count_ = 0;
};

class closed_run {
public:
  closed_run(engine& target, const command_maker& make, const std::function<bool()>& stop)
      : engine_(target), make_(make), stop_(stop), meter_(target) {}

  measured run(std::size_t clients, double seconds) {
    clients_.resize(clients);
    end_ = steady::now() + of_seconds(seconds);
    for (std::size_t i = 0; i < clients; ++i)
      numbers_.emplace_back(i);
    for (std::size_t i = 0; i < clients; ++i) {
      running_.begin();
      next(i);
    }
    running_.wait_none();
    return meter_.result();
  }

private:
  void next(std::size_t client) {
    clients_[client].random = numbers_[client].next();
    const auto sent = steady::now();
    engine_.submit(make_(clients_[client], number_.fetch_add(1)),
                   [this, client, sent](const answer& result) {
                     meter_.answered(sent, result);
                     if (steady::now() < end_ && !stop_())
                       return next(client);
                     running_.end();
                   });
  }

  engine& engine_;
  const command_maker& make_;
  const std::function<bool()>& stop_;
  load_meter meter_;
  std::vector<bench_client> clients_;
  std::vector<client_numbers> numbers_;
  steady::time_point end_;
  std::atomic<std::uint64_t> number_{0};
  under_way running_;
};

class bulk_run {
public:
  bulk_run(engine& target, const bulk& what, const command_maker& make,
           const std::function<bool()>& stop)
      : engine_(target), make_(make), stop_(stop), next_(what.first), end_(what.first + what.count),
        clients_(what.at_once) {}

  std::uint64_t run(const std::function<void(std::uint64_t)>& told) {
    for (auto& client : clients_) {
      running_.begin();
      next(client);
    }
    constexpr std::chrono::milliseconds between_reports{100};
    while (!running_.wait_none(between_reports))
      told(done_);
    if (!failure_.empty())
      throw std::runtime_error("a command was not accepted: " + failure_);
    return done_;
  }

private:
  void next(bench_client& client) {
    const auto number = next_.fetch_add(1);
    if (number >= end_ || stop_() || failed_)
      return running_.end();
    client.random = client_numbers{number}.next();
    engine_.submit(make_(client, number), [this, &client](const answer& result) {
      if (result.result == outcome::accepted)
        done_.fetch_add(1);
      else if (!failed_.exchange(true))
        failure_ = std::string{to_string(result.why)} + " " + result.detail;
      next(client);
    });
  }

  engine& engine_;
  const command_maker& make_;
  const std::function<bool()>& stop_;
  std::atomic<std::uint64_t> next_;
  std::uint64_t end_;
  std::vector<bench_client> clients_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> failed_{false};
  std::string failure_; ///< written once, before the last has ended
  under_way running_;
};

} // namespace

double seconds_since(steady::time_point began) {
  return std::chrono::duration<double>(steady::now() - began).count();
}

latencies quantiles(std::vector<std::uint32_t> took_us) {
  if (took_us.empty())
    return {};
  std::sort(took_us.begin(), took_us.end());
  const auto at = [&](double q) {
    return took_us[static_cast<std::size_t>(q * static_cast<double>(took_us.size() - 1))] / 1e3;
  };
  return {at(0.5), at(0.99), at(1)};
}

load_meter::load_meter(engine& target)
    : engine_(target), before_(target.figures()), cpu_before_(bench::cpu_us()),
      began_(steady::now()) {}

void load_meter::answered(steady::time_point sent, const answer& result) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - sent);
  const std::lock_guard lock{mutex_};
  took_us_.push_back(static_cast<std::uint32_t>(us.count()));
  if (result.result != outcome::accepted) {
    ++failed_;
    failure_ = std::string{to_string(result.why)} + " " + result.detail;
  }
}

measured load_meter::result() {
  measured made;
  made.seconds = seconds_since(began_);
  const auto cpu = static_cast<double>(bench::cpu_us() - cpu_before_);
  const auto after = engine_.figures();
  const std::lock_guard lock{mutex_};
  if (failed_ != 0)
    throw std::runtime_error(std::to_string(failed_) + " commands were not accepted: " + failure_);
  made.answers = took_us_.size();
  const auto answers = static_cast<double>(std::max<std::uint64_t>(made.answers, 1));
  const auto grown = [&](std::uint64_t engine_figures::*figure) {
    return static_cast<double>(after.*figure - before_.*figure);
  };
  made.per_second = static_cast<double>(made.answers) / made.seconds;
  made.cpu_us = cpu / answers;
  made.events = grown(&engine_figures::events) / answers;
  made.messages = grown(&engine_figures::messages) / answers;
  made.activations = grown(&engine_figures::activations) / answers;
  const auto commits = grown(&engine_figures::commits);
  made.commits_per_second = commits / made.seconds;
  made.commit_us =
    (grown(&engine_figures::write_us) + grown(&engine_figures::sync_us)) / std::max(commits, 1.0);
  made.crashes = after.crashes - before_.crashes;
  made.healing_ms_p99 = static_cast<double>(after.healing_us_p99) / 1e3;
  made.latency_ms = quantiles(std::move(took_us_));
  return made;
}

measured closed_loop(engine& target, std::size_t clients, double seconds, const command_maker& make,
                     const std::function<bool()>& stop) {
  return closed_run{target, make, stop}.run(clients, seconds);
}

std::uint64_t send_all(engine& target, const bulk& what, const command_maker& make,
                       const std::function<bool()>& stop,
                       const std::function<void(std::uint64_t done)>& told) {
  return bulk_run{target, what, make, stop}.run(told);
}

measured open_loop(engine& target, double per_second, double seconds, const command_maker& make,
                   const std::function<bool()>& stop) {
  load_meter meter{target};
  under_way running;
  bench_client client;
  client_numbers numbers{0};
  const auto began = steady::now();
  const auto all = static_cast<std::uint64_t>(per_second * seconds);
  for (std::uint64_t number = 0; number < all && !stop(); ++number) {
    const auto due = began + of_seconds(static_cast<double>(number) / per_second);
    std::this_thread::sleep_until(due); // late: not at all
    client.random = numbers.next();
    running.begin();
    target.submit(make(client, number), [&meter, &running, due](const answer& result) {
      meter.answered(due, result);
      running.end();
    });
  }
  running.wait_none();
  return meter.result();
}

} // namespace purser::tools
