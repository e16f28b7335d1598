// What `purser bench` lets clients do.
#pragma once

#include "tools/purser/load.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace purser::tools {

/// Orders of two lines of one unit, of SKUs chosen at random; with one SKU both lines are of it.
command_maker two_line_orders(std::uint32_t skus);

/// Reservations of one unit.
command_maker one_unit_reservations(std::uint32_t skus);

/// Lives of orders: placed, captured on ship; one in five is canceled, the others are shipped and
/// delivered, and of one in four of those a unit comes back.
command_maker whole_lives(std::uint32_t skus);

/// Receipts of so many units, each of another SKU.
command_maker new_skus(std::uint32_t units);

/// Batches of so many receipts of so many units, each of another SKU; the last has what is left of
/// so many SKUs.
command_maker batches_of_new_skus(std::uint32_t lines, std::uint32_t units,
                                  std::uint64_t skus = std::numeric_limits<std::uint64_t>::max());

/// Orders of one unit of one SKU, each of another buyer.
command_maker one_unit_orders();

/// Puts units of every SKU on sale, far more than will be sold.
void stock_up(engine& target, std::uint32_t skus);

/// A workload that is measured in rounds.
struct workload {
  std::string_view name;
  std::string_view what;
  bool one_sku = false;
  bool one_client = false;
  bool half_load = false; ///< open loop, at half of what `orders` reached in the round
  command_maker (*make)(std::uint32_t skus) = nullptr;
};

const std::vector<workload>& all_workloads();

} // namespace purser::tools
