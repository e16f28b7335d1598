// What a supervisor remembers of a child from one incarnation to the next: pure, times passed in.
#pragma once

#include "supervisors/backoff.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace purser::supervisors {

struct child_record {
  std::uint32_t incarnations = 0;
  std::uint32_t restarts = 0; ///< in all
  std::uint32_t in_a_row = 0; ///< restarts since it last ran for backoff.reset_after_ms
  std::string last_cause;
  std::optional<std::int64_t> started_at_us; ///< until its restart is counted
  std::optional<std::int64_t> ended_at_us;   ///< until it is healed

  /// It runs. @returns how long the healing took; 0 if there was nothing to heal.
  std::int64_t is_up(std::int64_t now_us);
  void has_ended(std::int64_t now_us, std::string cause);
  /// It is to be started again, after it ended or after a start that failed.
  void count_restart(const std::optional<backoff_policy>& policy);
  /// Of the running incarnation.
  std::int64_t uptime_ms(std::int64_t now_us) const {
    return (now_us - started_at_us.value_or(now_us)) / 1'000;
  }
  /// Before its next start; 0 before the first restart in a row (A7).
  std::int64_t delay_ms(const std::optional<backoff_policy>& policy, double random) const;
};

} // namespace purser::supervisors
