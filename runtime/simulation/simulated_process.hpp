// One life of a simulated node: the real supervision tree, shards and entities on CAF's test
// coordinator, over a simulated journal, bank and clock. Nothing happens by itself: every step is
// called by the schedule, and the same steps have the same effects.
#pragma once

#include "actors/node_context.hpp"
#include "runtime/simulation/simulated_bank.hpp"
#include "runtime/simulation/simulated_disk.hpp"
#include "runtime/tree.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace caf {
namespace scheduler {
class test_coordinator;
}
} // namespace caf

namespace purser::simulation {

/// Business time and waiting time are one; it moves when it is told.
class simulated_clock final : public clock {
public:
  unix_millis now() const override { return now_ms_; }
  std::int64_t monotonic_ns() const override { return now_ms_ * 1'000'000; }
  std::int64_t waiting_ms() const override { return now_ms_; }
  void advance_to(unix_millis at) override { now_ms_ = std::max(now_ms_, at); }

private:
  unix_millis now_ms_ = 1'700'000'000'000;
};

/// What outlives a process.
struct simulated_world {
  simulated_disk& disk;
  simulated_bank& bank;
  simulated_clock& time;
  dice& chance;
};

struct process_settings {
  std::uint16_t shards = 2;
  std::size_t max_live = 8;
  std::size_t batch = 4;
  shop_policy shop;
};

class simulated_process {
public:
  struct hooks {
    simulated_journal::hooks journal;
    crash_injector crash;
    std::function<void(const supervisors::supervision_event&)> on_supervision;
    std::function<void(const std::string& alarm)> on_alarm;
    std::function<void(const std::string& line)> trace; ///< may be empty
  };

  /// Starts the actors, and takes up what is open on the disk.
  simulated_process(const simulated_world& around, const process_settings& settings, hooks faults);
  ~simulated_process();
  simulated_process(const simulated_process&) = delete;
  simulated_process& operator=(const simulated_process&) = delete;

  void send(envelope message) { router_.send(std::move(message)); }

  // -- Steps, and whether there is one to take ----------------------------------------------------

  std::size_t runnable() const;
  /// One message of one of the actors that have one.
  void run_actor(std::size_t number);
  bool has_calls() const;   ///< to the bank
  void call_bank();         ///< any one that is due
  bool has_answers() const; ///< of the bank
  void take_answer();       ///< any one that has come
  bool fire_timer();        ///< of any one entity. @returns false when none is due.
  /// The first of these that there is, in a fixed order, but for timers. @returns false when there
  /// is none.
  bool step();
  simulated_journal& journal() { return journal_; }

  /// Nothing can happen before time moves or a client sends something.
  bool quiet() const;
  /// When something is due; nothing when nothing waits for time.
  std::optional<unix_millis> next_due() const;
  /// The next deadline of an entity.
  std::optional<unix_millis> next_timer() const;
  /// Time has moved.
  void time_moved();

  // -- Faults -------------------------------------------------------------------------------------

  /// Any one of the shards dies.
  void crash_shard();
  void crash_supervisor();
  /// Orderly: everything that has come is answered. Runs until it is down.
  void stop();
  /// At once. What is on the disk stays, but for what is not synced.
  void kill(bool torn);

  /// Killed, failed, or given up.
  bool over() const { return journal_.killed() || journal_.failed() || gave_up_; }
  /// Steps of workflows under way.
  std::int64_t open_steps() const { return node_.open.count(); }
  const node_counters& counters() const { return node_.counters; }

private:
  struct pending_call {
    unix_millis due = 0;
    entity_ref payment;
    call_provider call;
  };
  struct pending_answer {
    unix_millis due = 0;
    entity_ref payment;
    provider_reply reply;
  };

  void start_tree_of_actors();
  void take_up_open_work();
  void call_later(entity_ref payment, call_provider call);
  void set_timer(const entity_ref& entity, std::optional<unix_millis> due);
  void run_out();
  void trace(const std::string& line) const;
  caf::scheduler::test_coordinator& actors() const;

  simulated_disk& disk_;
  simulated_bank& bank_;
  simulated_clock& clock_;
  dice& chance_;
  hooks hooks_;
  router router_;
  simulated_journal journal_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  node_context node_;
  shard_states shards_;
  caf::actor root_;
  unix_millis last_moved_ = 0;
  std::vector<pending_call> calls_;
  std::vector<pending_answer> answers_;
  std::map<entity_ref, unix_millis> timers_;
  bool gave_up_ = false;
  bool ending_ = false;
};

} // namespace purser::simulation
