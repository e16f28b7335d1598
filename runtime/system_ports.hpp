// The clock and random ports on the real machine.
#pragma once

#include "actors/ports/clock.hpp"
#include "actors/ports/random.hpp"

#include <atomic>
#include <mutex>
#include <random>

namespace purser {

/// Business time is the machine's.
class system_clock final : public clock {
public:
  unix_millis now() const override;
  std::int64_t monotonic_ns() const override;
  void advance_to(unix_millis) override {} // the machine's time moves by itself
};

/// Business time is the largest that a command has carried (contract.md, section 5).
class command_clock final : public clock {
public:
  unix_millis now() const override { return now_.load(std::memory_order_relaxed); }
  std::int64_t monotonic_ns() const override;
  std::int64_t waiting_ms() const override;
  void advance_to(unix_millis at) override;

  /// Nothing happens but waiting: the wait is over at once.
  void skip_waiting_to(std::int64_t to_ms);

private:
  std::atomic<unix_millis> now_{0};
  std::atomic<std::int64_t> skipped_ms_{0};
};

/// Time stands still until it is moved; waits are measured in it too (scenarios).
class driven_clock final : public clock {
public:
  unix_millis now() const override { return now_.load(std::memory_order_relaxed); }
  std::int64_t monotonic_ns() const override;
  std::int64_t waiting_ms() const override { return now(); }
  void advance_to(unix_millis at) override;

private:
  std::atomic<unix_millis> now_{0};
};

/// The machine's entropy seeds a generator.
class system_random final : public random_source {
public:
  std::uint64_t bits() override;

private:
  std::mutex mutex_;
  std::mt19937_64 generator_{std::random_device{}()};
};

/// A UUIDv7 (RFC 9562): sorted by time, for ids that a client left out.
std::string make_uuid7(clock& time, random_source& random);

} // namespace purser
