#include "runtime/simulation/simulated_bank.hpp"

namespace purser::simulation {

namespace {

using kind = payment_answer_kind;

constexpr std::int64_t late_ms = 25'000; ///< longer than a deadline
constexpr int asks_until_the_customer_acts = 2;
constexpr int refusals_of_reversals = 2;

} // namespace

bool simulated_bank::strikes(fault what, std::size_t once_in) {
  if (healed_ || !faults_.contains(what) || !chance_.one_in(once_in))
    return false;
  hit_(what);
  return true;
}

simulated_bank::mood simulated_bank::mood_of(const payment_call& call) {
  if (strikes(fault::provider_silent, 12))
    return mood::silent;
  if (strikes(fault::provider_forgets, 10))
    return mood::forgets;
  if (strikes(fault::provider_late, 10))
    return mood::late;
  if (strikes(fault::provider_unsure, 14))
    return mood::unsure;
  if (begins_payment(call.kind) && strikes(fault::provider_asks, 10))
    return mood::asks;
  return mood::plain;
}

minor_units simulated_bank::moved(const std::string& order_id, operation_kind kind) const {
  const auto found = moved_.find({order_id, kind});
  return found == moved_.end() ? 0 : found->second;
}

minor_units simulated_bank::given_back(const std::string& order_id) const {
  const auto found = given_back_.find(order_id);
  return found == given_back_.end() ? 0 : found->second;
}

minor_units simulated_bank::open_authorization(const std::string& order_id) const {
  return moved(order_id, operation_kind::authorize) - moved(order_id, operation_kind::capture) -
         moved(order_id, operation_kind::void_authorization);
}

bool simulated_bank::took_effect(const std::string& key) const {
  const auto found = records_.find(key);
  return found != records_.end() && found->second.outcome == kind::succeeded;
}

void simulated_bank::move(const payment_call& call) {
  if (const auto sold = given_back_.find(call.order_id);
      sold != given_back_.end() && begins_payment(call.kind)) // it is tried once more
    if (const auto refunded = moved(call.order_id, operation_kind::refund);
        moved(call.order_id, operation_kind::capture) == refunded)
      sold->second = refunded;
  if (call.kind == operation_kind::sale) {
    ++sales_;
    given_back_.try_emplace(call.order_id, 0);
    moved_[{call.order_id, operation_kind::authorize}] += call.amount;
    moved_[{call.order_id, operation_kind::capture}] += call.amount;
  } else {
    moved_[{call.order_id, call.kind}] += call.amount;
  }
}

payment_answer_kind simulated_bank::carry_out(const payment_call& call) {
  const auto open = open_authorization(call.order_id);
  switch (call.kind) {
  case operation_kind::authorize:
  case operation_kind::sale:
    if (strikes(fault::provider_declines, 6))
      return kind::refused;
    break;
  case operation_kind::capture:
  case operation_kind::void_authorization:
    if (open < call.amount) // it ran out before
      return kind::expired;
    if (strikes(fault::provider_expires, 12)) {
      moved_[{call.order_id, operation_kind::void_authorization}] += open;
      return kind::expired;
    }
    if (call.kind == operation_kind::capture) {
      if (strikes(fault::provider_declines, 20))
        return kind::refused;
      break;
    }
    [[fallthrough]];
  case operation_kind::refund:
    if (refusals_[call.order_id] < refusals_of_reversals && strikes(fault::provider_reverses, 6)) {
      ++refusals_[call.order_id];
      return kind::refused;
    }
    break;
  }
  move(call);
  return kind::succeeded;
}

/// Of a key that has not taken effect. @returns what is said, unless it takes effect now: then its
/// mood is in `how`.
std::optional<std::vector<simulated_bank::reply>> simulated_bank::put_off(const payment_call& call,
                                                                          mood& how) {
  const auto& key = call.idempotency_key;
  const bool heard_of = moods_.contains(key);
  if (call.abandon) {
    records_[key] = {kind::refused};
    return say(kind::refused);
  }
  if (call.ask_only && !heard_of)
    return say(kind::never_seen);
  how = heard_of ? moods_[key] : mood_of(call);
  if (how == mood::silent) {
    moods_[key] = mood::plain; // the next call is carried out
    return std::vector<reply>{};
  }
  if (call.ask_only && how != mood::asks)
    return say(kind::never_seen);
  if (how == mood::asks && !healed_ && ++asked_[key] <= asks_until_the_customer_acts) {
    moods_[key] = mood::asks;
    return say(kind::action_required);
  }
  return std::nullopt;
}

std::vector<simulated_bank::reply> simulated_bank::say(payment_answer_kind what) {
  return {{{what, "so says the bank", "ref"}, 0}};
}

std::vector<simulated_bank::reply> simulated_bank::submit(const payment_call& call) {
  auto known = records_.find(call.idempotency_key);
  if (known == records_.end()) {
    auto how = mood::plain;
    if (auto said = put_off(call, how))
      return *std::move(said);
    known = records_.emplace(call.idempotency_key, record{carry_out(call), how}).first;
  }
  auto& found = known->second;
  const bool first = !std::exchange(found.answered, true);
  if (found.how == mood::unsure && !healed_)
    return say(kind::unknown);
  if (found.how == mood::forgets && first)
    return {};
  auto answers = say(found.outcome);
  if (found.how == mood::late && first)
    answers.front().after_ms = late_ms;
  else if (strikes(fault::provider_doubles, 8))
    answers.push_back(answers.front());
  return answers;
}

} // namespace purser::simulation
