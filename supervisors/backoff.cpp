#include "supervisors/backoff.hpp"

#include <algorithm>
#include <cmath>

namespace purser::supervisors {

std::int64_t backoff_ms(const backoff_policy& policy, std::uint32_t nth, double random) {
  constexpr std::uint32_t most_doublings = 40; // beyond it any minimum has met the maximum
  const auto doublings = std::min(nth == 0 ? 0 : nth - 1, most_doublings);
  const auto grown = std::ldexp(static_cast<double>(policy.min_ms), static_cast<int>(doublings));
  const auto capped = std::min(grown, static_cast<double>(policy.max_ms));
  return std::llround(capped * (1.0 + policy.jitter * (2.0 * random - 1.0)));
}

} // namespace purser::supervisors
