#include "runtime/timer_board.hpp"

#include "runtime/thread_name.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace purser {

timer_board::timer_board(group_commit_journal& journal, router& to, clock& time)
    : journal_(journal), router_(to), clock_(time), shards_(to.shards()),
      horizon_(std::numeric_limits<unix_millis>::min()) {}

timer_board::~timer_board() {
  stop();
}

void timer_board::start_thread() {
  thread_ = std::thread{[this] { run(); }};
}

void timer_board::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

void timer_board::forget(const entity_ref& entity) {
  const auto known = timers_.find(entity);
  if (known == timers_.end())
    return;
  by_due_.erase({known->second.due, entity});
  timers_.erase(known);
}

void timer_board::set(const entity_ref& entity, std::optional<unix_millis> due) {
  const std::lock_guard lock{mutex_};
  forget(entity);
  if (!due)
    return;
  timers_[entity] = {*due, ++sets_};
  const auto at = by_due_.emplace(*due, entity).first;
  if (*due >= horizon_)
    shards_[shard_of(entity, router_.shards())].far.push_back(entity);
  if (at == by_due_.begin())
    changed_.notify_all();
}

void timer_board::read_ahead(unix_millis now) {
  if (now + horizon_ms / 2 < horizon_)
    return;
  const auto up_to = now + horizon_ms;
  journal_.timers_from(horizon_, [&](std::int64_t due, const entity_ref& entity) {
    if (due >= up_to)
      return false;
    if (!timers_.contains(entity)) { // else: it has another one since
      timers_[entity] = {due, ++sets_};
      by_due_.emplace(due, entity);
    }
    return true;
  });
  horizon_ = up_to;
}

std::optional<unix_millis> timer_board::next() {
  const std::lock_guard lock{mutex_};
  std::optional<unix_millis> earliest;
  if (!by_due_.empty())
    earliest = by_due_.begin()->first;
  journal_.timers_from(horizon_, [&](std::int64_t due, const entity_ref&) {
    earliest = std::min(earliest.value_or(due), due);
    return false;
  });
  return earliest;
}

void timer_board::fire_due(unix_millis now) {
  std::vector<entity_ref> due;
  {
    const std::lock_guard lock{mutex_};
    read_ahead(now);
    while (!by_due_.empty() && by_due_.begin()->first <= now) {
      due.push_back(by_due_.begin()->second);
      timers_.erase(due.back());
      by_due_.erase(by_due_.begin());
    }
  }
  for (auto& entity : due) {
    envelope message;
    message.to = std::move(entity);
    message.at = now;
    message.body = timer_due{};
    router_.send(std::move(message));
  }
}

void timer_board::checkpoint_begins(std::uint16_t shard) {
  const std::lock_guard lock{mutex_};
  auto& timers = shards_[shard];
  auto far = std::exchange(timers.far, {});
  timers.folding.insert(timers.folding.end(), far.begin(), far.end());
  timers.began_at = sets_;
}

void timer_board::checkpoint_done(std::uint16_t shard) {
  const std::lock_guard lock{mutex_};
  auto& timers = shards_[shard];
  for (const auto& entity : std::exchange(timers.folding, {})) {
    const auto known = timers_.find(entity);
    if (known != timers_.end() && known->second.due >= horizon_ &&
        known->second.set_at <= timers.began_at)
      forget(entity);
  }
}

std::size_t timer_board::size() const {
  const std::lock_guard lock{mutex_};
  return timers_.size();
}

void timer_board::run() {
  name_thread("timers");
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto now = clock_.now();
    read_ahead(now);
    if (!by_due_.empty() && by_due_.begin()->first <= now) {
      lock.unlock();
      fire_due(now);
      lock.lock();
      continue;
    }
    auto wait = horizon_ms / 2;
    if (!by_due_.empty())
      wait = std::min<std::int64_t>(wait, by_due_.begin()->first - now);
    changed_.wait_for(lock, std::chrono::milliseconds{std::max<std::int64_t>(wait, 1)});
  }
}

} // namespace purser
