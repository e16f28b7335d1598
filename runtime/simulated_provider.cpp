#include "runtime/simulated_provider.hpp"

#include "runtime/json/provider_list.hpp"

#include <boost/describe/enum_from_string.hpp>
#include <xxhash.h>

#include <algorithm>
#include <stdexcept>

namespace purser {

namespace {

payment_answer answer_of(payment_answer_kind kind, const payment_call& call) {
  switch (kind) {
  case payment_answer_kind::succeeded: return {kind, {}, "sim-" + call.idempotency_key};
  case payment_answer_kind::refused: return {kind, "declined", {}};
  case payment_answer_kind::unknown: return {kind, "the provider does not know", {}};
  case payment_answer_kind::never_seen: return {kind, "no such key", {}};
  case payment_answer_kind::action_required: return {kind, "the customer has to confirm", {}};
  case payment_answer_kind::expired: return {kind, "the authorization has run out", {}};
  }
  return {};
}

/// "tok_late" -> late.
std::optional<provider_mood> mood_of_token(const std::string& token) {
  provider_mood mood{};
  constexpr std::string_view prefix = "tok_";
  if (token.starts_with(prefix) &&
      boost::describe::enum_from_string(token.substr(prefix.size()).c_str(), mood))
    return mood;
  return std::nullopt;
}

} // namespace

simulated_provider::simulated_provider(provider_options options) : options_(std::move(options)) {
  if (!options_.list)
    return;
  load_list();
  list_.open(*options_.list, std::ios::app);
  if (!list_)
    throw std::runtime_error(options_.list->string() + " cannot be written");
}

void simulated_provider::load_list() {
  for (const auto& entry : read_provider_list(*options_.list))
    records_[entry.key] = {entry.status == provider_status::succeeded
                             ? payment_answer_kind::succeeded
                             : payment_answer_kind::refused};
}

void simulated_provider::use_time(std::function<std::int64_t()> now_ms,
                                  std::function<void(std::int64_t, std::function<void()>)> later) {
  const std::lock_guard lock{mutex_};
  now_ms_ = std::move(now_ms);
  later_ = std::move(later);
}

void simulated_provider::add_rule(provider_rule rule) {
  const std::lock_guard lock{mutex_};
  rules_.push_back(std::move(rule));
}

void simulated_provider::act(const std::string& order_id) {
  const std::lock_guard lock{mutex_};
  acted_.insert(order_id);
}

void simulated_provider::confess() {
  const std::lock_guard lock{mutex_};
  confessed_ = true;
}

provider_mood simulated_provider::by_chance(const payment_call& call) const {
  constexpr std::uint64_t thousand = 1'000;
  const auto& key = call.idempotency_key;
  auto dice = XXH3_64bits_withSeed(key.data(), key.size(), options_.seed) % thousand;
  const auto falls = [&dice](std::uint32_t permille) {
    if (dice < permille)
      return true;
    dice -= permille;
    return false;
  };
  if (falls(begins_payment(call.kind) ? options_.decline_permille : 0))
    return provider_mood::decline;
  if (falls(options_.timeout_permille))
    return provider_mood::timeout;
  if (falls(options_.timeout_after_permille))
    return provider_mood::timeout_after;
  if (falls(options_.late_permille))
    return provider_mood::late;
  return falls(options_.twice_permille) ? provider_mood::twice : provider_mood::approve;
}

/// A token says so, of every repeat too.
bool simulated_provider::is_hopeless(const payment_call& call) {
  return begins_payment(call.kind) && mood_of_token(call.token) == provider_mood::timeout;
}

/// With the lock. Rules come before tokens, tokens before chance.
provider_mood simulated_provider::mood_of(const payment_call& call) {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const provider_rule& each) {
    return (!each.kind || *each.kind == call.kind) &&
           (!each.order_id || *each.order_id == call.order_id);
  });
  if (rule != rules_.end()) {
    const auto mood = rule->mood;
    if (rule->times != 0 && --rule->times == 0)
      rules_.erase(rule);
    return mood;
  }
  if (begins_payment(call.kind))
    if (const auto mood = mood_of_token(call.token))
      return *mood;
  return by_chance(call);
}

