#include "tests/actors/simulated_node.hpp"

#include "actors/codec.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

namespace purser::tests {

namespace {

/// So often the provider is asked about one operation before it counts as stuck: more than it takes
/// to alarm, to believe "never seen", and to hear of a late success.
constexpr int questions_until_stuck = 16;

constexpr std::int64_t question_ms = 10'000;

/// What a command came to is an event, so that a repeat is answered the same.
void note(reaction& made, const envelope& message) {
  const bool refused = made.refused != rejection::none;
  if (made.events.empty() || refused) {
    event_record note;
    codec::encode(note.payload, command_noted{made.refused});
    made.events.push_back(note);
  }
  auto& first = refused ? made.events.back() : made.events.front();
  first.cause = message.key;
  first.fingerprint = message.fingerprint;
}

std::uint64_t fingerprint_of(const command_body& body) {
  std::string bytes{op_of(body)};
  std::visit([&](const auto& alternative) { codec::encode(bytes, alternative); }, body);
  return std::max<std::uint64_t>(std::hash<std::string>{}(bytes), 1);
}

} // namespace

// -- The provider ---------------------------------------------------------------------------------

payment_answer_kind moody_provider::outcome_of(const payment_call& call) {
  using kind = payment_answer_kind;
  switch (call.kind) {
  case operation_kind::authorize:
    return call.token == "tok_decline" ? kind::refused : kind::succeeded;
  case operation_kind::capture:
    if (call.token == "tok_no_capture")
      return kind::refused;
    if (call.token == "tok_expires" && renewed_.insert(call.order_id).second) {
      moved_[{call.order_id, operation_kind::void_authorization}] +=
        open_authorization(call.order_id);
      return kind::expired;
    }
    return kind::succeeded;
  case operation_kind::void_authorization:
    return open_authorization(call.order_id) == 0 ? kind::expired : kind::succeeded;
  case operation_kind::refund: return kind::succeeded;
  case operation_kind::sale: throw std::logic_error("this provider takes no sales");
  }
  return kind::succeeded;
}

moody_provider::record& moody_provider::carry_out(const payment_call& call) {
  const auto known = records_.find(call.idempotency_key);
  if (known != records_.end())
    return known->second;
  const auto outcome = outcome_of(call);
  if (outcome == payment_answer_kind::succeeded)
    moved_[{call.order_id, call.kind}] += call.amount;
  return records_[call.idempotency_key] = {outcome};
}

std::vector<payment_answer> moody_provider::submit(const payment_call& call, bool unsure) {
  using kind = payment_answer_kind;
  const auto token = call.kind == operation_kind::authorize ? call.token : std::string{};
  const bool known = records_.contains(call.idempotency_key);
  if (!known && call.abandon)
    records_[call.idempotency_key] = {kind::refused};
  else if (!known && call.ask_only && !waiting_.contains(call.idempotency_key))
    return {{kind::never_seen, {}, {}}};
  else if (!known && token == "tok_timeout")
    return {};
  else if (!known && token == "tok_action" && !acted_) {
    waiting_.insert(call.idempotency_key);
    return {{kind::action_required, "confirm it", {}}};
  }
  auto& found = carry_out(call);
  const payment_answer definite{found.outcome, "because", "ref"};
  if (token == "tok_timeout_after" && !call.ask_only)
    return {};
  if (token == "tok_unknown" && !confessed_ && found.outcome == kind::succeeded)
    return {{kind::unknown, "who knows", {}}};
  if (token == "tok_late" && found.outcome == kind::succeeded && ++found.questions < 3)
    return {};
  if (unsure)
    return {{kind::unknown, "who knows", {}}};
  if (token == "tok_twice")
    return {definite, definite};
  return {definite};
}

minor_units moody_provider::open_authorization(const std::string& order_id) const {
  return moved(order_id, operation_kind::authorize) - moved(order_id, operation_kind::capture) -
         moved(order_id, operation_kind::void_authorization);
}

minor_units moody_provider::moved(const std::string& order_id, operation_kind kind) const {
  const auto found = moved_.find({order_id, kind});
  return found == moved_.end() ? 0 : found->second;
}

bool may_become_definite(const command_body& body) {
  return std::holds_alternative<ship_order>(body) || std::holds_alternative<grant_refund>(body);
}

// -- The node -------------------------------------------------------------------------------------

simulated_node::simulated_node(std::uint32_t seed, bool unsure, shop_policy policy)
    : random_(seed), unsure_(unsure), policy_(policy) {}

entity_image& simulated_node::image(const entity_ref& ref) {
  return entities_.try_emplace(ref, entity_image{ref, policy_}).first->second;
}

std::size_t simulated_node::submit(entity_ref to, const std::string& key, command_body body) {
  const auto fingerprint = fingerprint_of(body);
  const auto [at, fresh] = numbers_.emplace(command_id{to, key, fingerprint}, commands_.size());
  if (fresh)
    commands_.push_back({{.to = std::move(to),
                          .key = key,
                          .fingerprint = fingerprint,
                          .at = now_ms_,
                          .body = std::move(body)},
                         std::nullopt});
  send(commands_[at->second].message);
  return at->second;
}

void simulated_node::step() {
  monotonic_ms_ += 100;
  switch (random_() % 32) {
  case 0: return crash_process();
  case 1: return crash_entity();
  case 2:
  case 3:
  case 4: return sync();
  case 5:
  case 6: return ask_provider(true);
  case 7:
  case 8:
  case 9: return ask_provider(unsure_);
  default: return deliver_one();
  }
}

void simulated_node::run_until_quiet() {
  std::map<std::string, int> questions; // by key
  for (int steps = 0;; ++steps) {
    REQUIRE(steps < 1'000'000);
    sync();
    if (!in_flight_.empty()) {
      deliver_one();
      continue;
    }
    if (line_ == provider_line::down)
      return;
    const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const auto& waiting) {
      return questions[waiting.call.call.idempotency_key] < questions_until_stuck;
    });
    if (call == calls_.end())
      return;
    ++questions[call->call.call.idempotency_key];
    monotonic_ms_ += question_ms; // "never seen" is believed some time
    ask_provider(call, false);
  }
}

