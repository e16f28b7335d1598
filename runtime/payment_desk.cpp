#include "runtime/payment_desk.hpp"

#include "runtime/thread_name.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace purser {

namespace {

/// Milliseconds of waiting time that pass before a message is taken for lost are never this many.
constexpr auto forever = std::chrono::hours{24};

} // namespace

payment_desk::payment_desk(std::shared_ptr<payment_gateway> provider, router& to, clock& time,
                           options settings)
    : provider_(std::move(provider)), clock_(time), options_(std::move(settings)),
      shared_(std::make_shared<shared>(options_.provider)) {
  shared_->to = &to;
  shared_->time = &time;
  shared_->time_of_command = options_.time_of_command;
  thread_ = std::thread{[this] { run(); }};
}

payment_desk::~payment_desk() {
  stop();
}

void payment_desk::stop() {
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->stopping = true;
    shared_->changed.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

void payment_desk::submit(entity_ref payment, call_provider call, unix_millis at) {
  if (call.withdraw)
    return withdraw(call.call.idempotency_key);
  const auto delay_ms = call.delay_ms;
  add(delay_ms, {{std::move(payment), std::move(call), at}, {}});
}

void payment_desk::later(std::int64_t delay_ms, std::function<void()> what) {
  add(delay_ms, {{}, std::move(what)});
}

void payment_desk::add(std::int64_t delay_ms, pending what) {
  const auto due_at = clock_.waiting_ms() + std::max<std::int64_t>(delay_ms, 0);
  const bool asks = what.request.call.call.ask_only;
  const auto key = what.request.call.call.idempotency_key;
  const std::lock_guard lock{shared_->mutex};
  if (delay_ms <= 0)
    shared_->busy = shared_->to->token();
  if (asks)
    if (const auto older = shared_->questions.find(key); older != shared_->questions.end())
      shared_->due.erase(older->second);
  const auto at = shared_->due.emplace(due_at, std::move(what));
  if (asks)
    shared_->questions[key] = at;
  if (shared_->held)
    shared_->missed = true;
  else
    shared_->changed.notify_all();
}

void payment_desk::withdraw(const std::string& idempotency_key) {
  const auto now = clock_.waiting_ms();
  const std::lock_guard lock{shared_->mutex};
  std::erase_if(shared_->due, [&](const auto& waiting) {
    const auto& call = waiting.second.request.call.call;
    return !waiting.second.what && !call.ask_only && call.idempotency_key == idempotency_key;
  });
  shared_->calls.withdraw(idempotency_key, now);
  if (!shared_->calls.anybody_waits())
    return;
  shared_->busy = shared_->to->token(); // one that waited has its place now
  shared_->changed.notify_all();
}

void payment_desk::hold() {
  const std::lock_guard lock{shared_->mutex};
  shared_->held = true;
}

void payment_desk::let_go() {
  std::unique_lock lock{shared_->mutex};
  shared_->held = false;
  if (!std::exchange(shared_->missed, false))
    return;
  if (!options_.at_once_if_prompt || !provider_->prompt() || shared_->at_it)
    return shared_->changed.notify_all();
  work(lock);
  const auto next = next_time(clock_.waiting_ms());
  if (next && (!shared_->wakes_at || *next < *shared_->wakes_at))
    shared_->changed.notify_all(); // it waits for longer than that
}

std::optional<std::int64_t> payment_desk::next_due() const {
  const auto now = clock_.waiting_ms();
  const std::lock_guard lock{shared_->mutex};
  return next_time(now);
}

void payment_desk::time_moved() {
  const std::lock_guard lock{shared_->mutex};
  shared_->busy = shared_->to->token();
  shared_->changed.notify_all();
}

provider_figures payment_desk::figures() const {
  const auto now = clock_.waiting_ms();
  const std::lock_guard lock{shared_->mutex};
  return shared_->calls.figures(now);
}

// -- The work, on one thread at a time ------------------------------------------------------------

void payment_desk::run() {
  name_thread("payments");
  std::unique_lock lock{shared_->mutex};
  while (!shared_->stopping) {
    if (shared_->held) { // also at the very start: who lets go does what there is
      shared_->missed = true;
      shared_->wakes_at.reset();
      shared_->changed.wait(lock);
      continue;
    }
    if (!shared_->at_it)
      work(lock);
    if (shared_->stopping)
      break;
    const auto now = clock_.waiting_ms();
    shared_->wakes_at = next_time(now);
    if (!shared_->wakes_at)
      shared_->changed.wait(lock);
    else if (!options_.by_machine)
      shared_->changed.wait_for(lock, forever);
    else
      shared_->changed.wait_for(
        lock, std::chrono::milliseconds{std::max<std::int64_t>(*shared_->wakes_at - now, 1)});
  }
}

/// Does what there is to do now. Who submits meanwhile, without the lock being held, is seen.
void payment_desk::work(std::unique_lock<std::mutex>& lock) {
  shared_->at_it = true;
  while (!shared_->stopping && do_next(lock, clock_.waiting_ms()))
    continue;
  shared_->at_it = false;
  shared_->busy.reset();
}

/// @returns whether there was anything to do. What is due first is done first.
bool payment_desk::do_next(std::unique_lock<std::mutex>& lock, std::int64_t now_ms) {
  tell(*shared_);
  if (const auto changes = shared_->calls.take_changes(); !changes.empty()) {
    lock.unlock();
    for (const auto& change : changes)
      options_.on_circuit(change);
    lock.lock();
    return true;
  }
  if (const auto attempt = shared_->calls.next_attempt(now_ms)) {
    make(lock, *attempt);
    return true;
  }
  const auto due_at = shared_->due.empty() ? supervisors::deadline{}
                                           : supervisors::deadline::at(shared_->due.begin()->first);
  const auto next = shared_->calls.next(now_ms);
  if (due_at.passed(now_ms) && due_at <= next) {
    take_due(lock, now_ms);
    return true;
  }
  if (!next.passed(now_ms))
    return false;
  shared_->calls.expire(now_ms);
  return true;
}

void payment_desk::take_due(std::unique_lock<std::mutex>& lock, std::int64_t now_ms) {
  auto next = std::move(shared_->due.begin()->second);
  if (next.request.call.call.ask_only)
    shared_->questions.erase(next.request.call.call.idempotency_key);
  shared_->due.erase(shared_->due.begin());
  if (!next.what) {
    if (const auto attempt = shared_->calls.take(std::move(next.request), now_ms))
      make(lock, *attempt);
    return;
  }
  lock.unlock();
  next.what();
  lock.lock();
}

/// When there will be something to do; in waiting time.
std::optional<std::int64_t> payment_desk::next_time(std::int64_t now_ms) const {
  std::optional<std::int64_t> earliest;
  if (!shared_->due.empty())
    earliest = shared_->due.begin()->first;
  if (const auto next = shared_->calls.next(now_ms); !next.is_never()) {
    const auto at = now_ms + next.remaining_ms(now_ms);
    earliest = std::min(earliest.value_or(at), at);
  }
  return earliest;
}

void payment_desk::make(std::unique_lock<std::mutex>& lock, const provider_attempt& attempt) {
  lock.unlock();
  std::optional<std::string> failure;
  try {
    const work_board::scope calling{options_.at_work, work_kind::provider, attempt.payment};
    provider_->submit(attempt.call,
                      [weak = std::weak_ptr{shared_}, ticket = attempt.ticket](payment_answer got) {
                        if (const auto state = weak.lock())
                          answered(*state, ticket, std::move(got));
                      });
  } catch (const std::exception& error) {
    failure = error.what();
  } catch (...) {
    failure = "the provider threw";
  }
  const auto random = failure ? options_.random() : 0.0;
  lock.lock();
  if (failure)
    shared_->calls.threw(attempt.ticket, *failure, clock_.waiting_ms(), random);
}

/// On any thread.
void payment_desk::answered(shared& state, std::uint64_t ticket, payment_answer answer) {
  const std::lock_guard lock{state.mutex}; // also while sending: the router ends after the desk
  if (state.stopping)
    return;
  state.calls.answered(ticket, std::move(answer), state.time->waiting_ms());
  tell(state);
  if (!state.calls.anybody_waits())
    return;
  state.busy = state.to->token();
  state.changed.notify_all();
}

/// With the lock.
void payment_desk::tell(shared& state) {
  for (auto& [request, answer] : state.calls.take_outcomes()) {
    envelope reply;
    reply.to = std::move(request.payment);
    reply.at = request.at;
    if (!state.time_of_command)
      reply.at = std::max(reply.at, state.time->now());
    reply.body = provider_reply{std::move(request.call.operation_id), request.call.call.ask_only,
                                request.call.call.abandon, std::move(answer)};
    state.to->send(std::move(reply));
  }
}

} // namespace purser
