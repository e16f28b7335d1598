#include "actors/node_context.hpp"

#include <algorithm>
#include <chrono>

namespace purser {

void open_steps::add(std::int64_t delta) {
  if (count_.fetch_add(delta) + delta != 0)
    return;
  const std::lock_guard lock{mutex_}; // whoever saw another count waits by now
  changed_.notify_all();
}

std::int64_t open_steps::count() const {
  return count_.load();
}

bool open_steps::wait_none(std::int64_t timeout_ms) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, std::chrono::milliseconds{timeout_ms},
                           [this] { return count_.load() == 0; });
}

void healing_times::note(std::int64_t microseconds) {
  const std::lock_guard lock{mutex_};
  if (newest_.size() < capacity)
    newest_.push_back(microseconds);
  else
    newest_[next_++ % capacity] = microseconds;
}

std::int64_t healing_times::quantile(double q) const {
  std::vector<std::int64_t> sorted;
  {
    const std::lock_guard lock{mutex_};
    sorted = newest_;
  }
  if (sorted.empty())
    return 0;
  const auto rank = static_cast<std::ptrdiff_t>(q * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
  return sorted[static_cast<std::size_t>(rank)];
}

} // namespace purser
