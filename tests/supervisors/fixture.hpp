// Runs supervisors under CAF's deterministic scheduler: one thread, virtual time.
#pragma once

#include "supervisors/supervisor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <map>
#include <string>
#include <vector>

namespace purser::supervisors::tests {

/// A tree under test: children note their starts and ends in `log`, and end when told.
class fixture {
public:
  fixture();
  ~fixture();

  /// A worker that runs until it is told to end.
  child_spec worker(const std::string& id, restart_type restart = restart_type::permanent);

  /// One that ignores requests to end, so that only a kill ends it.
  child_spec stubborn_worker(const std::string& id);

  void start(supervisor_spec spec);
  supervisor_hooks hooks();

  /// The current incarnation of a child ends: abnormally, or normally.
  void crash(const std::string& id);
  void end_normally(const std::string& id);

  void stop();

  /// Handles everything that can be handled now.
  void settle();
  void advance(std::chrono::milliseconds by);

  bool running(const std::string& id) const { return live.contains(id); }
  /// What has been noted since the last call, joined by blanks: "+a" started, "-a" ended.
  std::string take_log();
  bool supervisor_is_up() const;
  std::size_t count(event_kind kind) const;

  std::map<std::string, caf::actor> live; ///< the current incarnation of each child
  std::map<std::string, int> starts_to_fail;
  std::vector<supervision_event> events;
  std::vector<std::string> started; ///< what on_started said
  std::string log;
  caf::actor root;
  caf::error end_reason; ///< of the root

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  caf::actor watcher_; // an actor that nobody holds ends by itself
  bool ended_ = false;
};

} // namespace purser::supervisors::tests
