#include "actors/entity_actor.hpp"

#include "actors/codec.hpp"
#include "actors/wake.hpp"

#include <algorithm>
#include <exception>
#include <mutex>

namespace purser {

/// Taken up by whichever shell the entity runs in then.
struct journal_reply {
  std::mutex mutex;
  bool ready = false;
  bool wanted = false; ///< the entity has let go of its shell, and wants one when it is ready
  stored_stream stream;
  std::optional<command_outcome> found;
  std::string error;
};

namespace {

/// The reason that the supervisor sees; the text is in the cell.
caf::error crash_reason() {
  return caf::make_error(caf::sec::runtime_error);
}

event_record note_of(rejection outcome) {
  event_record record;
  record.type = command_noted::type;
  record.schema = command_noted::schema;
  codec::encode(record.payload, command_noted{outcome});
  return record;
}

/// Internal commands with a key mean one thing: the key says it all.
constexpr std::uint64_t key_only_fingerprint = 1;

/// Publishes what `fill` writes, and finds the entity a shell if it waits for one.
template <class Fill>
void publish(journal_reply& reply, const entity_cell_ptr& cell, shard_inbox& shard, Fill fill) {
  {
    const std::lock_guard lock{reply.mutex};
    fill(reply);
    reply.ready = true;
    if (!reply.wanted)
      return;
  }
  shard.run(cell);
}

} // namespace

entity_actor::entity_actor(caf::actor_config& config, node_context& node, entity_shell_ptr shell)
    : caf::event_based_actor(config), node_(node), shell_(std::move(shell)) {}

void entity_actor::on_exit() {
  cell_.reset();
  shell_.reset(); // it knows this actor
}

caf::behavior entity_actor::make_behavior() {
  set_default_handler(caf::drop);
  set_exception_handler([this](std::exception_ptr& thrown) -> caf::error {
    if (!cell_)
      return crash_reason();
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      cell_->failure = error.what();
    } catch (...) {
      cell_->failure = "an exception that is no std::exception";
    }
    cell_->failed_at_ns = node_.clock.monotonic_ns();
    return crash_reason();
  });
  return {[this](wake_atom) { serve(); }};
}

void entity_actor::serve() {
  auto& shard = node_.router.inbox(shell_->shard);
  share_ = node_.policy.batch;
  for (cell_ = shard.served_by(*shell_); cell_; cell_ = shard.next_for(shell_)) {
    if (share_ != 0 && serve_one() == turn::over)
      continue;
    cell_ = nullptr;
    shard.others_first(shell_);
    return wake(caf::actor_cast<caf::actor>(this));
  }
}

entity_actor::turn entity_actor::serve_one() {
  const auto served = cell_; // until the scope ends
  const work_board::scope working{node_.at_work, work_kind::entity, served->ref};
  const bool begins = !cell_->own;
  if (begins)
    cell_->own = std::make_unique<incarnation>(cell_->ref, node_.policy.shop, ++node_.incarnations);
  own_ = cell_->own.get();
  if (begins && std::exchange(cell_->first_ever, false))
    cell_->recovering = false;
  else if (begins && !load())
    return turn::over;
  if (cell_->recovering)
    recovered();
  return drain();
}

// -- Recovering -----------------------------------------------------------------------------------

/// @returns whether the reply is there. If not, the entity is no longer ours: it may run elsewhere
/// already.
bool entity_actor::ask(const std::shared_ptr<journal_reply>& reply) const {
  const std::lock_guard lock{reply->mutex};
  reply->wanted = !reply->ready;
  return reply->ready;
}

bool entity_actor::load() {
  const auto reply = std::make_shared<journal_reply>();
  own_->reply = reply;
  node_.journal.load(cell_->ref, [reply, cell = cell_, &shard = node_.router.inbox(shell_->shard)](
                                   stored_stream stream, std::string error) {
    publish(*reply, cell, shard, [&](journal_reply& to) {
      to.stream = std::move(stream);
      to.error = std::move(error);
    });
  });
  return ask(reply);
}

