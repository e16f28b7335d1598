// What `purser bench` measures of an engine that has a lot behind it: what so many SKUs take to
// load, what an order costs when so many came before it, and how soon it serves after a kill.
#pragma once

#include "tools/purser/bench_once.hpp"
#include "tools/purser/load.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace purser::tools {

/// While SKUs are loaded, one record of a feed for each.
struct loading_point {
  std::uint64_t skus = 0;
  double per_second = 0; ///< since the point before
  double resident_bytes = 0;
  std::uint64_t disk_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(loading_point, (), (skus, per_second, resident_bytes, disk_bytes))

/// While orders are placed, each of two SKUs at random: most of them have to be read from disk.
struct serving_point {
  std::uint64_t orders_behind = 0; ///< when it was begun
  double per_second = 0;
  latencies latency_ms;
  double cpu_us = 0; ///< of an order
  double resident_bytes = 0;
  std::uint64_t disk_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(serving_point, (),
                      (orders_behind, per_second, latency_ms, cpu_us, resident_bytes, disk_bytes))

struct scale_figures {
  std::vector<loading_point> loading; ///< the first is an engine without anything
  std::vector<serving_point> serving; ///< at 10,000 orders, 100,000, a million..., and all
  double disk_bytes_per_sku = 0;
  double disk_bytes_per_order = 0;
  std::uint64_t events_behind = 0; ///< when it was killed
  double serves_after_ms = 0;      ///< from the start until the first answer
};
BOOST_DESCRIBE_STRUCT(scale_figures, (),
                      (loading, serving, disk_bytes_per_sku, disk_bytes_per_order, events_behind,
                       serves_after_ms))

/// How much of it there is to be.
struct scale_size {
  std::uint32_t skus = 1'000'000;
  std::uint64_t orders = 1'000'000;
};

/// The least and the most of each. Every SKU has a million units: fewer SKUs would sell out.
inline constexpr std::uint32_t fewest_skus = 1'000, most_skus = 1'000'000'000;
inline constexpr std::uint64_t fewest_orders = 1'000, most_orders = 400'000'000;

/// Throws std::runtime_error when the disk of a directory would not have room for it.
void require_room(const std::filesystem::path& directory, const scale_size& size);

/// `notes`: how far it is, on standard error.
scale_figures measure_scale(const once_settings& how, const scale_size& size, bool notes);

/// Tables for people.
std::string scale_tables(const scale_figures& figures);

} // namespace purser::tools
