// The summary that ends a replay and a scenario (contract.md, section 3).
#pragma once

#include "runtime/engine.hpp"
#include "tools/purser/replayer.hpp"

#include <boost/describe.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace purser::tools {

struct run_figures {
  double seconds = 0;
  double commands_per_second = 0;
  std::uint64_t events = 0;
  std::uint64_t commits = 0;
  std::int64_t healing_us_p50 = 0;
  std::int64_t healing_us_p99 = 0;
  std::uint64_t activations = 0;
  std::uint64_t passivations = 0;
  std::uint64_t checkpoints = 0;
  std::string data;
  std::string interrupted; ///< the signal that ended the run early; empty: none
};
BOOST_DESCRIBE_STRUCT(run_figures, (),
                      (seconds, commands_per_second, events, commits, healing_us_p50,
                       healing_us_p99, activations, passivations, checkpoints, data, interrupted))

struct supervision_figures {
  std::uint64_t crashes = 0;
  std::uint64_t restarts = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t quarantined = 0;
};
BOOST_DESCRIBE_STRUCT(supervision_figures, (),
                      (crashes, restarts, redelivered, dead_letters, quarantined))

/// `commands`, `supervision` and `run` tell of this run; all else of the data directory.
struct run_summary {
  replay_counts commands;
  audit_report report;
  supervision_figures supervision;
  run_figures run;
};

supervision_figures supervision_of(const engine_figures& figures);

/// `data`: the directory, or "memory".
run_figures run_of(const engine_figures& figures, double seconds, std::uint64_t commands,
                   std::string data);

boost::json::object to_json(const run_summary& summary);

/// For people.
std::string to_table(const run_summary& summary);

} // namespace purser::tools
