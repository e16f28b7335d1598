// The clock port: the only source of time.
#pragma once

#include "actors/domain/money.hpp"

#include <cstdint>

namespace purser {

/// Thread-safe.
class clock {
public:
  clock() = default;
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;
  virtual ~clock() = default;

  /// Business time: the machine's in a running engine, the largest `at` so far in a replay.
  virtual unix_millis now() const = 0;

  /// Monotonic nanoseconds from an arbitrary start, for durations only.
  virtual std::int64_t monotonic_ns() const = 0;

  /// Milliseconds in which waits for the world outside are measured (a provider's deadline, the
  /// next question): monotonic; the machine's, unless time is simulated.
  virtual std::int64_t waiting_ms() const { return monotonic_ns() / 1'000'000; }

  /// Moves business time forward to `at` where the commands carry the time; never back.
  virtual void advance_to(unix_millis at) = 0;
};

} // namespace purser
