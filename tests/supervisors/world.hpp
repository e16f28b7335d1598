// A deterministic actor system (virtual time, one thread) with a tree of probes in it.
#pragma once

#include "supervisors/dynamic_supervisor.hpp"
#include "supervisors/supervisor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace purser::supervisors {

using crash_atom = caf::atom_constant<caf::atom("crash")>;
using finish_atom = caf::atom_constant<caf::atom("finish")>;
using work_atom = caf::atom_constant<caf::atom("work")>;
using let_go_atom = caf::atom_constant<caf::atom("letgo")>;

using words = std::vector<std::string>;

/// What a probe does when it is asked to end.
enum class manners { obeys, lingers, deaf, ends_badly };

// (Actors are spawned with an argument: for functors without one CAF 0.17 binds a reference to
// null.)
class world {
public:
  world() {
    config_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(config_);
    scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  ~world() {
    root = nullptr;
    const auto kill = [](const caf::actor& who) {
      caf::anon_send<caf::message_priority::high>(
        who, caf::exit_msg{caf::actor_addr{}, caf::exit_reason::kill});
    };
    for (const auto& who : everyone_)
      kill(who);
    settle();
    for (const auto& [id, who] : probes)
      kill(who);
    everyone_.clear();
    probes.clear();
    supervisors.clear();
    settle();
    while (scheduler_->trigger_timeout())
      settle();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  caf::actor_system& system() { return *system_; }

  /// Handles every message that is there; time stands still.
  void settle() { scheduler_->run(); }

  /// Handles one message of one actor, the `chosen`-th of those that have some (modulo their
  /// number).
  void run_one(std::uint64_t chosen) {
    auto& jobs = scheduler_->jobs;
    if (jobs.empty())
      return;
    const auto first = jobs.begin() + static_cast<std::ptrdiff_t>(chosen % jobs.size());
    std::rotate(jobs.begin(), first, first + 1);
    scheduler_->try_run_once();
  }

  /// Fires the timer that is due next, if there is one.
  void fire_timer() { scheduler_->trigger_timeout(); }

  /// Lets virtual time pass, firing timers one by one.
  void pass(std::chrono::milliseconds time) {
    const auto end = scheduler_->clock().now() + time;
    settle();
    while (scheduler_->clock().has_pending_timeout() &&
           scheduler_->clock().schedule().begin()->first <= end) {
      scheduler_->trigger_timeout();
      settle();
    }
    scheduler_->advance_time(end - scheduler_->clock().now());
    settle();
  }

  /// A child spec whose probe writes its starts and ends to `log`.
  child_spec probe(const std::string& id, restart_type restart = restart_type::permanent,
                   manners how = manners::obeys) {
    child_spec spec;
    spec.id = id;
    spec.restart = restart;
    spec.start = [this, id, how](caf::local_actor& parent) { return start_probe(parent, id, how); };
    return spec;
  }

  start_result start_probe(caf::local_actor& parent, const std::string& id, manners how) {
    if (failing.contains(id)) {
      log.push_back("fail " + id);
      return start_error{"no luck"};
    }
    if (ignoring.contains(id))
      return ignore_child{};
    log.push_back("start " + id);
    const auto who =
      parent.home_system().spawn([this](caf::event_based_actor* self, const std::string& name,
                                        manners with) { return probe_behavior(self, name, with); },
                                 id, how);
    probes[id] = who;
    most_alive = std::max(most_alive, ++alive[id]);
    who->attach_functor([this, id](const caf::error&) { --alive[id]; });
    return who;
  }

  /// A dynamic supervisor of probes; `arguments` has what each was last started with.
  dynamic_supervisor_spec dynamic(const std::string& path,
                                  restart_type restart = restart_type::permanent,
                                  manners how = manners::obeys, std::uint32_t intensity = 10) {
    dynamic_supervisor_spec spec;
    spec.path = path;
    spec.intensity = intensity;
    spec.instances.restart = restart;
    spec.instances.start = [this, how](caf::local_actor& parent, const instance& which) {
      arguments[which.id] = caf::to_string(which.arguments);
      return start_probe(parent, which.id, how);
    };
    return spec;
  }

  caf::actor spawn(dynamic_supervisor_spec spec) {
    return watched(spawn_dynamic_supervisor(*system_, std::move(spec), hooks()));
  }
  caf::actor spawn(supervisor_spec spec) {
    return watched(spawn_supervisor(*system_, std::move(spec), hooks()));
  }

  /// A child spec for an empty child supervisor; one that never comes up while its id is in
  /// `stuck`.
  child_spec gate(const std::string& id) {
    child_spec child;
    child.id = id;
    child.type = child_type::supervisor;
    child.start = [this, id](caf::local_actor& parent) -> start_result {
      if (stuck.contains(id))
        return std::get<caf::actor>(probe(id).start(dynamic_cast<caf::scheduled_actor&>(parent)));
      supervisor_spec empty;
      empty.path = "root/" + id;
      return spawn_supervisor(parent, empty, {});
    };
    return child;
  }

  /// A child spec for a supervisor below another.
  child_spec nested(supervisor_spec spec, restart_type restart = restart_type::permanent) {
    return below(supervisor_child(std::move(spec), quiet_hooks()), restart);
  }
  child_spec nested(dynamic_supervisor_spec spec, restart_type restart = restart_type::permanent) {
    return below(dynamic_supervisor_child(std::move(spec), quiet_hooks()), restart);
  }

  /// Asks a dynamic supervisor for one instance more, or less. @returns what it answered: "", or an
  /// error's text.
  std::string start_instance(const caf::actor& whom, const std::string& id,
                             const caf::message& with = {}) {
    return answer_of<caf::actor>(whom, start_child_atom::value, id, with);
  }
  std::string stop_instance(const caf::actor& whom, const std::string& id) {
    return answer_of<void>(whom, stop_child_atom::value, id);
  }

  void crash(const std::string& id) {
    caf::anon_send(probes.at(id), crash_atom::value);
    settle();
  }
  void crash(const std::string& id, const caf::error& cause) {
    caf::anon_send(probes.at(id), crash_atom::value, cause);
    settle();
  }
  void finish(const std::string& id) {
    caf::anon_send(probes.at(id), finish_atom::value);
    settle();
  }
  void let_go(const std::string& id) {
    caf::anon_send(probes.at(id), let_go_atom::value);
    settle();
  }

  template <class T, class... Args>
  T ask(Args... args) {
    return ask_of<T>(root, std::move(args)...);
  }
  template <class T, class... Args>
  T ask_of(const caf::actor& whom, Args... args) {
    T answer{};
    system_->spawn(
      [&answer, args...](caf::event_based_actor* self, const caf::actor& to) {
        self->request(to, caf::infinite, args...)
          .then([&answer](const T& value) { answer = value; }, [](const caf::error&) {});
      },
      whom);
    settle();
    return answer;
  }

  /// The ids of the children of `root` that run.
  words running() {
    words ids;
    for (const auto& info : ask<std::vector<child_info>>(which_children_atom::value))
      if (info.running)
        ids.push_back(info.id);
    return ids;
  }

  std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
             scheduler_->clock().now().time_since_epoch())
      .count();
  }

