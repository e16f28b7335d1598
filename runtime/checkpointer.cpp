#include "runtime/checkpointer.hpp"

#include "runtime/fold.hpp"
#include "runtime/thread_name.hpp"

#include <algorithm>

namespace purser {

namespace {

/// Looking at the sizes takes the journal's lock: not after every commit.
constexpr std::uint64_t commits_between_looks = 32;

} // namespace

checkpointer::checkpointer(group_commit_journal& journal, std::size_t threshold_bytes, hooks calls)
    : journal_(journal), threshold_(threshold_bytes), hooks_(std::move(calls)),
      unreadable_(journal.shards()), thread_([this] { run(); }) {}

checkpointer::~checkpointer() {
  stop();
}

void checkpointer::committed() {
  if (commits_.fetch_add(1, std::memory_order_relaxed) % commits_between_looks != 0)
    return;
  const std::lock_guard lock{mutex_};
  due_ = true;
  wake_.notify_one();
}

void checkpointer::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
}

std::vector<std::uint16_t> checkpointer::with_tails_of(std::size_t at_least) const {
  std::vector<std::uint16_t> found;
  for (std::uint16_t shard = 0; shard < journal_.shards(); ++shard)
    if (unreadable_[shard].empty() && journal_.tail_bytes(shard) >= at_least)
      found.push_back(shard);
  return found;
}

/// Nothing when an entity of the shard cannot be rebuilt.
std::optional<checkpoint_part> checkpointer::begun(std::uint16_t shard) {
  hooks_.before(shard);
  try {
    return begun_checkpoint(journal_, shard);
  } catch (const entity_unreadable& error) { // the entity is not lost: its events stay in the log
    unreadable_[shard] = error.what();
    hooks_.on_unreadable(unreadable_[shard]);
    return std::nullopt;
  }
}

void checkpointer::checkpoint(const std::vector<std::uint16_t>& shards) {
  std::vector<checkpoint_part> parts;
  std::vector<std::uint16_t> completed;
  for (const auto shard : shards)
    if (auto part = begun(shard)) {
      parts.push_back(std::move(*part));
      completed.push_back(shard);
    }
  journal_.complete_checkpoints(std::move(parts));
  for (const auto shard : completed)
    hooks_.after(shard);
  completed_.fetch_add(completed.size());
}

void checkpointer::run_all() {
  const std::lock_guard lock{one_at_a_time_};
  checkpoint(with_tails_of(1));
  for (const auto& why : unreadable_)
    if (!why.empty())
      throw entity_unreadable(why);
}

void checkpointer::run() {
  name_thread("checkpoints");
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return due_ || stopping_; });
      if (stopping_)
        return;
      due_ = false;
    }
    try {
      const std::lock_guard lock{one_at_a_time_};
      if (!with_tails_of(threshold_).empty())
        checkpoint(with_tails_of(std::max<std::size_t>(threshold_ / 2, 1)));
    } catch (const journal_stopped&) {
      return;
    } catch (const std::exception& error) {
      hooks_.on_failure(std::string{"a checkpoint failed: "} + error.what());
      return;
    }
  }
}

} // namespace purser
