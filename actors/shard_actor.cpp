#include "actors/shard_actor.hpp"

#include "actors/entity_actor.hpp"
#include "actors/wake.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace purser {

namespace {

using supervisors::entity_action;
using supervisors::event_kind;

/// Put out of memory at one time, so that a burst does not hold up the messages of others.
constexpr std::size_t passivations_at_once = 16;

/// Looks into the inbox before others get their turn.
constexpr int distributions_at_once = 8;

struct restart_request {
  entity_cell_ptr cell;
};

} // namespace

} // namespace purser

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(purser::restart_request)

namespace purser {

shard_actor::shard_actor(caf::actor_config& config, node_context& node,
                         std::shared_ptr<shard_state> state)
    : caf::event_based_actor(config), node_(node), state_(std::move(state)) {}

caf::behavior shard_actor::make_behavior() {
  set_default_handler(caf::drop);
  set_down_handler([this](caf::down_msg& down) {
    const work_board::scope working{node_.at_work, state_->index};
    on_down(down);
  });
  set_exit_handler([this](caf::exit_msg& exit) {
    if (node_.stopping.load(std::memory_order_relaxed))
      begin_stop(exit.reason);
    else
      quit(exit.reason); // D5
  });
  state_->started_at_ns = node_.clock.monotonic_ns();
  for (const auto& [id, shell] : state_->shells)
    monitor(shell->handle); // left by the incarnation before us; one that is dead says so at once
  while (state_->shells.size() < node_.policy.shells)
    add_shell();
  for (const auto& cell : std::exchange(state_->restarting, {}))
    start_again(cell); // its wait has ended with the incarnation before us
  node_.router.inbox(state_->index).attach(caf::actor_cast<caf::actor>(this));
  return {
    [this](wake_atom) {
      const work_board::scope working{node_.at_work, state_->index};
      distribute();
    },
    [this](const shard_request& request) {
      const auto& question = *request.question;
      question.answer(
        look_at(*state_, node_.router.inbox(state_->index), question, node_.clock.monotonic_ns()));
    },
    [this](const restart_request& request) {
      if (std::erase(state_->restarting, request.cell) > 0 && !ending_)
        start_again(request.cell);
    },
  };
}

// -- Messages -------------------------------------------------------------------------------------

void shard_actor::distribute() {
  auto& inbox = node_.router.inbox(state_->index);
  std::size_t started = 0;
  for (int round = 0; round < distributions_at_once; ++round) {
    state_->undistributed.append(inbox.take());
    const auto before = state_->live;
    while (auto message = state_->undistributed.pop_front())
      deliver(std::move(message));
    started += state_->live - before;
    if (open_started())
      break; // else more has come meanwhile
  }
  limit_live(started); // none ends while messages are handed out
}

void shard_actor::deliver(envelope_ptr message) {
  if (message->release && !ending_)
    return release(*message);
  auto& inbox = node_.router.inbox(state_->index);
  const auto cell = inbox.find_or_add(message->to);
  if (cell->quarantined || ends())
    return refuse(*message, ends());
  const bool first_ever = message->first_ever;
  const bool asleep = cell->box.push(std::move(message));
  if (!cell->alive && asleep) {
    cell->first_ever = first_ever;
    start(cell);
  } else if (asleep) {
    inbox.run(cell);
  }
}

bool shard_actor::ends() const {
  return ending_ || node_.stopping.load(std::memory_order_relaxed);
}

void shard_actor::start(const entity_cell_ptr& cell) {
  cell->alive = true;
  cell->recovering = true;
  cell->started_at_ns = node_.clock.monotonic_ns();
  state_->opening.push_back(cell);
  ++state_->live;
  node_.counters.activations.fetch_add(1, std::memory_order_relaxed);
  node_.counters.live_entities.fetch_add(1, std::memory_order_relaxed);
  node_.router.inbox(state_->index).run(cell);
}

void shard_actor::add_shell() {
  auto shell = std::make_shared<entity_shell>();
  shell->shard = state_->index;
  shell->handle = spawn<entity_actor, caf::monitored>(node_, shell);
  state_->shells.emplace(shell->handle.id(), shell);
  node_.router.inbox(state_->index).add(shell);
}

bool shard_actor::open_started() {
  if (state_->opening.empty())
    return true;
  if (!state_->undistributed.empty() || !node_.router.inbox(state_->index).open(state_->opening))
    return false;
  state_->opening.clear();
  return true;
}

/// It is in memory no more.
void shard_actor::close(const entity_cell_ptr& cell) {
  std::erase(state_->opening, cell);
  node_.router.inbox(state_->index).close(*cell); // R2
  cell->alive = false;
  cell->own.reset();
  --state_->live;
  node_.counters.live_entities.fetch_sub(1, std::memory_order_relaxed);
}

// -- Healing --------------------------------------------------------------------------------------

void shard_actor::on_down(const caf::down_msg& down) {
  const auto found = state_->shells.find(down.source.id());
  if (found == state_->shells.end())
    return;
  const auto shell = found->second;
  state_->shells.erase(found);
  const auto cell = node_.router.inbox(state_->index).remove(shell);
  if (cell)
    close(cell);
  if (!ends()) {
    add_shell();
    if (cell)
      on_crash(cell);
    return;
  }
  if (cell)
    refuse_all(cell->box.drain(), true);
  if (state_->shells.empty())
    end();
}

void shard_actor::on_crash(const entity_cell_ptr& cell) {
  node_.counters.crashes.fetch_add(1, std::memory_order_relaxed);
  cell->crashed_at_ns = cell->failed_at_ns != 0 ? cell->failed_at_ns : node_.clock.monotonic_ns();
  auto* in_hand = cell->box.in_hand();
  const auto phase = cell->recovering ? supervisors::crash_phase::recovering
                     : in_hand        ? supervisors::crash_phase::handling
                                      : supervisors::crash_phase::idle;
  const auto decision =
    supervisors::on_crash(cell->restarts, node_.policy.restarts, phase, node_.random.unit());
  report(event_kind::child_crashed, *cell);
  switch (decision.action) {
  case entity_action::quarantine: return quarantine(cell);
  case entity_action::restart_dead_letter:
    if (in_hand != nullptr) {
      in_hand->dead_letter = true;
      node_.counters.dead_letters.fetch_add(1, std::memory_order_relaxed);
      report(event_kind::message_dead_lettered, *cell);
    }
    break;
  case entity_action::restart:
    if (in_hand != nullptr)
      node_.counters.redelivered.fetch_add(1, std::memory_order_relaxed);
    break;
  case entity_action::resume:
  case entity_action::escalate: break; // on_crash never says so: the entity's actor has ended
  }
  cell->box.prepare_redelivery();
  restart_later(cell, decision.delay_ms);
}

void shard_actor::restart_later(const entity_cell_ptr& cell, std::int64_t delay_ms) {
  if (delay_ms <= 0)
    return start_again(cell);
  state_->restarting.push_back(cell);
  delayed_send(this, std::chrono::milliseconds{delay_ms}, restart_request{cell});
}

void shard_actor::start_again(const entity_cell_ptr& cell) {
  auto event = event_of(event_kind::child_restarted, *cell); // once it runs, the cell is its own
  start(cell);
  open_started();
  node_.counters.restarts.fetch_add(1, std::memory_order_relaxed);
  event.healing_us = (node_.clock.monotonic_ns() - cell->crashed_at_ns) / 1'000;
  if (node_.on_supervision)
    node_.on_supervision(event);
}

void shard_actor::quarantine(const entity_cell_ptr& cell) {
  cell->quarantined = true;
  node_.counters.quarantined.fetch_add(1, std::memory_order_relaxed);
  report(event_kind::entity_quarantined, *cell);
  if (cell->counted_open) {
    cell->counted_open = false;
    node_.open.add(-1);
  }
  auto waiting = cell->box.drain();
  if (node_.given_up != nullptr)
    node_.given_up->keep(given_up_entity{
      cell->ref, cell->failure, cell->restarts.consecutive_crashes, cell->version, waiting.size()});
  while (const auto message = waiting.pop_front()) // after keep: nobody is told of what is not kept
    refuse(*message, message->deliveries > 0);
}

/// Answered `accepted` when the entity was quarantined, else `rejected`. It is rebuilt at once: a
/// step of a workflow that it had under way goes on.
void shard_actor::release(const envelope& request) {
  const auto cell = node_.router.inbox(state_->index).find(request.to);
  answer result{outcome::rejected};
  result.id = request.to.key;
  if (cell && cell->quarantined) {
    cell->quarantined = false;
    cell->restarts = {};
    cell->failed_at_ns = 0;
    cell->timer.reset(); // it may have fired meanwhile, for nobody
    result.result = outcome::accepted;
    if (node_.given_up != nullptr)
      node_.given_up->release(cell->ref);
    report(event_kind::entity_released, *cell);
    cell->failure.clear();
    node_.open.add(1);
    auto wake = std::make_unique<envelope>();
    wake->to = cell->ref;
    wake->token = node_.router.token();
    deliver(std::move(wake));
  }
  node_.journal.when_durable([client = request.client, result] { client->deliver(result); });
}

/// Answers for an entity that cannot. `may_have_happened`: the journal may tell of it later.
void shard_actor::refuse(const envelope& message, bool may_have_happened) {
  if (message.client) {
    answer result;
    result.id = message.to.key;
    if (may_have_happened) {
      result.detail = ends() ? "the engine stopped" : "the entity is quarantined";
    } else {
      result.result = outcome::rejected;
      result.why = rejection::quarantined;
    }
    node_.journal.when_durable([client = message.client, result] { client->deliver(result); });
  } else if (message.from && message.is_command() && !ends()) { // the next process sends it again
    envelope notice;
    notice.to = *message.from;
    notice.from = message.to;
    notice.at = message.at;
    notice.body = undeliverable{rejection::quarantined};
    node_.router.send(std::move(notice));
  } else if (std::holds_alternative<resume_step>(message.body) && !message.from) {
    node_.open.add(-1);
  }
}

void shard_actor::refuse_all(envelope_queue messages, bool may_have_happened) {
  while (const auto message = messages.pop_front())
    refuse(*message, may_have_happened);
}

// -- Memory and the end ---------------------------------------------------------------------------

void shard_actor::limit_live(std::size_t started) {
  const auto limit = std::max<std::size_t>(node_.policy.max_live / node_.router.shards(), 1);
  if (state_->live <= limit)
    return;
  auto& inbox = node_.router.inbox(state_->index);
  for (const auto first : {cell_table::leaving::used_once, cell_table::leaving::used_again}) {
    std::ptrdiff_t left = 0;
    for (const auto& cell : inbox.next_to_leave(std::max(passivations_at_once, started), first))
      left += passivate(cell) ? 1 : 0;
    if (left > 0)
      return;
  }
}

/// E5. @returns whether it has left memory.
bool shard_actor::passivate(const entity_cell_ptr& cell) {
  if (!cell->box.claim())
    return false;
  auto& inbox = node_.router.inbox(state_->index);
  if (!cell->own || !cell->own->can_leave(node_.journal.durable())) {
    if (!cell->box.unclaim())
      inbox.run(cell);
    return false;
  }
  node_.counters.passivations.fetch_add(1, std::memory_order_relaxed);
  if (cell->own->last_position != 0)
    node_.journal.rest(cell->ref, cell->own->image.at_rest(), cell->own->place);
  close(cell);
  if (cell->box.unclaim())
    inbox.forget(*cell);
  else
    start(cell); // a message came meanwhile
  return true;
}

void shard_actor::begin_stop(const caf::error& reason) {
  if (ending_)
    return;
  ending_ = true;
  end_reason_ = reason;
  auto& inbox = node_.router.inbox(state_->index);
  inbox.detach();
  inbox.close_all();
  state_->opening.clear();
  distribute(); // what has come is answered: it did not happen
  for (const auto& [id, shell] : state_->shells)
    caf::anon_send<caf::message_priority::high>(shell->handle,
                                                caf::exit_msg{address(), caf::exit_reason::kill});
  if (state_->shells.empty())
    end();
}

/// Of a node that ends, or whose journal has failed: none of its entities runs any more.
void shard_actor::end() {
  node_.router.inbox(state_->index).close_all();
  state_->opening.clear();
  for (const auto& cell : node_.router.inbox(state_->index).all())
    if (cell->alive) {
      close(cell);
      refuse_all(cell->box.drain(), true);
    }
  if (ending_)
    quit(end_reason_);
}

void shard_actor::report(event_kind kind, const entity_cell& cell) {
  if (node_.on_supervision)
    node_.on_supervision(event_of(kind, cell));
}

supervisors::supervision_event shard_actor::event_of(event_kind kind,
                                                     const entity_cell& cell) const {
  supervisors::supervision_event event;
  event.kind = kind;
  event.path = "root/shards/shard-" + std::to_string(state_->index) + "/" + to_string(cell.ref);
  if (kind != event_kind::child_restarted)
    event.cause = cell.failure;
  event.restarts = cell.restarts.consecutive_crashes;
  return event;
}

} // namespace purser
