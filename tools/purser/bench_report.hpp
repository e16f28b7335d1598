// What `purser bench` prints.
#pragma once

#include "runtime/bench/limits.hpp"
#include "tools/purser/bench_once.hpp"
#include "tools/purser/bench_scale.hpp"
#include "tools/purser/bench_sell_out.hpp"
#include "tools/purser/bench_workloads.hpp"
#include "tools/purser/interruption.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace purser::tools {

struct bench_options {
  std::size_t clients = 64;
  double seconds = 3;
  std::uint32_t rounds = 3;
  std::uint32_t skus = 10'000;
  std::string data;
  std::uint64_t crash_every = 0;
  bool sales = false;            ///< the provider takes authorize and capture in one call
  std::vector<std::string> only; ///< names of what is measured; empty: all
  scale_size scale;
  bool json = false;
  bool quiet = false;
  std::int64_t stop_within_ms = default_stop_within_ms;
};

/// One workload in every round.
struct workload_rounds {
  const workload* of = nullptr;
  std::vector<measured> rounds;
};

struct bench_report {
  bench_options options;
  bench::machine_description machine;
  std::vector<bench::machine_limits> limits; ///< of each round
  std::vector<workload_rounds> workloads;
  std::optional<recovery_figures> recovery;
  std::optional<feed_figures> feed;
  std::optional<memory_figures> memory;
  std::optional<double> idle_cpu_percent;
  std::optional<sell_out_figures> sell_out;
  std::optional<scale_figures> scale;
};

/// One JSON document (contract: purser bench --json).
void print_json(const bench_report& report);

/// Tables for people.
void print_table(const bench_report& report);

} // namespace purser::tools
