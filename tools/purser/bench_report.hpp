// What `purser bench` prints.
#pragma once

#include "runtime/bench/limits.hpp"
#include "tools/purser/closed_loop.hpp"
#include "tools/purser/interruption.hpp"

#include <cstdint>
#include <string>

namespace purser::tools {

struct bench_options {
  std::size_t clients = 64;
  double seconds = 5;
  std::uint32_t skus = 10'000;
  std::string data;
  std::uint64_t crash_every = 0;
  std::vector<std::string> workloads; ///< which; empty: all
  bool json = false;
  bool quiet = false;
  std::int64_t stop_within_ms = default_stop_within_ms;
};

struct bench_report {
  bench_options options;
  bench::machine_description machine;
  bench::machine_limits limits;
  measured orders;
  measured hot_orders;
  measured reservations;
  measured hot_reservations;
};

/// One JSON document (contract: purser bench --json).
void print_json(const bench_report& report);

/// A table for people.
void print_table(const bench_report& report);

} // namespace purser::tools
