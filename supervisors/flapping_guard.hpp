// A node is a child too (B7): one that keeps flapping is fenced, not readmitted for ever. Pure,
// time passed in; of one node, not synchronized.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace purser::supervisors {

struct flapping_policy {
  std::uint32_t ups = 3; ///< times it may come up within `period_ms`
  std::int64_t period_ms = 60'000;
  std::int64_t fenced_at_least_ms = 5'000; ///< back before this, it is fenced anew
  std::uint32_t fences = 5;                ///< fenced this often, it stays out until `forgive`
};

enum class node_verdict : std::uint8_t {
  admit,
  fence,          ///< keep it out; it may try again after `fenced_at_least_ms`
  fence_for_good, ///< keep it out until an operator forgives it
};

class flapping_guard {
public:
  explicit flapping_guard(flapping_policy policy) : policy_(policy) {}

  /// The node asks to be admitted.
  node_verdict on_up(std::int64_t now_ms);
  /// It was fenced for another reason, such as a lost lease.
  void on_fenced(std::int64_t now_ms);
  /// An operator has mended it: it starts anew.
  void forgive();

  std::uint32_t fences() const { return fences_; } ///< since it was last forgiven

private:
  flapping_policy policy_;
  std::deque<std::int64_t> ups_; ///< within the last period
  std::optional<std::int64_t> fenced_at_ms_;
  std::uint32_t fences_ = 0;
};

} // namespace purser::supervisors
