// Many simulated runs: on all cores, up to the first that fails, which is made smaller.
#pragma once

#include "runtime/simulation/simulation.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace purser::simulation {

struct campaign_options {
  std::uint64_t from = 1; ///< the first seed
  std::uint64_t seeds = 100;
  unsigned threads = 0; ///< 0: as many as cores
  run_options run;      ///< of each; its seed is not used
  /// How many runs are done; on any thread, one at a time.
  std::function<void(std::uint64_t done)> on_progress;
};

struct campaign_report {
  std::uint64_t runs = 0;
  std::uint64_t commands = 0;
  std::uint64_t messages = 0;
  std::uint64_t steps = 0;
  std::uint64_t writes = 0;
  std::uint64_t processes = 0;
  double seconds = 0;
  std::map<std::string, std::uint64_t> reached; ///< as in run_report, of all runs

  /// The lowest seed that failed, as it was, and the smallest run of it that fails still.
  std::optional<run_report> failure;
  std::optional<run_options> smallest;
  std::string smallest_broken;
};

campaign_report run_campaign(const campaign_options& options);

/// What a thousand runs must have reached and these have not: faults, events, decisions. With some
/// faults switched off or a workload of one's own: the faults alone.
std::vector<std::string> not_reached(const campaign_report& report, const run_options& run);

/// Whether a run breaks a rule.
bool fails(const run_options& run);

/// A small run that still fails, as `run` does: fewer faults, then fewer commands.
run_options shrink(run_options run, const std::function<bool(const run_options&)>& still_fails);

} // namespace purser::simulation
