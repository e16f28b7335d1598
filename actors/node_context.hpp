// What every actor of a node may use: the ports, the router, the policies, and counters.
#pragma once

#include "actors/domain/policies.hpp"
#include "actors/envelope.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/given_up.hpp"
#include "actors/ports/journal.hpp"
#include "actors/ports/random.hpp"
#include "actors/router.hpp"
#include "actors/work_board.hpp"
#include "supervisors/entity_restarts.hpp"
#include "supervisors/event.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

namespace purser {

/// Where the shell may be made to crash, to prove that it heals: between any two of its steps.
enum class crash_point : std::uint8_t {
  before_decide,
  before_append,
  after_append,
  after_effects,
  every_delivery, ///< before_decide, and again whenever the message is redelivered
};

/// Asked at each delivery of a message (envelope::deliveries): where to crash while handling it, if
/// at all.
using crash_injector = std::function<std::optional<crash_point>(const envelope& message)>;

/// Thrown where the injector said so.
struct injected_crash : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Counters of one life of a node; each only grows, but for the gauges.
struct node_counters {
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> crashes{0};
  std::atomic<std::uint64_t> restarts{0};
  std::atomic<std::uint64_t> redelivered{0};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> quarantined{0};
  std::atomic<std::uint64_t> activations{0};
  std::atomic<std::uint64_t> passivations{0};
  std::atomic<std::int64_t> live_entities{0}; ///< gauge
};

/// How many entities have a step of a workflow under way, so that "everything has settled" can be
/// waited for. Thread-safe.
class open_steps {
public:
  void add(std::int64_t delta);

  /// Waits until none is open. @returns false when `timeout_ms` passed first.
  bool wait_none(std::int64_t timeout_ms);

  std::int64_t count() const;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::int64_t> count_{0};
};

/// How long healing took, from the throw to the entity's next handled message. Thread-safe.
class healing_times {
public:
  void note(std::int64_t microseconds);

  /// The q-th quantile (0 to 1) in microseconds, of the newest few thousand; 0 when there were
  /// none.
  std::int64_t quantile(double q) const;

private:
  static constexpr std::size_t capacity = 4'096;
  mutable std::mutex mutex_;
  std::vector<std::int64_t> newest_;
  std::size_t next_ = 0;
};

struct entity_policy {
  std::size_t max_live = 20'000; ///< entities in memory; idle ones beyond it passivate
  std::size_t batch = 64;        ///< messages handled in one turn, before others get theirs
  std::size_t shells = 2;        ///< of a shard: so many of its entities run at once
  shop_policy shop;
  supervisors::entity_restart_policy restarts;
};

struct node_context {
  class journal& journal;
  class clock& clock;
  random_source& random;
  class router& router;
  entity_policy policy;
  /// Calls the provider for a payment; the answer comes back as a provider_reply through the
  /// router.
  std::function<void(entity_ref payment, call_provider call, unix_millis at)> call_provider_for;
  /// The business time at which an entity wants to be told `timer_due`, or that it wants none (C8).
  std::function<void(const entity_ref&, std::optional<unix_millis> due)> set_timer;
  /// Something for people; it is durable.
  std::function<void(const std::string& text)> on_alarm;
  supervisors::event_sink on_supervision;
  crash_injector inject_crash; ///< may be empty
  node_counters counters;
  open_steps open;
  healing_times healing;
  /// The node ends: crashes are not healed any more, and what comes is answered so.
  std::atomic<bool> stopping{false};
  /// Of all entities; each incarnation takes the next number.
  std::atomic<std::uint64_t> incarnations{0};
  given_up_log* given_up = nullptr; ///< without it nothing of what is given up is kept
  /// Where handlers say what they are at; may be null.
  work_board* at_work = nullptr;
};

} // namespace purser
