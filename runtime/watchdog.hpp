// Notices what does not come to an end: a handler that hangs, a scheduler without a free thread, a
// disk that does not answer.
//
// W1 It looks at signs of progress from outside, on a thread of its own; what it watches may be
// stuck. W2 What is seen unchanged for `limit_ms` is told once, and once more when it goes on. W3
// It is never early; it is late by at most one look.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace purser {

/// Something that goes on at the moment of a look.
struct watched_work {
  std::string path;       ///< who: "root/shards/shard-3/order/o-1"
  std::string doing;      ///< what: "has handled one message"
  std::uint64_t turn = 0; ///< another number means that it made progress
};

/// Something that has not made progress for too long.
struct hang {
  std::string path;
  std::string doing;
  std::int64_t for_ms = 0;

  friend bool operator==(const hang&, const hang&) = default;
};

/// "root/shards/shard-3/order/o-1 has handled one message for 2,150 ms".
std::string to_text(const hang& found);

/// The rule W2, without a thread or a clock.
class hang_rule {
public:
  explicit hang_rule(std::int64_t limit_ms) : limit_ms_(limit_ms) {}

  struct verdict {
    std::vector<hang> begun; ///< hang since this look
    std::vector<hang> ended; ///< hung until the look before, and go on
    std::vector<hang> all;   ///< hang now
  };

  verdict look(std::int64_t now_ms, const std::vector<watched_work>& work);

private:
  struct seen {
    std::uint64_t turn = 0;
    std::int64_t since_ms = 0;
    std::int64_t last_ms = 0;
    bool told = false;
    std::string doing;
  };
  std::int64_t limit_ms_;
  std::map<std::string, seen> seen_; ///< by path
};

class watchdog {
public:
  struct hooks {
    std::function<std::vector<watched_work>()> look;
    std::function<void(const hang&)> on_hang;
    std::function<void(const hang&)> on_progress;
  };

  /// Looks eight times within `limit_ms`. The hooks run on its thread and must not block.
  watchdog(std::int64_t limit_ms, hooks to);
  ~watchdog();

  /// What hangs now. Thread-safe.
  std::vector<hang> hangs() const;

private:
  void run();

  std::int64_t limit_ms_;
  hooks hooks_;
  hang_rule rule_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<hang> hangs_;
  std::thread thread_;
};

} // namespace purser
