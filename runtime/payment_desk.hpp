// Where payments meet the provider: one thread calls it, so a provider that blocks delays payments
// and nobody else; every call has a deadline.
#pragma once

#include "actors/envelope.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/payment_gateway.hpp"
#include "actors/router.hpp"
#include "actors/work_board.hpp"

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
    std::int64_t deadline_ms = 10'000; ///< no answer after this long counts as `unknown`
    bool by_machine = true;            ///< else waits end only when time_moved is called
    /// Answers count as of the time of the command that led to them, and not of now (replays).
    bool time_of_command = false;
    work_board* at_work = nullptr; ///< where it says that it calls the provider; may be null
  };

  payment_desk(std::shared_ptr<payment_gateway> provider, router& to, clock& time,
               options settings);

  /// Calls that are waiting are dropped: payments take them up at the next start.
  ~payment_desk();

  /// Thread-safe. The answer comes to the payment as a provider_reply.
  void submit(entity_ref payment, call_provider call, unix_millis at);

  /// Calls back after a wait, on the desk's thread. Thread-safe.
  void later(std::int64_t delay_ms, std::function<void()> what);

  /// The earliest time (clock::waiting_ms) at which a call is due or a deadline passes.
  std::optional<std::int64_t> next_due() const;

  /// Waiting time has been moved: what is due counts as under way at once, and is done.
  void time_moved();

  void stop();

private:
  struct pending {
    entity_ref payment;
    call_provider call;
    unix_millis at = 0;
    std::int64_t deadline_ms = 0; ///< in waiting time, once it is called
    std::function<void()> what;   ///< instead of a call
    activity_token token;         ///< while it is due or being called
  };

  /// What the provider's callbacks may still reach when the desk is gone.
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::multimap<std::int64_t, pending> due; ///< by waiting time: to be called
    /// Questions in `due`, by idempotency key: a newer one takes the place of an older.
    std::unordered_map<std::string, std::multimap<std::int64_t, pending>::iterator> questions;
    /// By ticket, and so by deadline: waiting for the answer.
    std::map<std::uint64_t, pending> calls;
    std::uint64_t next_ticket = 1;
    bool stopping = false;
    router* to = nullptr;
    clock* time = nullptr; ///< null: answers keep the time of their command
  };

  void run();
  void add(std::int64_t delay_ms, pending what);
  std::optional<std::int64_t> next_time() const;
  void call(std::unique_lock<std::mutex>& lock, pending next);
  static void answered(shared& state, std::uint64_t ticket, payment_answer answer);

  std::shared_ptr<payment_gateway> provider_;
  clock& clock_;
  options options_;
  std::shared_ptr<shared> shared_;
  std::thread thread_;
};

} // namespace purser