  words taken_log() { return std::exchange(log, {}); }

  /// "kind path" of every event so far.
  words events_of(event_kind kind) const {
    words paths;
    for (const auto& event : events)
      if (event.kind == kind)
        paths.push_back(event.path);
    return paths;
  }
  const supervision_event& last(event_kind kind) const {
    for (auto it = events.rbegin(); it != events.rend(); ++it)
      if (it->kind == kind)
        return *it;
    throw std::runtime_error("no such event: " + std::string{to_string(kind)});
  }

  words log;
  std::vector<supervision_event> events;
  words started;                            ///< what on_started said
  std::size_t log_at_start = 0;             ///< how long the log was when on_started was called
  std::vector<caf::error> root_ended;       ///< empty while it runs
  std::set<std::string> failing;            ///< probes whose start fails
  std::set<std::string> stuck;              ///< gates that do not come up
  int worked = 0;                           ///< work messages handled by all probes
  std::set<std::string> ignoring;           ///< probes whose start says "ignore"
  std::map<std::string, caf::actor> probes; ///< the newest incarnation of each
  std::map<std::string, int> alive;         ///< incarnations of each probe
  int most_alive = 0;                       ///< of any probe, at any time
  std::map<std::string, std::string> arguments;
  std::map<std::string, caf::actor> supervisors; ///< the newest incarnation of each nested one
  caf::actor root;
  double random = 0.5;
  std::function<std::string(const caf::error&)> rendering;

private:
  supervisor_hooks hooks() {
    supervisor_hooks all;
    all.on_event = [this](const supervision_event& event) { events.push_back(event); };
    all.on_started = [this](const std::string& error) {
      started.push_back(error);
      log_at_start = log.size();
    };
    all.random = [this] { return random; };
    all.render = rendering;
    return all;
  }

