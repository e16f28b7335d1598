// Backoff with jitter (A7), pure: the random number is passed in.
#pragma once

#include <cstdint>

namespace purser::supervisors {

struct backoff_policy {
  std::int64_t min_ms = 20;
  std::int64_t max_ms = 10'000;
  double jitter = 0.2;                  ///< a delay is spread over +- this fraction
  std::int64_t reset_after_ms = 30'000; ///< having run this long, it counts from the start again
};

/// The delay before the n-th restart in a row (1 = the first): min, 2 min, 4 min... up to max, then
/// spread by the jitter. `random` is uniform in [0, 1).
std::int64_t backoff_ms(const backoff_policy& policy, std::uint32_t nth, double random);

} // namespace purser::supervisors
