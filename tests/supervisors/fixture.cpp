#include "tests/supervisors/fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace purser::supervisors::tests {

namespace {

using fail_atom = caf::atom_constant<caf::atom("fail")>;
using leave_atom = caf::atom_constant<caf::atom("leave")>;

class worker_actor final : public caf::event_based_actor {
public:
  worker_actor(caf::actor_config& config, fixture& owner, std::string id, bool stubborn)
      : caf::event_based_actor(config), owner_(owner), id_(std::move(id)), stubborn_(stubborn) {}

  caf::behavior make_behavior() override {
    set_default_handler(caf::drop);
    set_exception_handler(
      [](std::exception_ptr&) -> caf::error { return caf::make_error(caf::sec::runtime_error); });
    set_exit_handler([this](caf::exit_msg& exit) {
      if (!stubborn_ || exit.reason == caf::exit_reason::kill)
        quit(exit.reason);
    });
    return {
      [](fail_atom) { throw std::runtime_error("told to fail"); },
      [this](leave_atom) { quit(caf::exit_reason::normal); },
    };
  }

  void on_exit() override {
    owner_.log += " -" + id_;
    owner_.live.erase(id_);
  }

private:
  fixture& owner_;
  std::string id_;
  bool stubborn_;
};

child_spec spec_of(fixture& owner, const std::string& id, restart_type restart, bool stubborn) {
  child_spec spec;
  spec.id = id;
  spec.restart = restart;
  spec.start = [&owner, id, stubborn](caf::scheduled_actor& parent) -> start_result {
    if (owner.starts_to_fail[id] > 0) {
      --owner.starts_to_fail[id];
      return start_error{"told to"};
    }
    caf::actor made = parent.home_system().spawn<worker_actor, caf::hidden>(owner, id, stubborn);
    owner.live[id] = made;
    owner.log += " +" + id;
    return made;
  };
  return spec;
}

/// Notes how the root ends.
class watcher final : public caf::event_based_actor {
public:
  watcher(caf::actor_config& config, const caf::actor& root, caf::error& reason, bool& ended)
      : caf::event_based_actor(config) {
    monitor(root);
    set_down_handler([this, &reason, &ended](caf::down_msg& down) {
      reason = down.reason;
      ended = true;
      quit();
    });
  }
  caf::behavior make_behavior() override {
    return {[](leave_atom) {}};
  }
};

} // namespace

fixture::fixture() {
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

fixture::~fixture() {
  stop();
  live.clear();
  root = nullptr;
  if (!ended_)
    caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  settle();
  watcher_ = nullptr;
}

child_spec fixture::worker(const std::string& id, restart_type restart) {
  return spec_of(*this, id, restart, false);
}

child_spec fixture::stubborn_worker(const std::string& id) {
  return spec_of(*this, id, restart_type::permanent, true);
}

supervisor_hooks fixture::hooks() {
  supervisor_hooks made;
  made.on_event = [this](const supervision_event& event) { events.push_back(event); };
  made.on_started = [this](const std::string& error) { started.push_back(error); };
  return made;
}

void fixture::start(supervisor_spec spec) {
  root = spawn_supervisor(*system_, std::move(spec), hooks());
  watcher_ = system_->spawn<watcher, caf::hidden>(root, end_reason, ended_);
  settle();
}

void fixture::crash(const std::string& id) {
  caf::anon_send(live.at(id), fail_atom::value);
  settle();
}

void fixture::end_normally(const std::string& id) {
  caf::anon_send(live.at(id), leave_atom::value);
  settle();
}

void fixture::stop() {
  if (root && !ended_)
    stop_supervisor(root);
  settle();
  for (int i = 0; i < 100 && root && !ended_; ++i)
    advance(std::chrono::seconds{1});
}

void fixture::settle() {
  while (scheduler_->try_run_once()) {
  }
}

void fixture::advance(std::chrono::milliseconds by) {
  scheduler_->advance_time(by);
  settle();
}

std::string fixture::take_log() {
  auto taken = std::exchange(log, {});
  return taken.empty() ? taken : taken.substr(1);
}

bool fixture::supervisor_is_up() const {
  return !ended_;
}

std::size_t fixture::count(event_kind kind) const {
  std::size_t found = 0;
  for (const auto& event : events)
    found += event.kind == kind ? 1 : 0;
  return found;
}

} // namespace purser::supervisors::tests