  supervisor_hooks quiet_hooks() {
    auto quiet = hooks();
    quiet.on_started = nullptr;
    return quiet;
  }

  child_spec below(child_spec child, restart_type restart) {
    child.restart = restart;
    child.start = [this, id = child.id, start = child.start](caf::scheduled_actor& parent) {
      auto result = start(parent);
      supervisors[id] = std::get<caf::actor>(result);
      everyone_.push_back(supervisors[id]);
      return result;
    };
    return child;
  }

  caf::actor watched(caf::actor who) {
    root = std::move(who);
    everyone_.push_back(root);
    watch(root);
    settle();
    return root;
  }

  template <class T, class... Args>
  std::string answer_of(const caf::actor& whom, Args... args) {
    const auto answer = std::make_shared<std::string>("no answer");
    system_->spawn(
      [answer, args...](caf::event_based_actor* self, const caf::actor& to) {
        const auto failed = [answer](const caf::error& error) { *answer = to_text(error); };
        auto asked = self->request(to, caf::infinite, args...);
        if constexpr (std::is_void_v<T>)
          asked.then([answer] { answer->clear(); }, failed);
        else
          asked.then([answer](const T&) { answer->clear(); }, failed);
      },
      whom);
    settle();
    return *answer;
  }

  caf::behavior probe_behavior(caf::event_based_actor* self, const std::string& id, manners how) {
    self->set_default_handler(caf::drop);
    self->set_exit_handler([this, self, id, how](caf::exit_msg& exit) {
      if (how == manners::lingers || how == manners::deaf) {
        log.push_back("asked " + id);
        return;
      }
      log.push_back("stop " + id);
      self->quit(how == manners::ends_badly ? caf::make_error(caf::sec::runtime_error)
                                            : exit.reason);
    });
    return {
      [self](crash_atom) { self->quit(caf::make_error(caf::sec::runtime_error, "boom")); },
      [self](crash_atom, const caf::error& cause) { self->quit(cause); },
      [self](finish_atom) { self->quit(); },
      [this](work_atom) { ++worked; },
      [this, self, id, how](let_go_atom) {
        if (how == manners::lingers) {
          log.push_back("stop " + id);
          self->quit();
        }
      },
    };
  }

  void watch(const caf::actor& who) {
    everyone_.push_back(system_->spawn(
      [this](caf::event_based_actor* self, const caf::actor& whom) {
        self->set_down_handler([this](caf::down_msg& down) { root_ended.push_back(down.reason); });
        self->monitor(whom);
        return caf::behavior{[](finish_atom) {}};
      },
      who));
  }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  std::vector<caf::actor> everyone_;
};

inline supervisor_spec tree(strategy how, std::vector<child_spec> children,
                            std::uint32_t intensity = 10) {
  supervisor_spec spec;
  spec.path = "root";
  spec.strategy = how;
  spec.intensity = intensity;
  spec.children = std::move(children);
  return spec;
}

} // namespace purser::supervisors
