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
    : provider_(std::move(provider)), clock_(time), options_(settings),
      shared_(std::make_shared<shared>()) {
  shared_->to = &to;
  if (!settings.time_of_command)
    shared_->time = &time;
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
  const auto delay_ms = call.delay_ms;
  add(delay_ms, {std::move(payment), std::move(call), at, 0, {}, {}});
}

void payment_desk::later(std::int64_t delay_ms, std::function<void()> what) {
  add(delay_ms, {{}, {}, 0, 0, std::move(what), {}});
}

void payment_desk::add(std::int64_t delay_ms, pending what) {
  if (delay_ms <= 0)
    what.token = shared_->to->token();
  const auto due_at = clock_.waiting_ms() + std::max<std::int64_t>(delay_ms, 0);
  const bool asks = what.call.call.ask_only;
  const auto key = what.call.call.idempotency_key;
  const std::lock_guard lock{shared_->mutex};
  if (asks)
    if (const auto older = shared_->questions.find(key); older != shared_->questions.end())
      shared_->due.erase(older->second);
  const auto at = shared_->due.emplace(due_at, std::move(what));
  if (asks)
    shared_->questions[key] = at;
  shared_->changed.notify_all();
}

std::optional<std::int64_t> payment_desk::next_due() const {
  const std::lock_guard lock{shared_->mutex};
  return next_time();
}

void payment_desk::time_moved() {
  const auto now = clock_.waiting_ms();
  const std::lock_guard lock{shared_->mutex};
  for (auto at = shared_->due.begin(); at != shared_->due.end() && at->first <= now; ++at)
    at->second.token = shared_->to->token();
  for (auto& [ticket, call] : shared_->calls)
    if (call.deadline_ms <= now)
      call.token = shared_->to->token();
  shared_->changed.notify_all();
}

void payment_desk::run() {
  name_thread("payments");
  std::unique_lock lock{shared_->mutex};
  while (!shared_->stopping) {
    const auto now = clock_.waiting_ms();
    if (!shared_->due.empty() && shared_->due.begin()->first <= now) {
      auto next = std::move(shared_->due.begin()->second);
      if (next.call.call.ask_only)
        shared_->questions.erase(next.call.call.idempotency_key);
      shared_->due.erase(shared_->due.begin());
      call(lock, std::move(next));
      continue;
    }
    if (!shared_->calls.empty() && shared_->calls.begin()->second.deadline_ms <= now) {
      const auto ticket = shared_->calls.begin()->first;
      lock.unlock();
      answered(*shared_, ticket,
               {payment_answer_kind::unknown, "no answer within the deadline", {}});
      lock.lock();
      continue;
    }
    const auto next_at = next_time();
    if (!next_at)
      shared_->changed.wait(lock);
    else if (!options_.by_machine)
      shared_->changed.wait_for(lock, forever);
    else
      shared_->changed.wait_for(
        lock, std::chrono::milliseconds{std::max<std::int64_t>(*next_at - now, 1)});
  }
}

/// When the next call is due or the next deadline passes; monotonic, milliseconds.
std::optional<std::int64_t> payment_desk::next_time() const {
  std::optional<std::int64_t> earliest;
  if (!shared_->due.empty())
    earliest = shared_->due.begin()->first;
  if (!shared_->calls.empty()) {
    const auto deadline = shared_->calls.begin()->second.deadline_ms;
    earliest = std::min(earliest.value_or(deadline), deadline);
  }
  return earliest;
}

void payment_desk::call(std::unique_lock<std::mutex>& lock, pending next) {
  if (next.what) {
    lock.unlock();
    next.what();
    next.token.reset();
    lock.lock();
    return;
  }
  const auto token = std::exchange(next.token, {}); // until the provider has been called
  const auto ticket = shared_->next_ticket++;
  const auto request = next.call.call;
  const auto payment = next.payment;
  next.deadline_ms = clock_.waiting_ms() + options_.deadline_ms;
  shared_->calls.emplace(ticket, std::move(next));
  lock.unlock();
  try {
    const work_board::scope calling{options_.at_work, work_kind::provider, payment};
    provider_->submit(request, [weak = std::weak_ptr{shared_}, ticket](payment_answer answer) {
      if (const auto state = weak.lock())
        answered(*state, ticket, std::move(answer));
    });
  } catch (const std::exception& error) {
    answered(*shared_, ticket, {payment_answer_kind::unknown, error.what(), {}});
  } catch (...) {
    answered(*shared_, ticket, {payment_answer_kind::unknown, "the provider threw", {}});
  }
  lock.lock();
}

/// Only the first answer to a ticket counts.
void payment_desk::answered(shared& state, std::uint64_t ticket, payment_answer answer) {
  const std::lock_guard lock{state.mutex}; // also while sending: the router ends after the desk
  const auto found = state.calls.find(ticket);
  if (found == state.calls.end() || state.stopping)
    return;
  envelope reply;
  reply.to = std::move(found->second.payment);
  reply.at = found->second.at;
  if (state.time != nullptr)
    reply.at = std::max(reply.at, state.time->now());
  reply.body =
    provider_reply{std::move(found->second.call.operation_id), found->second.call.call.ask_only,
                   found->second.call.call.abandon, std::move(answer)};
  state.calls.erase(found);
  state.to->send(std::move(reply));
}

} // namespace purser