bool simulated_node::fire_one(unix_millis at) {
  const entity_ref* next = nullptr;
  auto earliest = at;
  for (const auto& [ref, entity] : entities_)
    if (const auto due = entity.due();
        due && *due <= earliest && (next == nullptr || *due < earliest)) {
      next = &ref;
      earliest = *due;
    }
  if (next == nullptr)
    return false;
  now_ms_ = std::max(now_ms_, earliest);
  send({.to = *next, .at = now_ms_, .body = timer_due{}});
  return true;
}

void simulated_node::advance_to(unix_millis at) {
  run_until_quiet();
  while (fire_one(at))
    run_until_quiet();
  now_ms_ = std::max(now_ms_, at);
}

void simulated_node::jump_by(std::int64_t ms) {
  now_ms_ += ms;
  for (const auto& [ref, entity] : entities_)
    if (const auto due = entity.due(); due && *due <= now_ms_)
      send({.to = ref, .at = now_ms_, .body = timer_due{}});
}

void simulated_node::repeat_commands() {
  for (const auto& command : commands_)
    send(command.message);
}

bool simulated_node::overtake(const std::function<bool(const envelope&)>& like) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(), like);
  if (found == in_flight_.end())
    return false;
  const auto message = std::move(*found);
  in_flight_.erase(found);
  ++handled_;
  handle(message);
  sync();
  return true;
}

/// The oldest message of any pair of a sender and a receiver: more order the router does not give.
void simulated_node::deliver_one() {
  if (in_flight_.empty())
    return;
  const auto& picked = in_flight_[any_of(in_flight_.size())];
  const auto first = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& other) {
    return other.to == picked.to && other.from == picked.from;
  });
  const auto message = std::move(*first);
  in_flight_.erase(first);
  ++handled_;
  handle(message);
}

