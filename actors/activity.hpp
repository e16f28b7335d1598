// Whether anything goes on in a node: so that simulated time moves only when everything that can
// happen now has happened. Messages carry a token while they are queued or handled.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace purser {

/// Thread-safe.
class activity {
public:
  void begin();
  void end();

  /// Waits until nothing goes on. @returns false when `timeout_ms` passed first.
  bool wait_idle(std::int64_t timeout_ms);

private:
  std::mutex mutex_;
  std::condition_variable idle_;
  std::int64_t count_ = 0;
};

/// Something goes on as long as this lives. Without an activity it is nothing.
class activity_token {
public:
  activity_token() = default;
  explicit activity_token(activity* of) : of_(of) {
    if (of_ != nullptr)
      of_->begin();
  }
  activity_token(const activity_token& other) : activity_token(other.of_) {}
  activity_token(activity_token&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  activity_token& operator=(activity_token other) noexcept {
    std::swap(of_, other.of_);
    return *this;
  }
  ~activity_token() { reset(); }

  void reset() noexcept {
    if (auto* of = std::exchange(of_, nullptr))
      of->end();
  }

private:
  activity* of_ = nullptr;
};

} // namespace purser
