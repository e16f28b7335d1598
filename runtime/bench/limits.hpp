// What this machine can do at all, measured where the benchmark runs: figures mean little without
// it.
#pragma once

#include <boost/describe.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace purser::bench {

struct machine_limits {
  double syncs_per_second = 0; ///< append 4 KiB, fdatasync
  double sync_ms_p50 = 0;
  double append_mb_per_second = 0; ///< append 1 MiB, fdatasync
  double messages_per_second = 0;  ///< between two actors, one way, nothing in them
};
BOOST_DESCRIBE_STRUCT(machine_limits, (),
                      (syncs_per_second, sync_ms_p50, append_mb_per_second, messages_per_second))

struct machine_description {
  std::string cpu;
  unsigned cores = 0;
  std::string file_system; ///< of the data directory: "ext4", "tmpfs"...
  bool in_memory = false;  ///< a file system that survives nothing: syncs cost nothing
};
BOOST_DESCRIBE_STRUCT(machine_description, (), (cpu, cores, file_system, in_memory))

/// Takes about three times `seconds`. Throws std::runtime_error when the directory cannot be
/// written.
machine_limits measure_limits(const std::filesystem::path& directory, double seconds);

machine_description describe_machine(const std::filesystem::path& directory);

/// CPU time of this process so far, user and system, in microseconds.
std::int64_t cpu_us();

} // namespace purser::bench
