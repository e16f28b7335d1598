// The actor behind supervisor.hpp; private to this library.
//
// V1 `advance` is the only place that acts, and does one thing at a time: stops, then failures,
// then
//    starts. Everything else only notes what there is to do, then calls it.
// V2 While a child stops or a child supervisor comes up, nothing else is begun (S1, S3, S18).
// V3 A start that is not due (backoff, or a retry by message) holds up its own child under
// one_for_one,
//    and the whole group under the other strategies; it never holds up a stop or another's failure.
// V4 However it ends, no child is left behind: an orderly end stops them, any other kills them.
#pragma once

#include "supervisors/supervisor.hpp"

#include <caf/actor_addr.hpp>
#include <caf/event_based_actor.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace purser::supervisors {

class supervisor_actor final : public caf::event_based_actor {
public:
  /// `parent` is the supervisor to tell when this one is up; may be null.
  supervisor_actor(caf::actor_config& config, supervisor_spec spec, supervisor_hooks hooks,
                   caf::actor_addr parent);

  const char* name() const override { return "supervisor"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct child {
    caf::actor handle;      ///< null while none runs
    caf::actor_addr latest; ///< of the current or the last incarnation
    caf::actor_addr before; ///< of the one before: its exit message may come after its restart
    bool forgotten = false; ///< its spec is dropped (S8)
    bool due = true;        ///< it may be started; else a start_due with this turn comes
    std::uint64_t turn = 0;
    std::uint32_t incarnations = 0;
    std::uint32_t restarts = 0; ///< in all
    std::uint32_t in_a_row = 0; ///< restarts since it last ran for backoff.reset_after_ms
    std::string last_cause;
    std::int64_t started_at_us = 0;
    std::optional<std::int64_t> ended_at_us; ///< until it is healed
  };
  struct failure {
    std::size_t child = 0;
    bool normally = false;
  };
  enum class phase { starting, running, stopping, ended };

  void advance();
  std::optional<std::size_t> next_start() const;

  // Starting.
  void start_child(std::size_t index);
  start_result call_start(std::size_t index);
  void child_is_up(std::size_t index);
  void start_went_wrong(std::size_t index, const std::string& why);
  void start_later(std::size_t index);
  std::int64_t backoff_of(std::size_t index);

  // Endings.
  void on_down(const caf::actor_addr& who, const caf::error& reason);
  void carry_out(const failure& what);
  void give_up(std::size_t index);
  void forget(std::size_t index);

  // Stopping.
  void on_exit_message(const caf::exit_msg& exit);
  void stop_child(std::size_t index);
  void shutdown_time_passed(std::uint64_t turn);
  void fail_start(const std::string& why);
  void begin_stop(caf::error reason);
  void finish_stop();

  // Introspection and small things.
  std::vector<child_info> which_children() const;
  child_counts count_children() const;
  caf::result<child_spec> child_spec_of(const std::string& id) const;
  std::int64_t now_us() const;
  std::string text_of(const caf::error& reason) const;
  void tell_started(const std::string& error);
  void report(event_kind kind, std::size_t index, const std::string& cause = {},
              std::int64_t healing_us = 0, std::int64_t delay_ms = 0);

  supervisor_spec spec_;
  supervisor_hooks hooks_;
  caf::actor_addr parent_;
  restart_window window_;
  std::vector<child> children_; ///< one for each spec, in start order
  std::unordered_map<caf::actor_addr, std::size_t> by_address_; ///< of those that run
  phase phase_ = phase::starting;
  std::deque<std::size_t> to_stop_;
  std::set<std::size_t> to_start_;
  std::deque<failure> failures_;
  std::optional<std::size_t> stopping_child_;
  std::optional<std::size_t> waiting_for_up_; ///< a child supervisor says so when it is up
  std::uint64_t stop_turn_ = 0;
  std::uint64_t start_turn_ = 0;
  caf::error stop_reason_;
  std::string start_failure_; ///< told once its children are down again (S2)
};

} // namespace purser::supervisors
