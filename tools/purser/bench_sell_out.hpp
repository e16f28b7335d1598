// What `purser bench` measures of a sell-out: a SKU, and ten times as many buyers as it has units,
// who all ask at once.
#pragma once

#include "tools/purser/bench_once.hpp"
#include "tools/purser/load.hpp"

#include <boost/describe.hpp>

#include <cstdint>

namespace purser::tools {

struct sell_out_figures {
  std::uint64_t units = 0;
  std::uint64_t buyers = 0;
  std::uint64_t sold = 0;
  std::uint64_t refused = 0;
  double seconds = 0; ///< from the first who asked to the last who was answered
  double buyers_per_second = 0;
  latencies latency_ms; ///< of a buyer's answer, while all the others wait too
};
BOOST_DESCRIBE_STRUCT(sell_out_figures, (),
                      (units, buyers, sold, refused, seconds, buyers_per_second, latency_ms))

/// 10,000 units and 100,000 buyers, fewer in a short run. Throws std::runtime_error when not every
/// unit was sold, when more were, when a buyer was answered anything but sold or out of stock, when
/// a refusal is on record before the hold of the last unit, and when the audit finds anything.
sell_out_figures measure_sell_out(const once_settings& how);

} // namespace purser::tools
