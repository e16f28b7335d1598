// Moves the checkpoints of shards whose log has grown, on a thread of its own, so that restarts
// stay short and memory bounded. Shards that have grown, too, go along: their snapshots are one
// table.
#pragma once

#include "runtime/journal/group_commit.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace purser {

class checkpointer {
public:
  struct hooks {
    std::function<void(const std::string&)> on_failure; ///< the journal's disk or bytes are bad
    /// An entity cannot be rebuilt: its shard has no checkpoints any more, and its log grows (B5).
    std::function<void(const std::string&)> on_unreadable;
    std::function<void(std::uint16_t shard)> before; ///< a shard's checkpoint
    std::function<void(std::uint16_t shard)> after;
  };

  checkpointer(group_commit_journal& journal, std::size_t threshold_bytes, hooks calls);
  ~checkpointer();

  /// Called after each commit; cheap.
  void committed();

  /// Moves the checkpoints of all shards; returns when it is done. Throws what the journal throws;
  /// entity_unreadable when it was done but for the shards of such entities.
  void run_all();

  /// How many checkpoints have been completed.
  std::uint64_t completed() const noexcept { return completed_.load(); }

  void stop();

private:
  void run();
  /// Shards that may have a checkpoint.
  std::vector<std::uint16_t> with_tails_of(std::size_t at_least) const;
  void checkpoint(const std::vector<std::uint16_t>& shards);
  std::optional<checkpoint_part> begun(std::uint16_t shard);

  group_commit_journal& journal_;
  std::size_t threshold_;
  hooks hooks_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> completed_{0};
  std::mutex one_at_a_time_;
  std::vector<std::string> unreadable_; ///< by shard: why it has no checkpoints; under the above
  std::mutex mutex_;
  std::condition_variable wake_;
  bool due_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace purser
