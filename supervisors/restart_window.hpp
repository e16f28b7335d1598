// Restart intensity (S10), pure: time is passed in.
#pragma once

#include <cstdint>
#include <deque>

namespace purser::supervisors {

/// More than `intensity` restarts within the last `period` is too many.
class restart_window {
public:
  restart_window(std::uint32_t intensity, std::int64_t period_ms)
      : intensity_(intensity), period_ms_(period_ms) {}

  /// Counts a restart at a monotonic time. @returns whether that was one too many.
  bool exceeds(std::int64_t now_ms) {
    restarts_.push_back(now_ms);
    while (restarts_.front() < now_ms - period_ms_)
      restarts_.pop_front();
    return restarts_.size() > intensity_;
  }

private:
  std::uint32_t intensity_;
  std::int64_t period_ms_;
  std::deque<std::int64_t> restarts_;
};

} // namespace purser::supervisors
