#include "supervisors/circuit_breaker.hpp"

#include <algorithm>

namespace purser::supervisors {

std::optional<circuit_breaker::ticket> circuit_breaker::admit(std::int64_t now_ms) {
  const bool waited = now_ms - since_ms_ >= policy_.cool_down_ms;
  if (state_ != circuit::closed && waited)
    become(circuit::half_open, now_ms); // from half open, too: its probes did not come back
  if (state_ == circuit::open)
    return std::nullopt;
  if (state_ == circuit::half_open && ++probes_out_ > policy_.probes) {
    probes_out_ = policy_.probes;
    return std::nullopt;
  }
  return ticket{turn_};
}

void circuit_breaker::on_success(ticket call) {
  if (call.turn != turn_)
    return;
  if (state_ == circuit::half_open && ++probes_back_ >= policy_.probes)
    return become(circuit::closed, since_ms_);
  in_a_row_ = 0;
  count(false);
}

void circuit_breaker::on_failure(ticket call, std::int64_t now_ms) {
  if (call.turn != turn_)
    return;
  ++in_a_row_;
  count(true);
  if (state_ == circuit::half_open || too_many_failures())
    become(circuit::open, now_ms);
}

circuit circuit_breaker::state(std::int64_t now_ms) const {
  const bool over = state_ == circuit::open && now_ms - since_ms_ >= policy_.cool_down_ms;
  return over ? circuit::half_open : state_;
}

void circuit_breaker::become(circuit next, std::int64_t now_ms) {
  state_ = next;
  since_ms_ = now_ms;
  ++turn_;
  in_a_row_ = 0;
  failed_.clear();
  probes_out_ = 0;
  probes_back_ = 0;
}

void circuit_breaker::count(bool failed) {
  if (policy_.calls == 0)
    return;
  failed_.push_back(failed);
  if (failed_.size() > policy_.calls)
    failed_.pop_front();
}

bool circuit_breaker::too_many_failures() const {
  if (policy_.failures_in_a_row != 0 && in_a_row_ >= policy_.failures_in_a_row)
    return true;
  if (policy_.calls == 0 || failed_.size() < policy_.calls)
    return false; // too few to tell a rate
  const auto failures = std::count(failed_.begin(), failed_.end(), true);
  return static_cast<std::uint64_t>(failures) * 100 >=
         std::uint64_t{policy_.failures_per_100} * policy_.calls;
}

} // namespace purser::supervisors
