// What becomes of each call to the payment provider, from the moment it is due to its answer.
//
//   due ──▶ line ──▶ gate ──▶ made ──▶ answered
//     │      │        │ ▲      ├── silent for the deadline ──▶ unknown
//     │      │        │ └──────┴── thrown back, and tried again
//     └──────┴────────┴──▶ unknown, and never made
//
// The line is for a place among those at once (a bulkhead), the gate for the circuit.
//
// D1 A call that was answered, `unknown` included, is not made any more: its payment asks about it.
// D2 At most `at_once` calls have a place, from the gate to the answer; one whose deadline passes
//    gives it up.
// D3 A call waits one deadline at most before it is made, and each time it is made the provider has
//    one whole deadline.
// D4 What waits is there once for each key, as it was said last; a key that is abandoned is not
//    carried out any more, and the question that abandons it decides.
// D5 Tried again is what the provider threw back, within the budget and under the same key.
//    Questions are not: the payment repeats them.
// D6 The circuit counts what is silent or thrown as failures, and any answer as a success.
//
// Pure: time and chance are passed in. Not synchronized: it belongs to the payment desk.
#pragma once

#include "actors/domain/entity_ref.hpp"
#include "actors/domain/messages.hpp"
#include "supervisors/bulkhead.hpp"
#include "supervisors/circuit_breaker.hpp"
#include "supervisors/deadline.hpp"
#include "supervisors/retry_budget.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace purser {

/// By default nothing is held back, refused or tried again: only the deadline counts.
struct provider_policy {
  std::int64_t deadline_ms = 10'000;
  std::uint32_t at_once = UINT32_MAX;
  std::uint32_t waiting = UINT32_MAX; ///< more are answered `unknown` at once
  supervisors::circuit_breaker_policy circuit{.failures_in_a_row = 0};
  supervisors::retry_policy retries{.attempts = 1};
};

/// A call of a payment, and the time of what led to it.
struct provider_request {
  entity_ref payment;
  call_provider call;
  unix_millis at = 0;
};

/// To be made now.
struct provider_attempt {
  std::uint64_t ticket = 0; ///< its answer is told with it
  entity_ref payment;
  payment_call call;
};

/// To be told to the payment.
struct provider_outcome {
  provider_request request;
  payment_answer answer;
};

struct circuit_change {
  supervisors::circuit from = supervisors::circuit::closed;
  supervisors::circuit to = supervisors::circuit::closed;
  std::string cause; ///< the failure that opened it
};

struct provider_figures {
  std::uint64_t calls = 0;    ///< made, those tried again included
  std::uint64_t failures = 0; ///< of them silent or thrown back
  std::uint64_t retries = 0;
  std::uint64_t held_back = 0; ///< met a circuit that was not closed
  std::uint64_t not_made = 0;  ///< answered `unknown` instead
  std::uint64_t opened = 0;    ///< times the circuit opened when it was closed
  std::uint64_t at_once = 0;   ///< now: have a place
  std::uint64_t waiting = 0;   ///< now: in the line or at the gate
  supervisors::circuit circuit = supervisors::circuit::closed;
  std::string cause; ///< of the last failure
};

class provider_calls {
public:
  explicit provider_calls(provider_policy policy);

  /// A call is due. @returns what to make at once, if it may.
  std::optional<provider_attempt> take(provider_request request, std::int64_t now_ms);

  /// What waits under this key, and is no question, is not made, and not answered either; what is
  /// being made is not made once more.
  void withdraw(const std::string& idempotency_key, std::int64_t now_ms);

  /// The next one that waited and may be made now.
  std::optional<provider_attempt> next_attempt(std::int64_t now_ms);

  /// Only the first answer to a ticket counts.
  void answered(std::uint64_t ticket, payment_answer answer, std::int64_t now_ms);

  /// Making it threw; `random` is uniform in [0, 1).
  void threw(std::uint64_t ticket, std::string why, std::int64_t now_ms, double random);

  /// Ends what has waited too long, before it was made or after.
  void expire(std::int64_t now_ms);

  /// When `next_attempt` or `expire` will have something to do.
  supervisors::deadline next(std::int64_t now_ms) const;

  std::vector<provider_outcome> take_outcomes() { return std::exchange(outcomes_, {}); }
  std::vector<circuit_change> take_changes() { return std::exchange(changes_, {}); }

  /// Whether the one who drives this has something to do at once.
  bool anybody_waits() const { return !gate_.empty() || !changes_.empty(); }

  provider_figures figures(std::int64_t now_ms) const;

private:
  using deadline = supervisors::deadline;

  struct pending {
    provider_request request;
    deadline make_by;
    deadline answer_by;          ///< once it is made
    std::int64_t not_before = 0; ///< at the gate: it backs off
    std::uint64_t number = 0;    ///< by it line and gate are in order, and so by `make_by`
    std::uint32_t attempts = 0;
    bool withdrawn = false; ///< while it was being made: not once more
    supervisors::circuit_breaker::ticket circuit;
  };
  using queue = std::map<std::uint64_t, pending>;
  using key = std::pair<std::string, bool>; ///< an idempotency key, and whether it is a question

  static key key_of(const pending& call);
  bool is_there(pending& call, std::int64_t now_ms);
  void forget(const key& call, std::int64_t now_ms);
  void to_gate(pending call, std::int64_t now_ms);
  pending from(queue& where, queue::iterator at);
  queue::iterator first_ready(std::int64_t now_ms);
  std::optional<supervisors::circuit_breaker::ticket> admit(std::int64_t now_ms);
  provider_attempt make(pending call, supervisors::circuit_breaker::ticket circuit,
                        std::int64_t now_ms);
  void failed(const pending& call, std::string why, std::int64_t now_ms);
  void leave_place(std::int64_t now_ms);
  void end(pending call, payment_answer answer);
  void note_circuit(std::int64_t now_ms);

  provider_policy policy_;
  supervisors::bulkhead places_;
  supervisors::circuit_breaker circuit_;
  supervisors::retry_budget budget_;
  queue line_;
  queue gate_;
  queue made_;                                                ///< by ticket, and so by `answer_by`
  std::map<key, std::uint64_t> waiting_;                      ///< numbers, in line_ or gate_
  std::set<std::pair<std::int64_t, std::uint64_t>> backoffs_; ///< `not_before` and number
  std::uint64_t next_number_ = 1;
  supervisors::circuit told_ = supervisors::circuit::closed;
  std::vector<provider_outcome> outcomes_;
  std::vector<circuit_change> changes_;
  provider_figures figures_;
};

} // namespace purser
