// Which messages crash their actors: every n-th command, and those that somebody asked for.
#pragma once

#include "actors/node_context.hpp"
#include "runtime/engine.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace purser {

/// Thread-safe.
class crash_plan {
public:
  /// `every` 0: no command by its number.
  explicit crash_plan(std::uint64_t every) : every_(every) {}

  void add(crash_order order);

  /// Where the actor is to crash that handles this message; every point in turn.
  std::optional<crash_point> next(const envelope& message);

private:
  std::optional<crash_point> ordered(const envelope& message);

  std::uint64_t every_;
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<bool> has_orders_{false};
  std::mutex mutex_;
  std::vector<crash_order> orders_;
  std::uint64_t ordered_ = 0; ///< crashes so far
};

} // namespace purser
