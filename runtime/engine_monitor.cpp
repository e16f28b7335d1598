#include "runtime/engine_monitor.hpp"

#include "actors/domain/entity_kinds.hpp"
#include "actors/shard_actor.hpp"
#include "runtime/system_ports.hpp"
#include "supervisors/supervisor.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>

namespace purser {

namespace {

using probe_atom = caf::atom_constant<caf::atom("probe")>;

/// Rows of entities: of each shard the busiest, and of all those that decisions were about last.
constexpr std::size_t busiest_of_a_shard = 8;
constexpr std::size_t newest_in_trouble = 48;

/// Reasons of one kind, before the rest is only counted.
constexpr std::size_t reasons_of_a_kind = 5;

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr unsigned bits_of_threads = 16;

constexpr std::string_view shards_path = "root/shards";

std::string shard_path(std::uint16_t shard) {
  return std::string{shards_path} + "/shard-" + std::to_string(shard);
}

/// "root/shards/shard-3/order/o-1" names one; other paths do not.
std::optional<entity_ref> entity_at(const std::string& path) {
  const auto shard = path.find("/shard-");
  if (shard == std::string::npos)
    return std::nullopt;
  const auto kind = path.find('/', shard + 1);
  const auto key = kind == std::string::npos ? kind : path.find('/', kind + 1);
  if (key == std::string::npos)
    return std::nullopt;
  const auto name = std::string_view{path}.substr(kind + 1, key - kind - 1);
  const auto known = kind_named(name);
  return known ? std::optional{entity_ref{*known, path.substr(key + 1)}} : std::nullopt;
}

/// What shards have answered so far; they may answer when nobody waits any more.
struct answers {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::optional<shard_look>> looks;
  std::size_t missing = 0;
};

caf::behavior answer_probes(caf::event_based_actor* self,
                            std::function<void(std::uint64_t)> answered) {
  self->set_default_handler(caf::drop);
  return {[answered = std::move(answered)](probe_atom, std::uint64_t ticket) { answered(ticket); }};
}

} // namespace

engine_monitor::engine_monitor(parts of, hooks to)
    : of_(of), to_(std::move(to)), began_ns_(of_.node.clock.monotonic_ns()),
      scheduler_(std::make_shared<probe>()), callbacks_(std::make_shared<probe>()) {}

engine_monitor::~engine_monitor() {
  stop_watchdog();
}

void engine_monitor::start_watchdog(std::int64_t hang_ms) {
  if (hang_ms <= 0)
    return;
  prober_ =
    of_.system.spawn<caf::hidden>(answer_probes, [probe = scheduler_](std::uint64_t ticket) {
      probe->answered.store(ticket, std::memory_order_relaxed);
    });
  watchdog::hooks watching;
  watching.look = [this] { return look(); };
  watching.on_hang = [this](const hang& found) {
    to_.on_alarm("actor_hangs path=" + found.path + " for_ms=" + std::to_string(found.for_ms));
    supervision_notice notice;
    notice.what = "actor_hangs";
    notice.path = found.path;
    notice.cause = to_text(found);
    note(std::move(notice));
  };
  watching.on_progress = [this](const hang& ended) {
    supervision_notice notice;
    notice.what = "actor_goes_on";
    notice.path = ended.path;
    notice.healing_us = ended.for_ms * 1'000;
    note(std::move(notice));
  };
  const std::lock_guard lock{watching_};
  watchdog_ = std::make_unique<watchdog>(hang_ms, std::move(watching));
}

void engine_monitor::stop_watchdog() {
  std::unique_ptr<watchdog> last;
  {
    const std::lock_guard lock{watching_};
    last.swap(watchdog_);
  }
  last.reset();
  prober_ = nullptr; // nobody refers to it any more: it ends
}

void engine_monitor::set_root(caf::actor root) {
  const std::lock_guard lock{mutex_};
  root_ = std::move(root);
}

void engine_monitor::note(supervision_notice notice) {
  notice.at = system_clock{}.now();
  to_.on_notice(log_.note(std::move(notice)));
}

std::int64_t engine_monitor::uptime_ms() const {
  return (of_.node.clock.monotonic_ns() - began_ns_) / ns_per_ms;
}

// -- What the watchdog looks at -------------------------------------------------------------------

std::vector<watched_work> engine_monitor::look() {
  std::vector<watched_work> found;
  look_at_handlers(found);
  look_at_journal(found);
  look_at_probes(found);
  return found;
}

void engine_monitor::look_at_handlers(std::vector<watched_work>& found) const {
  for (const auto& work : of_.board.look()) {
    watched_work made;
    switch (work.kind) {
    case work_kind::entity:
      made.path =
        shard_path(shard_of(work.entity, of_.node.router.shards())) + "/" + to_string(work.entity);
      made.doing = "has handled one message";
      break;
    case work_kind::shard:
      made.path = shard_path(work.shard);
      made.doing = "has handed out messages";
      break;
    case work_kind::provider:
      made.path = "payment_desk";
      made.doing = "has been calling the provider for " + to_string(work.entity);
      break;
    }
    made.turn = work.turn << bits_of_threads | work.thread;
    found.push_back(std::move(made));
  }
}

void engine_monitor::look_at_journal(std::vector<watched_work>& found) const {
  const auto durable = of_.node.journal.durable();
  if (of_.node.journal.last() > durable)
    found.push_back({"journal", "has waited for the disk", durable});
}

/// One question at a time, so that a queue that is stuck does not grow.
void engine_monitor::look_at_probes(std::vector<watched_work>& found) {
  const auto look_at = [&](probe& it, const char* path, const char* doing, const auto& ask) {
    const auto asked = it.asked.load(std::memory_order_relaxed);
    if (it.answered.load(std::memory_order_relaxed) != asked)
      return found.push_back({path, doing, asked});
    it.asked.store(asked + 1, std::memory_order_relaxed);
    ask(asked + 1);
    found.push_back({path, doing, asked + 1});
  };
  look_at(*scheduler_, "scheduler", "has had no thread free",
          [this](std::uint64_t ticket) { caf::anon_send(prober_, probe_atom::value, ticket); });
  look_at(*callbacks_, "callbacks", "have been blocked", [this](std::uint64_t ticket) {
    of_.delivery.post([probe = callbacks_, ticket] { probe->answered = ticket; });
  });
}

// -- Health ---------------------------------------------------------------------------------------

std::vector<std::string> engine_monitor::reasons() const {
  std::vector<std::string> made;
  {
    const std::lock_guard lock{watching_};
    if (watchdog_)
      for (const auto& found : watchdog_->hangs())
        made.push_back(to_text(found));
  }
  const auto quarantined = log_.quarantined();
  for (std::size_t i = 0; i < std::min(quarantined.size(), reasons_of_a_kind); ++i)
    made.push_back(quarantined[i].first + " is in quarantine: " + quarantined[i].second);
  if (quarantined.size() > reasons_of_a_kind)
    made.push_back(std::to_string(quarantined.size() - reasons_of_a_kind) +
                   " more entities are in quarantine");
  return made;
}

// -- The tree -------------------------------------------------------------------------------------

tree_row engine_monitor::known(std::string path, std::string kind) const {
  tree_row made;
  made.path = std::move(path);
  made.kind = std::move(kind);
  made.state = "running";
  if (const auto record = log_.of(made.path)) {
    made.restarts = record->restarts;
    made.last_cause = record->last_cause;
  }
  return made;
}

supervision_tree engine_monitor::tree(std::int64_t timeout_ms) {
  supervision_tree made;
  made.at = system_clock{}.now();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{timeout_ms};
  add_supervisors(made, timeout_ms);
  const auto left =
    std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  add_shards(made, std::max<std::int64_t>(left.count(), 1));
  return made;
}

void engine_monitor::add_supervisors(supervision_tree& to, std::int64_t timeout_ms) {
  caf::actor root;
  {
    const std::lock_guard lock{mutex_};
    root = root_;
  }
  auto top = known("root", "supervisor");
  top.uptime_ms = root ? uptime_ms() : 0;
  auto shards = known(std::string{shards_path}, "supervisor");
  if (!root) {
    top.state = shards.state = "stopped";
  } else {
    caf::scoped_actor self{of_.system};
    self
      ->request(root, std::chrono::milliseconds{timeout_ms},
                supervisors::which_children_atom::value)
      .receive(
        [&](const std::vector<supervisors::child_info>& children) {
          for (const auto& child : children) {
            shards.state = child.running ? "running" : "restarting";
            shards.uptime_ms = child.uptime_ms;
          }
        },
        [&](const caf::error& error) {
          top.state = error == caf::sec::request_timeout ? "not_responding" : "stopped";
          shards.state = top.state;
        });
  }
  to.rows.push_back(std::move(top));
  to.rows.push_back(std::move(shards));
}

void engine_monitor::add_shards(supervision_tree& to, std::int64_t timeout_ms) {
  auto& router = of_.node.router;
  const auto count = router.shards();
  std::vector<std::vector<entity_ref>> wanted(count);
  for (const auto& path : log_.newest_paths(newest_in_trouble))
    if (auto entity = entity_at(path))
      wanted[shard_of(*entity, count)].push_back(std::move(*entity));
  const auto shared = std::make_shared<answers>();
  shared->looks.resize(count);
  std::vector<bool> asked(count);
  for (std::uint16_t shard = 0; shard < count; ++shard) {
    const auto actor = router.inbox(shard).shard();
    if (!actor)
      continue;
    asked[shard] = true;
    auto question = std::make_shared<shard_question>();
    question->most = busiest_of_a_shard;
    question->also = std::move(wanted[shard]);
    question->answer = [shared](shard_look look) {
      const std::lock_guard lock{shared->mutex};
      const auto number = look.shard;
      shared->looks.at(number) = std::move(look);
      if (--shared->missing == 0)
        shared->came.notify_all();
    };
    {
      const std::lock_guard lock{shared->mutex};
      ++shared->missing;
    }
    caf::anon_send<caf::message_priority::high>(actor, shard_request{std::move(question)});
  }
  std::unique_lock lock{shared->mutex};
  shared->came.wait_for(lock, std::chrono::milliseconds{timeout_ms},
                        [&] { return shared->missing == 0; });
  for (std::uint16_t shard = 0; shard < count; ++shard) {
    auto row = known(shard_path(shard), "shard");
    row.mailbox = router.inbox(shard).waiting();
    const auto& look = shared->looks[shard];
    if (!look) {
      row.state = asked[shard] ? "not_responding" : "stopped";
      to.rows.push_back(std::move(row));
      continue;
    }
    row.messages = look->messages;
    row.entities = look->live;
    row.uptime_ms = look->uptime_ms;
    to.rows.push_back(row);
    add_entities(to, row.path, *look);
  }
}

void engine_monitor::add_entities(supervision_tree& to, const std::string& shard,
                                  const shard_look& look) {
  std::size_t running = 0;
  for (const auto& entity : look.entities) {
    auto made = known(shard + "/" + to_string(entity.ref), std::string{to_string(entity.ref.kind)});
    made.state = entity.quarantined ? "quarantined" : entity.running ? "running" : "restarting";
    made.mailbox = entity.waiting;
    made.messages = entity.messages;
    made.uptime_ms = entity.uptime_ms;
    running += entity.running ? 1 : 0;
    to.rows.push_back(std::move(made));
  }
  to.entities_left_out += look.live - running;
}

} // namespace purser
