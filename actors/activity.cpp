#include "actors/activity.hpp"

#include <chrono>

namespace purser {

void activity::begin() {
  const std::lock_guard lock{mutex_};
  ++count_;
}

void activity::end() {
  const std::lock_guard lock{mutex_};
  if (--count_ == 0)
    idle_.notify_all();
}

bool activity::wait_idle(std::int64_t timeout_ms) {
  std::unique_lock lock{mutex_};
  return idle_.wait_for(lock, std::chrono::milliseconds{timeout_ms},
                        [this] { return count_ == 0; });
}

} // namespace purser