void entity_actor::recovered() {
  if (!own_->reply->error.empty())
    throw journal_corrupt(own_->reply->error);
  if (!own_->reply->stream.tail.empty()) {
    own_->last_position = own_->reply->stream.tail.back().at_position;
    cell_->version = own_->reply->stream.tail.back().version;
  }
  own_->image.rebuild(own_->reply->stream);
  cell_->version = own_->image.version();
  own_->was_absent = cell_->version == 0;
  own_->reply.reset();
  cell_->recovering = false;
  if (own_->image.must_resume()) {
    envelope resume;
    const auto context = context_of(resume);
    auto made = own_->image.state().handle(resume.body, context);
    append(std::move(made.events), context);
    send_out(std::move(made.effects), context.now);
  }
  count_open_step();
  set_timer();
}

// -- Running --------------------------------------------------------------------------------------

entity_actor::turn entity_actor::drain() {
  for (; share_ != 0; --share_) {
    auto* message = cell_->box.take();
    if (message == nullptr)
      return turn::over;
    if (node_.at_work != nullptr)
      node_.at_work->next_message();
    if (!handle(*message))
      return turn::over;
  }
  return turn::unfinished;
}

/// @returns false when it waits for the index: the entity is no longer ours, the message is in its
/// hand.
bool entity_actor::handle(envelope& message) {
  if (!own_->asked_index)
    ++message.deliveries;
  if (message.query) {
    message.dead_letter ? give_up(message) : answer_query(message);
    return true;
  }
  if (std::holds_alternative<resume_step>(message.body)) {
    node_.open.add(-1); // the engine woke us at its start, and counted it
    cell_->box.done();
    settle();
    return true;
  }
  const auto known = is_repeat(message);
  if (!known)
    return false;
  if (*known && message.dead_letter)
    keep_letter(message, true); // for people; it took effect before it crashed, and is answered so
  if (*known)
    repeat(message);
  else if (message.dead_letter)
    give_up(message);
  else
    carry_out(message);
  return true;
}

void entity_actor::answer_query(const envelope& message) {
  answer result{outcome::accepted};
  result.id = cell_->ref.key;
  result.view = own_->image.view(context_of(message).now);
  node_.journal.when_durable(
    [client = message.client, result = std::move(result)] { client->deliver(result); });
  cell_->box.done();
}

/// Nothing when the index has to be waited for.
std::optional<bool> entity_actor::is_repeat(envelope& message) {
  if (message.key.empty())
    return false;
  bool known = own_->image.commands().find(message.key) != nullptr;
  if (!known && own_->image.commands().has_forgotten()) {
    if (!std::exchange(own_->asked_index, true)) {
      const auto reply = std::make_shared<journal_reply>();
      own_->reply = reply;
      node_.journal.find_command(cell_->ref, message.key,
                                 [reply, cell = cell_, &shard = node_.router.inbox(shell_->shard)](
                                   std::optional<command_outcome> found, std::string error) {
                                   publish(*reply, cell, shard, [&](journal_reply& to) {
                                     to.found = found;
                                     to.error = std::move(error);
                                   });
                                 });
      if (!ask(reply))
        return std::nullopt;
    }
    if (!own_->reply->error.empty())
      throw journal_corrupt(own_->reply->error);
    known = own_->reply->found.has_value();
  }
  own_->asked_index = false;
  if (!message.duplicate)
    message.duplicate = known;
  return known;
}

void entity_actor::repeat(envelope& message) {
  std::uint64_t fingerprint = 0;
  auto why = rejection::none;
  if (const auto* entry = own_->image.commands().find(message.key)) {
    fingerprint = entry->fingerprint;
    why = entry->outcome;
  } else {
    fingerprint = own_->reply->found->fingerprint;
    why = static_cast<rejection>(own_->reply->found->rejection);
  }
  bool completed = true;
  if (message.from) {
    send_out(own_->image.state().answer_again(message.body, why, context_of(message)),
             context_of(message).now);
    answer_client(message, why); // who had it sent again
    cell_->box.done();
  } else if (fingerprint != message.fingerprint) {
    message.duplicate = false;
    answer_client(message, rejection::id_reused); // no effect, and no trace: the id is taken (I2)
    cell_->box.done();
  } else {
    completed = finish(message, why);
  }
  if (completed)
    supervisors::on_completed(cell_->restarts);
  settle();
}

