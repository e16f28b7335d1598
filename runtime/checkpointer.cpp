#include "runtime/checkpointer.hpp"

#include "runtime/fold.hpp"
#include "runtime/thread_name.hpp"

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

void checkpointer::checkpoint_if(std::uint16_t shard, std::size_t at_least) {
  const std::lock_guard lock{one_at_a_time_};
  auto& why = unreadable_[shard];
  if (!why.empty())
    throw entity_unreadable(why);
  if (journal_.tail_bytes(shard) < at_least)
    return;
  hooks_.before(shard);
  try {
    run_checkpoint(journal_, shard);
  } catch (const entity_unreadable& error) { // the entity is not lost: its events stay in the log
    why = error.what();
    hooks_.on_unreadable(why);
    throw;
  }
  hooks_.after(shard);
  completed_.fetch_add(1);
}

void checkpointer::run_all() {
  for (std::uint16_t shard = 0; shard < journal_.shards(); ++shard)
    checkpoint_if(shard, 1);
}

void checkpointer::checkpoint_when_grown(std::uint16_t shard) {
  try {
    checkpoint_if(shard, threshold_);
  } catch (const entity_unreadable&) { // told once; the other shards go on
  }
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
      for (std::uint16_t shard = 0; shard < journal_.shards(); ++shard)
        checkpoint_when_grown(shard);
    } catch (const journal_stopped&) {
      return;
    } catch (const std::exception& error) {
      hooks_.on_failure(std::string{"a checkpoint failed: "} + error.what());
      return;
    }
  }
}

} // namespace purser
