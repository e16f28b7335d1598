#include "runtime/journal/durable_outputs.hpp"

namespace purser {

void durable_outputs::reached(const reach& durable) {
  {
    const std::lock_guard lock{mutex_};
    durable_ = durable;
    while (!waiting_.empty() && durable_.covers(waiting_.front().needs)) {
      due_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (due_.empty())
      return;
  }
  if (!ask_others())
    release();
}

bool durable_outputs::ask_others() {
  others_come_ = true;
  return hooks_.others_release && hooks_.others_release();
}

/// An output that takes its time holds up those behind it, and who runs them, but nobody else.
void durable_outputs::release() {
  while (release_due() && !ask_others())
    ;
}

/// @returns whether others have become due meanwhile.
bool durable_outputs::release_due() {
  others_come_ = false;
  std::deque<waiting_output> due;
  {
    const std::lock_guard lock{mutex_};
    if (releasing_ || due_.empty())
      return false;
    releasing_ = true;
    due.swap(due_);
  }
  if (hooks_.before_release)
    hooks_.before_release();
  for (auto& output : due)
    output.run();
  if (hooks_.after_release)
    hooks_.after_release();
  const std::lock_guard lock{mutex_};
  releasing_ = false;
  released_.notify_all();
  return !due_.empty();
}

void durable_outputs::drop() {
  std::deque<waiting_output> dropped; // destroyed without the lock
  const std::lock_guard lock{mutex_};
  dropped_ = true;
  dropped.swap(waiting_);
}

void durable_outputs::release_last() {
  {
    std::unique_lock lock{mutex_};
    released_.wait(lock, [this] { return !releasing_; });
  }
  while (release_due())
    ;
}

} // namespace purser