decide_context simulated_node::context_of(const envelope& message) {
  decide_context context;
  context.self = message.to;
  context.from = message.from.value_or(entity_ref{});
  context.now = message.at != 0 ? message.at : now_ms_;
  context.monotonic_ms = monotonic_ms_;
  context.attempt = attempts_ += 4'096;
  return context;
}

void simulated_node::handle(const envelope& message) {
  auto& target = image(message.to);
  const auto context = context_of(message);
  if (message.from || std::holds_alternative<provider_reply>(message.body) ||
      std::holds_alternative<timer_due>(message.body)) {
    if (const auto found = message.key.empty() ? std::nullopt : known(target, message.key)) {
      carry_out(target.ref(), target.state().answer_again(message.body, found->outcome, context));
    } else {
      auto made = target.state().handle(message.body, context);
      if (!message.key.empty())
        note(made, message);
      append(target, made.events);
      carry_out(target.ref(), std::move(made.effects));
    }
  } else {
    handle_command(target, message);
  }
  settle(message.to);
}

void simulated_node::handle_command(entity_image& target, const envelope& message) {
  auto why = rejection::none;
  if (const auto found = known(target, message.key)) {
    why = found->fingerprint == message.fingerprint ? found->outcome : rejection::id_reused;
  } else {
    const auto context = context_of(message);
    if (const auto due = target.due(); due && *due <= context.now) {
      auto fired = target.state().handle(timer_due{}, context);
      append(target, fired.events);
      carry_out(target.ref(), std::move(fired.effects));
    }
    auto made = target.state().handle(message.body, context);
    why = made.refused;
    note(made, message);
    append(target, made.events);
    carry_out(target.ref(), std::move(made.effects));
  }
  if (why == rejection::none && target.has_open_step())
    awaiting_[message.to].push_back(message);
  else
    answer(message, why != rejection::none
                      ? why
                      : target.state().final_verdict(std::get<command_body>(message.body)));
}

/// What the entity remembers of a command, or else the journal.
std::optional<command_log::entry> simulated_node::known(const entity_image& target,
                                                        const std::string& key) const {
  if (const auto* found = target.commands().find(key))
    return *found;
  if (target.commands().has_forgotten())
    for (const auto& event : journal_)
      if (event.event.cause == key && event.event.fingerprint != 0 && event.stream == target.ref())
        return command_log::entry{key, event.event.fingerprint, recorded_rejection(event.event)};
  return std::nullopt;
}

void simulated_node::answer(const envelope& message, rejection why) {
  answers_.push_back(
    {numbers_.at({message.to, message.key, message.fingerprint}), why, journal_.size()});
}

/// What leaves the node waits for the disk.
void simulated_node::sync() {
  durable_ = journal_.size();
  for (const auto& held : std::exchange(answers_, {})) {
    auto& answered = commands_[held.command].answer;
    const bool was_unknown =
      answered == rejection::payment_unknown &&
      may_become_definite(std::get<command_body>(commands_[held.command].message.body));
    if (answered && *answered != held.why && !was_unknown)
      throw broken_invariant("I1: a repeat of " + commands_[held.command].message.key + " to " +
                             to_string(commands_[held.command].message.to) + " is answered " +
                             std::string{to_string(held.why)} + ", and was answered " +
                             std::string{to_string(*answered)});
    answered = held.why;
  }
}

void simulated_node::settle(const entity_ref& ref) {
  const auto found = awaiting_.find(ref);
  if (found == awaiting_.end() || image(ref).has_open_step())
    return;
  const auto messages = std::move(found->second);
  awaiting_.erase(found);
  for (const auto& message : messages)
    answer(message, image(ref).state().final_verdict(std::get<command_body>(message.body)));
}

