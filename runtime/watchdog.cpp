#include "runtime/watchdog.hpp"

#include "runtime/thread_name.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace purser {

namespace {

constexpr std::int64_t looks_within_limit = 8;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

} // namespace

std::string to_text(const hang& found) {
  return found.path + " " + found.doing + " for " + std::to_string(found.for_ms) + " ms";
}

hang_rule::verdict hang_rule::look(std::int64_t now, const std::vector<watched_work>& work) {
  verdict made;
  std::set<std::string> present;
  const auto ended = [&](const std::string& path, const seen& it) {
    if (it.told)
      made.ended.push_back({path, it.doing, it.last_ms - it.since_ms});
  };
  for (const auto& each : work) {
    present.insert(each.path);
    const auto [at, is_new] =
      seen_.try_emplace(each.path, seen{each.turn, now, now, false, each.doing});
    auto& it = at->second;
    if (!is_new && it.turn != each.turn) {
      ended(each.path, it);
      it = {each.turn, now, now, false, each.doing};
    }
    it.last_ms = now;
    if (now - it.since_ms < limit_ms_)
      continue;
    made.all.push_back({each.path, it.doing, now - it.since_ms});
    if (!std::exchange(it.told, true))
      made.begun.push_back(made.all.back());
  }
  std::erase_if(seen_, [&](const auto& entry) {
    if (present.contains(entry.first))
      return false;
    ended(entry.first, entry.second);
    return true;
  });
  return made;
}

watchdog::watchdog(std::int64_t limit_ms, hooks to)
    : limit_ms_(limit_ms), hooks_(std::move(to)), rule_(limit_ms), thread_([this] { run(); }) {}

watchdog::~watchdog() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::vector<hang> watchdog::hangs() const {
  const std::lock_guard lock{mutex_};
  return hangs_;
}

void watchdog::run() {
  name_thread("watchdog");
  const std::chrono::milliseconds interval{
    std::max<std::int64_t>(limit_ms_ / looks_within_limit, 1)};
  std::unique_lock lock{mutex_};
  while (!changed_.wait_for(lock, interval, [this] { return stopping_; })) {
    lock.unlock();
    auto verdict = rule_.look(now_ms(), hooks_.look());
    lock.lock();
    hangs_ = std::move(verdict.all);
    lock.unlock();
    for (const auto& found : verdict.begun)
      hooks_.on_hang(found);
    for (const auto& found : verdict.ended)
      hooks_.on_progress(found);
    lock.lock();
  }
}

} // namespace purser