payment_answer_kind simulated_provider::outcome_of(const payment_call& call, provider_mood mood) {
  if (mood == provider_mood::decline)
    return payment_answer_kind::refused;
  const bool can_expire =
    call.kind == operation_kind::capture || call.kind == operation_kind::void_authorization;
  return mood == provider_mood::expire && can_expire ? payment_answer_kind::expired
                                                     : payment_answer_kind::succeeded;
}

/// With the lock.
void simulated_provider::remember(const payment_call& call, const record& made) {
  if (made.mood != provider_mood::approve || options_.list)
    records_[call.idempotency_key] = made;
  if (!options_.list || made.outcome == payment_answer_kind::expired)
    return;
  list_ << to_line({call.idempotency_key, call.order_id, call.kind, call.amount, call.currency,
                    made.outcome == payment_answer_kind::succeeded ? provider_status::succeeded
                                                                   : provider_status::refused})
        << '\n'
        << std::flush; // what the provider has done outlives our process
}

/// With the lock. Of a key that nothing is known of.
simulated_provider::contact simulated_provider::meet(const payment_call& call, std::int64_t now) {
  using kind = payment_answer_kind;
  const bool waits = mood_of_token(call.token) == provider_mood::action; // for the customer
  const bool only_listed = call.ask_only && options_.list && !waits;
  if (only_listed && !call.abandon)
    return {.said = kind::never_seen};
  const auto mood = only_listed ? provider_mood::decline : mood_of(call);
  if (mood == provider_mood::action && !acted_.contains(call.order_id) && !call.abandon)
    return {.said = kind::action_required};
  if (mood == provider_mood::timeout && !call.abandon) {
    if (call.ask_only)
      return {.said = kind::never_seen};
    if (timed_out_.insert(call.idempotency_key).second || is_hopeless(call))
      return {};                         // no effect, no answer
    records_[call.idempotency_key] = {}; // by chance or by rule: not for ever
  }
  const bool too_late =
    call.abandon && (mood == provider_mood::action || mood == provider_mood::timeout ||
                     mood == provider_mood::decline);
  const auto outcome = too_late ? kind::refused : outcome_of(call, mood);
  const record made{outcome, mood, mood == provider_mood::late ? now + options_.late_ms : 0, false};
  remember(call, made);
  const auto known = records_.find(call.idempotency_key);
  if (known == records_.end())
    return {.said = outcome}; // plain
  return {.owed = &known->second};
}

/// With the lock, which is let go of before anybody is called.
void simulated_provider::tell(const payment_call& call, record& owed, std::int64_t now,
                              std::unique_lock<std::mutex>& lock, answer_callback answer) {
  const bool first = !std::exchange(owed.asked, true);
  if (owed.mood == provider_mood::timeout_after && first && !call.ask_only)
    return;
  const bool hides = owed.mood == provider_mood::unknown && !confessed_;
  const bool early = owed.mood == provider_mood::late && owed.ready_at_ms > now;
  const bool waits = early && !call.ask_only && later_;
  const auto said =
    answer_of(hides || (early && !waits) ? payment_answer_kind::unknown : owed.outcome, call);
  const bool twice = owed.mood == provider_mood::twice;
  if (waits) {
    const auto wait = later_;
    const auto delay = owed.ready_at_ms - now;
    lock.unlock();
    return wait(delay, [answer = std::move(answer), said] { answer(said); });
  }
  lock.unlock();
  answer(said);
  if (twice)
    answer(said);
}

void simulated_provider::submit(const payment_call& call, answer_callback answer) {
  std::unique_lock lock{mutex_};
  const auto now = now_ms_ ? now_ms_() : 0;
  const auto known = records_.find(call.idempotency_key);
  const auto found = known == records_.end() ? meet(call, now) : contact{.owed = &known->second};
  if (found.owed != nullptr)
    return tell(call, *found.owed, now, lock, std::move(answer));
  lock.unlock();
  if (found.said)
    answer(answer_of(*found.said, call));
}

} // namespace purser
