#include "runtime/payment_desk.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

namespace purser {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

} // namespace

payment_desk::payment_desk(std::shared_ptr<payment_gateway> provider, router& to, clock& time,
                           options settings)
    : provider_(std::move(provider)), clock_(time), options_(settings),
      shared_(std::make_shared<shared>()) {
  shared_->to = &to;
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
  const auto due = clock_.monotonic_ns() / ns_per_ms + call.delay_ms;
  const std::lock_guard lock{shared_->mutex};
  shared_->due.emplace(due, pending{std::move(payment), std::move(call), at});
  shared_->changed.notify_all();
}

void payment_desk::run() {
  std::unique_lock lock{shared_->mutex};
  while (!shared_->stopping) {
    const auto now = clock_.monotonic_ns() / ns_per_ms;
    if (!shared_->due.empty() && shared_->due.begin()->first <= now) {
      auto next = std::move(shared_->due.begin()->second);
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
  const auto ticket = shared_->next_ticket++;
  const auto request = next.call.call;
  next.deadline_ms = clock_.monotonic_ns() / ns_per_ms + options_.deadline_ms;
  shared_->calls.emplace(ticket, std::move(next));
  lock.unlock();
  try {
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
  reply.body = provider_reply{std::move(found->second.call.operation_id),
                              found->second.call.call.ask_only, std::move(answer)};
  state.calls.erase(found);
  state.to->send(std::move(reply));
}

} // namespace purser
