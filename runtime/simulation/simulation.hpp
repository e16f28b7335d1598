// One simulated run: a shop, its clients, its bank and its disk, in one thread, with everything
// that can go wrong, decided by one seed. The same seed does the same, step by step.
#pragma once

#include "actors/domain/commands.hpp"
#include "actors/domain/policies.hpp"
#include "runtime/simulation/faults.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace purser::simulation {

struct run_options {
  std::uint64_t seed = 1;
  std::size_t commands = 40;
  fault_set faults = all_faults(); ///< a run takes some of these, as the seed decides
  /// Instead of the random workload; each with its ids.
  std::optional<std::vector<command>> workload;
  std::function<void(const std::string& line)> trace; ///< may be empty

  /// The process ends at this write (append or sync, counted from 1), and nothing else goes wrong.
  struct crash_at_write {
    std::uint64_t number = 0;
    enum class way : std::uint8_t { clean, torn, not_synced } how = way::clean;
  };
  std::optional<crash_at_write> crash;
};

struct run_report {
  std::uint64_t seed = 0;
  std::string broken; ///< which rule, and how; empty when all hold
  std::uint64_t messages = 0;
  std::uint64_t steps = 0;
  std::uint64_t writes = 0; ///< appends and syncs
  std::uint64_t commands = 0;
  std::uint64_t processes = 0; ///< lives of the node
  /// How often each fault, event of the domain, decision of a supervisor, and answer was reached.
  std::map<std::string, std::uint64_t> reached;
};

/// Never throws for what happens in the run.
run_report simulate(const run_options& options);

} // namespace purser::simulation
