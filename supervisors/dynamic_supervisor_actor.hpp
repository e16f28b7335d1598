// The actor behind dynamic_supervisor.hpp; private to this library.
//
// W1 Instances do not wait for each other: each is started, restarted and stopped by itself (S18).
// W2 An instance that does not run and will not be started again is gone: there is no spec to keep.
// W3 However it ends, no instance is left behind: an orderly end stops them, any other kills them.
#pragma once

#include "supervisors/dynamic_supervisor.hpp"
#include "supervisors/restart_plan.hpp"
#include "supervisors/restart_window.hpp"
#include "supervisors/supervisor_base.hpp"

#include <caf/response_promise.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace purser::supervisors {

class dynamic_supervisor_actor final : public supervisor_base {
public:
  dynamic_supervisor_actor(caf::actor_config& config, dynamic_supervisor_spec spec,
                           supervisor_hooks hooks, caf::actor_addr parent);

  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// Instances by number, in the order they were first started; a number is never used again.
  using number = std::uint64_t;
  struct member {
    instance which;
    caf::actor handle;      ///< null while it waits for its next start
    bool coming_up = false; ///< a child supervisor that has not said it is up
    bool stopping = false;  ///< asked to end
    bool killed = false;
    bool stuck = false;           ///< reported as such
    std::uint64_t start_turn = 0; ///< of the start_due that counts
    child_record record;
    std::vector<caf::response_promise> started; ///< whom to tell
    std::vector<caf::response_promise> stopped;
  };

  // Starting.
  void begin();
  caf::response_promise start_instance(const std::string& id, const caf::message& arguments);
  number add(instance which);
  std::string mistake_in(const std::string& id) const;
  void fail_start(const std::string& why);
  void start(number which);
  void is_up(number which);
  void start_went_wrong(number which, const std::string& why, const caf::error& cause);
  void up_when_all_are();

  // Endings.
  void on_down(const caf::actor_addr& who, const caf::error& reason);
  enum class failed { running, starting };
  void heal(number which, const caf::error& cause, failed while_it_was);
  void restart(number which, failed while_it_was);
  bool another_significant(number which) const;
  void give_up(number which, caf::error reason);
  void forget(number which);
  void drop(number which);

  // Stopping.
  caf::response_promise stop_instance(const std::string& id);
  void ask_to_end(member& it);
  void kill(member& it);
  void arm(number which);
  void kill_late(const shutdown_passed& passed);
  void report_stuck(const stuck_passed& passed);
  void begin_stop(caf::error reason);
  void finish_when_empty();

  std::vector<child_info> which_children() const;
  caf::result<child_spec> child_spec_of(const std::string& id) const;
  void report_member(event_kind kind, const member& it, const std::string& cause = {},
                     const spans& took = {}) {
    report(kind, it.which.id, it.record, cause, took);
  }

  const dynamic_supervisor_spec spec_;
  restart_window window_;
  std::map<number, member> members_;
  std::unordered_map<std::string, number> by_id_;
  std::unordered_map<caf::actor_addr, number> by_address_; ///< of those that run
  number last_number_ = 0;
};

} // namespace purser::supervisors
