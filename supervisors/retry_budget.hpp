// A retry budget: what is down must not get more calls than what is up. Pure, the random number is
// passed in; not synchronized: it belongs to one actor or thread.
#pragma once

#include "supervisors/backoff.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace purser::supervisors {

struct retry_policy {
  std::uint32_t retries_per_1000_calls = 100; ///< of all calls, in the long run
  std::uint32_t burst = 10;                   ///< retries saved up at most, and at the start
  std::uint32_t attempts = 4;                 ///< of one call, the first included
  backoff_policy backoff{};                   ///< before the first retry, the second...
};

/// A token bucket: every call pays a fraction of a retry in, every retry takes a whole one out. All
/// callers of one dependency share one budget.
class retry_budget {
public:
  explicit retry_budget(retry_policy policy)
      : policy_(policy), thousandths_(std::int64_t{1'000} * policy.burst) {}

  /// A call is made for the first time.
  void on_call() {
    thousandths_ =
      std::min(thousandths_ + policy_.retries_per_1000_calls, std::int64_t{1'000} * policy_.burst);
  }

  /// May a call that failed `failures` times (1 or more) be tried again? `random` is uniform in
  /// [0, 1). @returns after how many milliseconds; nullopt: give the failure to the caller.
  std::optional<std::int64_t> retry_after_ms(std::uint32_t failures, double random) {
    if (failures >= policy_.attempts || thousandths_ < 1'000)
      return std::nullopt;
    thousandths_ -= 1'000;
    return backoff_ms(policy_.backoff, failures, random);
  }

private:
  retry_policy policy_;
  std::int64_t thousandths_; ///< of a retry
};

} // namespace purser::supervisors
