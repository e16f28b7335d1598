#include "runtime/provider_calls.hpp"

#include <algorithm>
#include <utility>

namespace purser {

using supervisors::bulkhead;
using supervisors::circuit;
using supervisors::circuit_breaker;

provider_calls::provider_calls(provider_policy policy)
    : policy_(policy), places_(policy.at_once, policy.waiting), circuit_(policy.circuit),
      budget_(policy.retries) {}

std::optional<provider_attempt> provider_calls::take(provider_request request,
                                                     std::int64_t now_ms) {
  pending call;
  call.request = std::move(request);
  if (!waiting_.empty() && is_there(call, now_ms))
    return std::nullopt;
  call.number = next_number_++;
  call.make_by = deadline{}.within(now_ms, policy_.deadline_ms);
  switch (places_.enter()) {
  case bulkhead::entry::run:
    if (gate_.empty())
      if (const auto through = admit(now_ms))
        return make(std::move(call), *through, now_ms);
    to_gate(std::move(call), now_ms);
    break;
  case bulkhead::entry::wait:
    waiting_.emplace(key_of(call), call.number);
    line_.emplace(call.number, std::move(call));
    break;
  case bulkhead::entry::refuse:
    ++figures_.not_made;
    end(std::move(call),
        {payment_answer_kind::unknown, "not made: too many calls to the provider wait", {}});
    break;
  }
  return std::nullopt;
}

std::optional<provider_attempt> provider_calls::next_attempt(std::int64_t now_ms) {
  const auto next = first_ready(now_ms);
  if (next == gate_.end())
    return std::nullopt;
  const auto through = admit(now_ms);
  if (!through)
    return std::nullopt;
  return make(from(gate_, next), *through, now_ms);
}

void provider_calls::answered(std::uint64_t ticket, payment_answer answer, std::int64_t now_ms) {
  const auto found = made_.find(ticket);
  if (found == made_.end())
    return;
  auto call = std::move(found->second);
  made_.erase(found);
  if (call.answer_by.passed(now_ms)) {
    failed(call, "an answer after the deadline", now_ms);
  } else {
    circuit_.on_success(call.circuit);
    note_circuit(now_ms);
  }
  end(std::move(call), std::move(answer));
  leave_place(now_ms);
}

void provider_calls::threw(std::uint64_t ticket, std::string why, std::int64_t now_ms,
                           double random) {
  const auto found = made_.find(ticket);
  if (found == made_.end())
    return; // it was answered first
  auto call = std::move(found->second);
  made_.erase(found);
  failed(call, why, now_ms);
  if (call.withdrawn)
    return leave_place(now_ms);
  if (call.request.call.call.ask_only) { // D5
    end(std::move(call), {payment_answer_kind::unknown, std::move(why), {}});
    return leave_place(now_ms);
  }
  if (waiting_.contains(key_of(call)))
    return leave_place(now_ms); // D4: the same call has come again, and will be answered
  const auto wait = budget_.retry_after_ms(call.attempts, random);
  if (!wait || call.make_by.passed(now_ms + *wait)) {
    end(std::move(call), {payment_answer_kind::unknown, std::move(why), {}});
    return leave_place(now_ms);
  }
  ++figures_.retries;
  call.not_before = now_ms + *wait;
  backoffs_.emplace(call.not_before, call.number);
  to_gate(std::move(call), now_ms);
}

void provider_calls::expire(std::int64_t now_ms) {
  while (!made_.empty() && made_.begin()->second.answer_by.passed(now_ms)) {
    auto call = std::move(made_.begin()->second);
    made_.erase(made_.begin());
    const std::string why = "no answer within the deadline";
    failed(call, why, now_ms);
    end(std::move(call), {payment_answer_kind::unknown, why, {}});
    leave_place(now_ms);
  }
  while (!gate_.empty() && gate_.begin()->second.make_by.passed(now_ms)) {
    ++figures_.not_made;
    end(from(gate_, gate_.begin()),
        {payment_answer_kind::unknown, "not made: the provider did not answer others", {}});
    leave_place(now_ms);
  }
  while (!line_.empty() && line_.begin()->second.make_by.passed(now_ms)) {
    ++figures_.not_made;
    end(from(line_, line_.begin()),
        {payment_answer_kind::unknown, "not made: too many calls to the provider before it", {}});
    places_.abandon();
  }
  while (!backoffs_.empty() && backoffs_.begin()->first <= now_ms)
    backoffs_.erase(backoffs_.begin());
}

supervisors::deadline provider_calls::next(std::int64_t now_ms) const {
  deadline earliest;
  if (!made_.empty())
    earliest = std::min(earliest, made_.begin()->second.answer_by);
  if (!line_.empty())
    earliest = std::min(earliest, line_.begin()->second.make_by);
  if (gate_.empty())
    return earliest;
  earliest = std::min(earliest, gate_.begin()->second.make_by);
  if (!backoffs_.empty())
    earliest = std::min(earliest, deadline::at(backoffs_.begin()->first));
  const bool any_ready = std::any_of(gate_.begin(), gate_.end(), [now_ms](const auto& each) {
    return each.second.not_before <= now_ms;
  });
  if (any_ready)
    earliest = std::min(earliest, circuit_.state(now_ms) == circuit::closed
                                    ? deadline::at(now_ms)
                                    : deadline::at(circuit_.next_chance_ms()));
  return earliest;
}

provider_figures provider_calls::figures(std::int64_t now_ms) const {
  auto made = figures_;
  made.at_once = places_.running();
  made.waiting = line_.size() + gate_.size();
  made.circuit = circuit_.state(now_ms);
  return made;
}

// -- Waiting --------------------------------------------------------------------------------------

provider_calls::key provider_calls::key_of(const pending& call) {
  const auto& what = call.request.call.call;
  return {what.idempotency_key, what.ask_only};
}

/// D4. A payment that has crashed repeats what it has open.
bool provider_calls::is_there(pending& call, std::int64_t now_ms) {
  const auto& what = call.request.call.call;
  if (what.ask_only && what.abandon)
    forget({what.idempotency_key, false}, now_ms);
  const auto same = waiting_.find(key_of(call));
  if (same == waiting_.end())
    return false;
  auto& where = gate_.contains(same->second) ? gate_ : line_;
  where.at(same->second).request = std::move(call.request);
  return true;
}

void provider_calls::withdraw(const std::string& idempotency_key, std::int64_t now_ms) {
  forget({idempotency_key, false}, now_ms);
  for (auto& [ticket, call] : made_)
    if (key_of(call) == key{idempotency_key, false})
      call.withdrawn = true;
}

/// It is answered by what takes its place.
void provider_calls::forget(const key& call, std::int64_t now_ms) {
  const auto found = waiting_.find(call);
  if (found == waiting_.end())
    return;
  if (const auto at = line_.find(found->second); at != line_.end()) {
    from(line_, at);
    return places_.abandon();
  }
  from(gate_, gate_.find(found->second));
  leave_place(now_ms);
}

void provider_calls::to_gate(pending call, std::int64_t now_ms) {
  if (circuit_.state(now_ms) != circuit::closed)
    ++figures_.held_back;
  waiting_.emplace(key_of(call), call.number);
  gate_.emplace(call.number, std::move(call));
}

provider_calls::pending provider_calls::from(queue& where, queue::iterator at) {
  auto call = std::move(at->second);
  where.erase(at);
  waiting_.erase(key_of(call));
  return call;
}

/// The one that has waited longest; as a probe, rather a question: it carries nothing out.
provider_calls::queue::iterator provider_calls::first_ready(std::int64_t now_ms) {
  const auto state = circuit_.state(now_ms);
  const auto ready = [now_ms](const pending& call) {
    return call.not_before <= now_ms && !call.make_by.passed(now_ms);
  };
  if (state == circuit::half_open) {
    const auto question = std::find_if(gate_.begin(), gate_.end(), [&](const auto& each) {
      return each.second.request.call.call.ask_only && ready(each.second);
    });
    if (question != gate_.end())
      return question;
  }
  return std::find_if(gate_.begin(), gate_.end(),
                      [&](const auto& each) { return ready(each.second); });
}

/// The place goes to the one who has waited for it longest.
void provider_calls::leave_place(std::int64_t now_ms) {
  if (places_.leave())
    to_gate(from(line_, line_.begin()), now_ms);
}

// -- Making ---------------------------------------------------------------------------------------

std::optional<circuit_breaker::ticket> provider_calls::admit(std::int64_t now_ms) {
  const auto through = circuit_.admit(now_ms);
  note_circuit(now_ms);
  return through;
}

provider_attempt provider_calls::make(pending call, circuit_breaker::ticket circuit,
                                      std::int64_t now_ms) {
  if (call.attempts++ == 0)
    budget_.on_call();
  ++figures_.calls;
  call.circuit = circuit;
  call.answer_by = deadline{}.within(now_ms, policy_.deadline_ms);
  const auto ticket = next_number_++;
  provider_attempt attempt{ticket, call.request.payment, call.request.call.call};
  made_.emplace(ticket, std::move(call));
  return attempt;
}

void provider_calls::failed(const pending& call, std::string why, std::int64_t now_ms) {
  ++figures_.failures;
  figures_.cause = std::move(why);
  circuit_.on_failure(call.circuit, now_ms);
  note_circuit(now_ms);
}

void provider_calls::end(pending call, payment_answer answer) {
  outcomes_.push_back({std::move(call.request), std::move(answer)});
}

void provider_calls::note_circuit(std::int64_t now_ms) {
  const auto now = circuit_.state(now_ms);
  if (now == told_)
    return;
  if (told_ == circuit::closed)
    ++figures_.opened;
  changes_.push_back({told_, now, now == circuit::open ? figures_.cause : std::string{}});
  told_ = now;
}

} // namespace purser
