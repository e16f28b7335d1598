// A circuit breaker: calls to what is down fail at once, and a few probes find out when it is up.
//
//   closed --too many failures--> open --cool-down over--> half_open --all probes succeed--> closed
//                                   ^_________a probe fails_____|
//
// Pure, time passed in; not synchronized: it belongs to one actor or thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace purser::supervisors {

struct circuit_breaker_policy {
  std::uint32_t failures_in_a_row = 5; ///< open it; 0: not looked at
  std::uint32_t failures_per_100 = 50; ///< of the last `calls` ones open it
  std::uint32_t calls = 0;             ///< looked at for the rate; 0: it is not looked at
  std::int64_t cool_down_ms = 5'000;
  std::uint32_t probes = 1; ///< let through while half open; as many successes close it
};

enum class circuit : std::uint8_t { closed, open, half_open };

class circuit_breaker {
public:
  /// Proof that a call was let through; its outcome is told with it.
  struct ticket {
    std::uint64_t turn = 0;
  };

  explicit circuit_breaker(circuit_breaker_policy policy) : policy_(policy) {}

  /// @returns nullopt if the call must not be made now.
  std::optional<ticket> admit(std::int64_t now_ms);

  /// The outcome of a call. One from before the circuit last changed is late and changes nothing.
  /// Probes without any outcome within the cool-down make room for others.
  void on_success(ticket call);
  void on_failure(ticket call, std::int64_t now_ms);

  circuit state(std::int64_t now_ms) const;

  /// When a call that is not admitted now will be, if no outcome comes before.
  std::int64_t next_chance_ms() const { return since_ms_ + policy_.cool_down_ms; }

private:
  void become(circuit next, std::int64_t now_ms);
  void count(bool failed);
  bool too_many_failures() const;

  circuit_breaker_policy policy_;
  circuit state_ = circuit::closed;
  std::int64_t since_ms_ = 0;
  std::uint64_t turn_ = 0; ///< counts the changes
  std::uint32_t in_a_row_ = 0;
  std::deque<bool> failed_; ///< of the last calls
  std::uint32_t probes_out_ = 0;
  std::uint32_t probes_back_ = 0;
};

} // namespace purser::supervisors
