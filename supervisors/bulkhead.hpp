// A bulkhead: one slow dependency may not take all there is. Pure; not synchronized: it belongs to
// one actor or thread.
#pragma once

#include <cstdint>

namespace purser::supervisors {

/// At most so many calls run at one time and so many more wait; any beyond are refused at once.
/// It counts; the caller keeps the queue of those who wait, first come first served.
class bulkhead {
public:
  enum class entry : std::uint8_t {
    run,
    wait,   ///< until a `leave` says that the next one runs
    refuse, ///< full: an error now is better than an answer too late
  };

  bulkhead(std::uint32_t at_once, std::uint32_t waiting)
      : most_running_(at_once), most_waiting_(waiting) {}

  entry enter() {
    if (running_ < most_running_) {
      ++running_;
      return entry::run;
    }
    if (waiting_ == most_waiting_)
      return entry::refuse;
    ++waiting_;
    return entry::wait;
  }

  /// A call that ran is over. @returns whether the one who waits longest runs now, in its place.
  bool leave() {
    if (waiting_ > 0) {
      --waiting_;
      return true;
    }
    --running_;
    return false;
  }

  /// One who waited does so no more, as when its deadline has passed.
  void abandon() { --waiting_; }

  std::uint32_t running() const { return running_; }
  std::uint32_t waiting() const { return waiting_; }

private:
  std::uint32_t most_running_;
  std::uint32_t most_waiting_;
  std::uint32_t running_ = 0;
  std::uint32_t waiting_ = 0;
};

} // namespace purser::supervisors
