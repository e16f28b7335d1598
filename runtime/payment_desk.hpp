// Where payments meet the provider: a thread of its own calls it, so a provider that blocks delays
// payments and nobody else. One that says to be prompt is called by whoever lets calls go, too; by
// one of the two at a time. What may be called when is decided in provider_calls.hpp.
#pragma once

#include "actors/envelope.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/payment_gateway.hpp"
#include "actors/router.hpp"
#include "actors/work_board.hpp"
#include "runtime/provider_calls.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

namespace purser {

class payment_desk {
public:
  struct options {
    provider_policy provider;
    bool by_machine = true; ///< else waits end only when time_moved is called
    /// Answers count as of the time of the command that led to them, and not of now (replays).
    bool time_of_command = false;
    /// Calls of a prompt provider are made by `let_go`, on its thread.
    bool at_once_if_prompt = false;
    work_board* at_work = nullptr; ///< where it says that it calls the provider; may be null
    /// Uniform in [0, 1), for the waits before a call is tried again; by default the middle.
    std::function<double()> random = [] { return 0.5; };
    /// On whichever thread calls the provider, in order.
    std::function<void(const circuit_change&)> on_circuit = [](const circuit_change&) {};
  };

  payment_desk(std::shared_ptr<payment_gateway> provider, router& to, clock& time,
               options settings);

  /// Calls that are waiting are dropped: payments take them up at the next start.
  ~payment_desk();

  /// Thread-safe. The answer comes to the payment as a provider_reply.
  void submit(entity_ref payment, call_provider call, unix_millis at);

  /// Until `let_go` what is submitted waits: so that many calls at once wake the desk once, or are
  /// made there and then. Thread-safe.
  void hold();
  void let_go();

  /// Calls back after a wait, on whichever thread calls the provider. Thread-safe.
  void later(std::int64_t delay_ms, std::function<void()> what);

  /// The earliest time (clock::waiting_ms) at which a call is due, may be made or ends by itself.
  std::optional<std::int64_t> next_due() const;

  /// Waiting time has been moved: what is due counts as under way at once, and is done.
  void time_moved();

  provider_figures figures() const;

  void stop();

private:
  struct pending {
    provider_request request;
    std::function<void()> what; ///< instead of a call
  };

  /// What the provider's callbacks may still reach when the desk is gone.
  struct shared {
    explicit shared(const provider_policy& policy) : calls(policy) {}

    std::mutex mutex;
    std::condition_variable changed;
    std::multimap<std::int64_t, pending> due; ///< by waiting time
    /// Questions in `due`, by idempotency key: a newer one takes the place of an older.
    std::unordered_map<std::string, std::multimap<std::int64_t, pending>::iterator> questions;
    provider_calls calls;
    activity_token busy; ///< something may be done now: until the thread finds nothing any more
    bool held = false;
    bool missed = false; ///< something was submitted meanwhile
    bool at_it = false;  ///< somebody calls the provider; who finds that leaves it to them
    std::optional<std::int64_t> wakes_at; ///< the desk's thread, by itself; nothing: never
    bool stopping = false;
    router* to = nullptr;
    clock* time = nullptr;
    bool time_of_command = false;
  };

  void run();
  void work(std::unique_lock<std::mutex>& lock);
  void add(std::int64_t delay_ms, pending what);
  void withdraw(const std::string& idempotency_key);
  std::optional<std::int64_t> next_time(std::int64_t now_ms) const;
  bool do_next(std::unique_lock<std::mutex>& lock, std::int64_t now_ms);
  void take_due(std::unique_lock<std::mutex>& lock, std::int64_t now_ms);
  void make(std::unique_lock<std::mutex>& lock, const provider_attempt& attempt);
  static void answered(shared& state, std::uint64_t ticket, payment_answer answer);
  static void tell(shared& state);

  std::shared_ptr<payment_gateway> provider_;
  clock& clock_;
  options options_;
  std::shared_ptr<shared> shared_;
  std::thread thread_;
};

} // namespace purser
