// What is to happen once something is durable: answers, calls to the payment provider. It waits
// here, and then somebody runs it: the journal's writer, or a thread that comes for it
// (docs/adr/0020-nobody-is-woken-with-a-lock-held.md).
#pragma once

#include "actors/ports/journal.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace purser {

struct release_hooks {
  /// Asked when outputs may run, by the writer or by who has released others: whether somebody
  /// calls `release` soon. Empty or false: who asks runs them.
  std::function<bool()> others_release;
  /// Around the outputs of one commit or several: who takes many of them may wait for the last.
  std::function<void()> before_release;
  std::function<void()> after_release;
};

/// Thread-safe. Outputs run in the order in which they came, one at a time.
class durable_outputs {
public:
  /// How far a journal has come.
  struct reach {
    position events = 0;
    std::uint64_t records = 0;

    bool covers(const reach& other) const {
      return other.events <= events && other.records <= records;
    }
  };

  using task = journal::task;

  explicit durable_outputs(release_hooks hooks) : hooks_(std::move(hooks)) {}

  /// Runs `output` when what `now` tells is durable: at once when it is. `now` only ever tells
  /// more; it is called with a lock held.
  template <class Now>
  void add(Now now, task output) {
    {
      const std::lock_guard lock{mutex_};
      if (dropped_)
        return;
      if (const reach needs = now(); !durable_.covers(needs)) {
        waiting_.push_back({needs, std::move(output)});
        return;
      }
    }
    output();
  }

  /// So much is durable. Finds somebody to run what waited for it, or does that.
  void reached(const reach& durable);

  /// Runs what may run; or leaves it to who is at it, and does not wait.
  void release();

  /// Whether others were asked and have not come yet.
  bool others_come() const { return others_come_; }

  /// Nothing that still waits ever runs, nor what is added from now on.
  void drop();

  /// The same as `release`, when nothing is reached any more: nothing is left that may run, and
  /// nobody is running it.
  void release_last();

private:
  struct waiting_output {
    reach needs;
    task run;
  };

  bool ask_others();
  bool release_due();

  const release_hooks hooks_;
  std::mutex mutex_;
  std::condition_variable released_;
  reach durable_;
  std::deque<waiting_output> waiting_;
  std::deque<waiting_output> due_;
  bool releasing_ = false; ///< somebody runs outputs
  bool dropped_ = false;
  std::atomic<bool> others_come_{false};
};

} // namespace purser