void entity_actor::carry_out(envelope& message) {
  crash_at_.reset();
  if (node_.inject_crash)
    crash_at_ = node_.inject_crash(message);
  message.poisoned = message.poisoned || crash_at_ == crash_point::every_delivery;
  if (message.poisoned)
    crash_at_ = crash_point::before_decide;
  crash_if_told(crash_point::before_decide, message);
  fire_timer_if_due(message);
  const auto context = context_of(message);
  if (std::holds_alternative<timer_due>(message.body))
    cell_->timer.reset(); // it was taken off the board when it fired
  auto made = own_->image.state().handle(message.body, context);
  if (!message.key.empty()) {
    if (made.refused != rejection::none || made.events.empty())
      made.events.push_back(note_of(made.refused));
    auto& first = made.refused != rejection::none ? made.events.back() : made.events.front();
    first.cause = message.key;
    first.fingerprint = message.fingerprint;
  }
  crash_if_told(crash_point::before_append, message);
  append(std::move(made.events), context);
  crash_if_told(crash_point::after_append, message);
  send_out(std::move(made.effects), context.now);
  crash_if_told(crash_point::after_effects, message);
  finish(message, made.refused);
  supervisors::on_completed(cell_->restarts);
  settle();
}

/// The letter and the note of its outcome are one: a command that is only in a letter would be
/// carried out when it is sent again, and once more when the letter is redriven (B3).
void entity_actor::give_up(envelope& message) {
  const journal::together as_one{node_.journal};
  const auto context = context_of(message);
  keep_letter(message, false);
  if (message.from && message.is_command())
    send_out({send_message{*message.from, undeliverable{rejection::dead_lettered}, {}}},
             context.now);
  if (message.client) {
    if (message.is_client_command() && !message.key.empty()) {
      auto note = note_of(rejection::dead_lettered);
      note.cause = message.key;
      note.fingerprint = message.fingerprint;
      append({std::move(note)}, context);
    }
    answer_client(message, rejection::dead_lettered);
  }
  const bool was_reply = !message.is_command() && !message.query;
  auto unheard = context;
  if (!std::holds_alternative<undeliverable>(message.body))
    unheard.from = {}; // whoever sent it has done what it tells of
  cell_->box.done();
  if (was_reply) { // the step that waited for it cannot go on by itself
    auto made = own_->image.state().handle(undeliverable{rejection::dead_lettered}, unheard);
    append(std::move(made.events), context);
    send_out(std::move(made.effects), context.now);
  }
  settle();
}

/// A query and a wake-up leave nothing behind that could be done again.
void entity_actor::keep_letter(const envelope& message, bool took_effect) {
  if (node_.given_up == nullptr || message.query ||
      std::holds_alternative<resume_step>(message.body))
    return;
  given_up_message letter;
  letter.to = cell_->ref;
  letter.from = message.from;
  letter.from_client = message.is_client_command();
  letter.key = message.key;
  letter.fingerprint = message.fingerprint;
  letter.at = context_of(message).now;
  letter.body = message.body;
  letter.cause = cell_->failure;
  letter.attempts = static_cast<std::uint32_t>(std::max(message.deliveries - 1, 0));
  letter.version = own_->image.version();
  letter.took_effect = took_effect;
  node_.given_up->keep(letter);
}

// -- The steps ------------------------------------------------------------------------------------

void entity_actor::append(std::vector<event_record> events, const decide_context& context) {
  if (events.empty())
    return;
  for (auto& event : events)
    event.at = context.now;
  own_->last_position =
    node_.journal.append(cell_->ref, own_->image.version(), events, own_->place);
  own_->image.appended(events);
  cell_->version = own_->image.version();
}

