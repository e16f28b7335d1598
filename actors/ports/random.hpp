// The random port: the only source of chance (jitter, generated ids).
#pragma once

#include <cstdint>

namespace purser {

/// Thread-safe.
class random_source {
public:
  random_source() = default;
  random_source(const random_source&) = delete;
  random_source& operator=(const random_source&) = delete;
  virtual ~random_source() = default;

  /// 64 uniformly distributed bits.
  virtual std::uint64_t bits() = 0;

  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
};

} // namespace purser
