// One subscription to the durable events, on a thread of its own, so that a slow subscriber delays
// nobody.
#pragma once

#include "runtime/engine.hpp"
#include "runtime/journal/group_commit.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace purser {

/// Wakes feeds when more has become durable. Thread-safe.
class feed_signal {
public:
  void raise();
  void close();
  /// Waits for a raise after `seen`, or the end. @returns false at the end.
  bool wait(std::uint64_t& seen, const std::atomic<bool>& stopping);

private:
  std::mutex mutex_;
  std::condition_variable raised_;
  std::uint64_t count_ = 1; // so that a first wait returns at once: there is a past to tell
  bool closed_ = false;
};

/// A stored event as subscribers see it. Throws journal_corrupt.
event_notice notice_of(const recorded_event& event);

class feed {
public:
  feed(group_commit_journal& journal, std::shared_ptr<feed_signal> signal, position after,
       std::function<void(const event_notice&)> on_event,
       std::function<void(const std::string&)> on_error);
  ~feed();

  /// Thread-safe. Not from `on_event`.
  void stop();

private:
  void run(position after);

  group_commit_journal& journal_;
  std::shared_ptr<feed_signal> signal_;
  std::function<void(const event_notice&)> on_event_;
  std::function<void(const std::string&)> on_error_;
  std::atomic<bool> stopping_{false};
  std::mutex joining_; ///< the subscriber and the engine may end it at the same time
  std::thread thread_;
};

} // namespace purser
