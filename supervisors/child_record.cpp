#include "supervisors/child_record.hpp"

#include <utility>

namespace purser::supervisors {

std::int64_t child_record::is_up(std::int64_t now_us) {
  ++incarnations;
  started_at_us = now_us;
  const auto healing_us = ended_at_us ? now_us - *ended_at_us : 0;
  ended_at_us.reset();
  return healing_us;
}

void child_record::has_ended(std::int64_t now_us, std::string cause) {
  last_cause = std::move(cause);
  ended_at_us = now_us;
}

void child_record::count_restart(const std::optional<backoff_policy>& policy) {
  if (policy && started_at_us && ended_at_us &&
      *ended_at_us - *started_at_us >= policy->reset_after_ms * 1'000)
    in_a_row = 0;
  started_at_us.reset();
  ++restarts;
  ++in_a_row;
}

std::int64_t child_record::delay_ms(const std::optional<backoff_policy>& policy,
                                    double random) const {
  if (!policy || in_a_row < 2)
    return 0;
  return backoff_ms(*policy, in_a_row - 1, random);
}

} // namespace purser::supervisors