void simulated_node::append(entity_image& target, const std::vector<event_record>& events) {
  auto version = target.version();
  for (const auto& event : events) {
    journal_.push_back({journal_.size() + 1, target.ref(), ++version, event});
    journal_.back().event.at = now_ms_;
    happened_.emplace(event_name(target.ref().kind, event.type));
  }
  target.appended(events);
  appends_.push_back(journal_.size());
}

void simulated_node::carry_out(const entity_ref& from, std::vector<effect> effects) {
  for (auto& wanted : effects) {
    if (auto* call = std::get_if<call_provider>(&wanted)) {
      if (call->withdraw)
        std::erase_if(calls_, [&](const waiting_call& other) {
          return !other.call.call.ask_only &&
                 other.call.call.idempotency_key == call->call.idempotency_key;
        });
      else
        calls_.push_back({from, std::move(*call), journal_.size()});
    } else if (std::holds_alternative<raise_alarm>(wanted)) {
      ++alarms_;
    } else {
      auto& message = std::get<send_message>(wanted);
      send({.to = std::move(message.to),
            .from = from,
            .key = std::move(message.key),
            .fingerprint = 1,
            .at = now_ms_,
            .body = std::move(message.body)});
    }
  }
}

void simulated_node::ask_provider(bool unsure) {
  if (calls_.empty() || line_ == provider_line::down)
    return;
  const auto picked = calls_.begin() + static_cast<std::ptrdiff_t>(any_of(calls_.size()));
  if (picked->after <= durable_)
    ask_provider(picked, unsure);
}

void simulated_node::ask_provider(std::vector<waiting_call>::iterator picked, bool unsure) {
  const auto waiting = std::move(*picked);
  calls_.erase(picked);
  auto answers = provider_.submit(waiting.call.call, unsure || line_ == provider_line::noisy);
  if (answers.empty())
    answers.push_back({payment_answer_kind::unknown, "no answer in time", {}});
  for (auto& said : answers)
    send({.to = waiting.payment,
          .at = now_ms_,
          .body = provider_reply{waiting.call.operation_id, waiting.call.call.ask_only,
                                 waiting.call.call.abandon, std::move(said)}});
}

// -- Crashes --------------------------------------------------------------------------------------

/// Its memory goes; its mailbox stays.
void simulated_node::crash_entity() {
  if (entities_.empty())
    return;
  auto crashed = entities_.begin();
  std::advance(crashed, static_cast<std::ptrdiff_t>(any_of(entities_.size())));
  const auto ref = crashed->first;
  entities_.erase(crashed);
  rebuild(ref);
}

/// Everything goes but what is durable, and some of what is not yet.
void simulated_node::crash_process() {
  std::erase_if(appends_, [this](std::size_t end) { return end <= durable_; });
  if (const auto kept = any_of(appends_.size() + 1); kept > 0) // an append is kept whole
    durable_ = appends_[kept - 1];
  journal_.resize(durable_);
  appends_.clear();
  in_flight_.clear();
  calls_.clear();
  entities_.clear();
  awaiting_.clear();
  answers_.clear();
  for (const auto& event : journal_)
    image(event.stream).evolve(event);
  std::vector<entity_ref> streams;
  for (const auto& [ref, entity] : entities_)
    streams.push_back(ref);
  for (const auto& ref : streams)
    resume(ref);
  for (const auto& command : commands_)
    if (!command.answer)
      send(command.message);
}

void simulated_node::rebuild(const entity_ref& ref) {
  auto& target = image(ref);
  for (const auto& event : journal_)
    if (event.stream == ref)
      target.evolve(event);
  resume(ref);
}

void simulated_node::resume(const entity_ref& ref) {
  auto& target = image(ref);
  if (!target.must_resume())
    return;
  const envelope resume{.to = ref};
  auto made = target.state().handle(resume.body, context_of(resume));
  append(target, made.events);
  carry_out(ref, std::move(made.effects));
}

} // namespace purser::tests
