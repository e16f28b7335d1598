#include "supervisors/flapping_guard.hpp"

namespace purser::supervisors {

node_verdict flapping_guard::on_up(std::int64_t now_ms) {
  if (fences_ >= policy_.fences)
    return node_verdict::fence_for_good;
  ups_.push_back(now_ms);
  while (ups_.front() < now_ms - policy_.period_ms)
    ups_.pop_front();
  const bool too_often = ups_.size() > policy_.ups;
  const bool too_soon = fenced_at_ms_ && now_ms - *fenced_at_ms_ < policy_.fenced_at_least_ms;
  if (!too_often && !too_soon) {
    fenced_at_ms_.reset();
    return node_verdict::admit;
  }
  on_fenced(now_ms);
  return fences_ >= policy_.fences ? node_verdict::fence_for_good : node_verdict::fence;
}

void flapping_guard::on_fenced(std::int64_t now_ms) {
  fenced_at_ms_ = now_ms;
  ++fences_;
}

void flapping_guard::forgive() {
  *this = flapping_guard{policy_};
}

} // namespace purser::supervisors
