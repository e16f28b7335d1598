// The moment by which an answer must be there. Pure values, time passed in; safe to share.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>

namespace purser::supervisors {

/// A call made while handling another gets `outer.within(...)`: the earliest deadline wins, so that
/// nothing is begun below that cannot be of use above. All times are of one monotonic clock.
class deadline {
public:
  /// Never passes.
  constexpr deadline() = default;
  static constexpr deadline at(std::int64_t ms) { return deadline{ms}; }

  /// A part of this that may take so long from now; it ends with this at the latest.
  constexpr deadline within(std::int64_t now_ms, std::int64_t ms) const {
    return deadline{std::min(at_ms_, ms > never_ms - now_ms ? never_ms : now_ms + ms)};
  }
  constexpr bool is_never() const { return at_ms_ == never_ms; }
  constexpr bool passed(std::int64_t now_ms) const { return !is_never() && now_ms >= at_ms_; }
  /// 0 when it has passed. Fit for a timeout, except of one that never passes (see is_never).
  constexpr std::int64_t remaining_ms(std::int64_t now_ms) const {
    return is_never() ? never_ms : std::max<std::int64_t>(at_ms_ - now_ms, 0);
  }

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes what is generated for written
  friend constexpr auto operator<=>(const deadline&, const deadline&) = default;

private:
  static constexpr std::int64_t never_ms = std::numeric_limits<std::int64_t>::max();
  explicit constexpr deadline(std::int64_t ms) : at_ms_(ms) {}

  std::int64_t at_ms_ = never_ms;
};

} // namespace purser::supervisors