void entity_actor::send_out(std::vector<effect> effects, unix_millis at) {
  for (auto& wanted : effects) {
    if (auto* send = std::get_if<send_message>(&wanted)) {
      auto message = std::make_unique<envelope>();
      message->to = std::move(send->to);
      message->from = cell_->ref;
      message->at = at;
      if (!send->key.empty())
        message->fingerprint = key_only_fingerprint;
      message->key = std::move(send->key);
      message->body = std::move(send->body);
      message->first_ever = is_first_to_its_payment(message->to);
      node_.router.send(std::move(message));
    } else if (auto* alarm = std::get_if<raise_alarm>(&wanted)) {
      if (node_.on_alarm)
        node_.journal.when_durable(
          [&node = node_, text = std::move(alarm->text)] { node.on_alarm(text); });
    } else {
      node_.journal.when_durable(
        [&node = node_, self = cell_->ref, at, call = std::get<call_provider>(std::move(wanted)),
         token = node_.router.token()] { node.call_provider_for(self, call, at); });
    }
  }
}

/// Nobody but an order speaks to its payment. One that was placed in this incarnation has never
/// done so before.
bool entity_actor::is_first_to_its_payment(const entity_ref& to) {
  return to.kind == entity_kind::payment && own_->was_absent &&
         cell_->ref.kind == entity_kind::order && to.key == cell_->ref.key &&
         !std::exchange(own_->told_payment, true);
}

bool entity_actor::finish(envelope& message, rejection refused) {
  if (!message.client) {
    cell_->box.done();
    return true;
  }
  const bool workflow = message.is_client_command(); // else: an entity's message, sent again
  if (refused == rejection::none && workflow && own_->image.has_open_step()) {
    cell_->box.await_settlement();
    return false;
  }
  if (refused == rejection::none && workflow)
    refused = own_->image.state().final_verdict(std::get<command_body>(message.body));
  answer_client(message, refused);
  cell_->box.done();
  return true;
}

void entity_actor::settle() {
  count_open_step();
  set_timer();
  node_.counters.messages.fetch_add(1, std::memory_order_relaxed);
  if (cell_->failed_at_ns != 0)
    report_healed();
  if (!cell_->box.has_awaiting() || own_->image.has_open_step())
    return;
  auto awaiting = cell_->box.take_awaiting();
  while (const auto message = awaiting.pop_front())
    answer_client(*message,
                  own_->image.state().final_verdict(std::get<command_body>(message->body)));
}

void entity_actor::report_healed() {
  const auto healing_us = (node_.clock.monotonic_ns() - cell_->failed_at_ns) / 1'000;
  cell_->failed_at_ns = 0;
  node_.healing.note(healing_us);
}

void entity_actor::count_open_step() {
  const bool open = own_->image.has_open_step();
  if (open == cell_->counted_open)
    return;
  cell_->counted_open = open;
  node_.open.add(open ? 1 : -1);
}

/// What is due comes before a command that is later (contract.md, section 5).
void entity_actor::fire_timer_if_due(const envelope& before) {
  if (!before.client)
    return;
  const auto due = own_->image.due();
  if (!due)
    return;
  const auto context = context_of(before);
  if (*due > context.now)
    return;
  auto made = own_->image.state().handle(timer_due{}, context);
  append(std::move(made.events), context);
  send_out(std::move(made.effects), context.now);
}

void entity_actor::set_timer() {
  const auto due = own_->image.due();
  if (due == cell_->timer || !node_.set_timer)
    return;
  cell_->timer = due;
  node_.set_timer(cell_->ref, due);
}

void entity_actor::answer_client(const envelope& message, rejection why) {
  if (!message.client)
    return;
  answer result{why == rejection::none ? outcome::accepted : outcome::rejected, why,
                message.duplicate.value_or(false), cell_->ref.key};
  node_.journal.when_durable(
    [client = message.client, result = std::move(result)] { client->deliver(result); });
}

void entity_actor::crash_if_told(crash_point point, const envelope& message) const {
  if (crash_at_ == point)
    throw injected_crash("told to crash while handling " + std::string{name_of(message.body)});
}

decide_context entity_actor::context_of(const envelope& message) {
  decide_context context;
  context.self = cell_->ref;
  if (message.from)
    context.from = *message.from;
  context.now = message.at != 0 ? message.at : node_.clock.now();
  if (cell_->ref.kind == entity_kind::payment) // the others measure no waits
    context.monotonic_ms = node_.clock.waiting_ms();
  context.attempt = own_->next_attempt();
  return context;
}

} // namespace purser
