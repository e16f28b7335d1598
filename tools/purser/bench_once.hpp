// What `purser bench` measures once, and not in rounds: starts, feeds, memory, idleness.
#pragma once

#include "runtime/engine.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

namespace purser::tools {

/// A data directory that is gone afterwards.
class scratch_data {
public:
  explicit scratch_data(std::filesystem::path at) : path_(std::move(at)) { remove(); }
  ~scratch_data() { remove(); }
  scratch_data(const scratch_data&) = delete;
  scratch_data& operator=(const scratch_data&) = delete;

  engine_options options() const {
    engine_options made;
    made.data_dir = path_;
    made.max_in_flight = std::size_t{1} << 20; // an open loop never waits
    return made;
  }

private:
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path path_;
};

/// Starts after a kill.
struct recovery_figures {
  std::uint64_t tail_events = 0;   ///< behind no checkpoint
  double replayed_per_second = 0;  ///< of them, from the start until the first answer
  std::uint64_t events_behind = 0; ///< with checkpoints, as an engine runs
  double serves_after_ms = 0;      ///< from the start until the first answer, with those
};
BOOST_DESCRIBE_STRUCT(recovery_figures, (),
                      (tail_events, replayed_per_second, events_behind, serves_after_ms))

/// Resident memory of the process, the journal's not counted, divided by what is in memory.
struct memory_figures {
  std::uint64_t orders = 0;      ///< placed, each with its payment
  double kib_per_live_order = 0; ///< confirmed, with its payment, both in memory
  double kib_per_idle_sku = 0;   ///< in memory, nothing reserved
};
BOOST_DESCRIBE_STRUCT(memory_figures, (), (orders, kib_per_live_order, kib_per_idle_sku))

/// SKUs that are new to the engine.
struct feed_figures {
  double records_per_second = 0;  ///< in batches of feed_lines
  double receipts_per_second = 0; ///< each a document of its own
};

/// How one of these is measured.
struct once_settings {
  std::filesystem::path data; ///< a directory that is made, and removed
  std::size_t clients = 64;
  std::uint32_t skus = 10'000;
  double seconds = 3; ///< of load, each time that there is some
  std::function<bool()> stop;
};

/// Batches of a feed that are under way, and the SKUs of each.
inline constexpr std::size_t feed_clients = 16;
inline constexpr std::uint32_t feed_lines = 500;

/// Receipts that are under way where each is a command of its own.
inline constexpr std::size_t receipt_clients = 1'024;

/// Of this process.
double resident_bytes();

/// Seconds from the start of an engine to the answer of its first query, for the SKU "sku-0".
double seconds_to_serve(const engine_options& options);

recovery_figures measure_recovery(const once_settings& how);

feed_figures measure_feed(const once_settings& how);

memory_figures measure_memory(const once_settings& how);

/// Percent of one core that an engine without anything to do takes.
double measure_idle_cpu(const once_settings& how);

} // namespace purser::tools
