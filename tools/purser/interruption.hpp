// SIGINT and SIGTERM: the first asks a command to stop in order within a bound; the second ends it
// at once; the bound ends it too, and says what did not stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace purser::tools {

/// How long a command that was interrupted may take to stop, unless --stop-within says otherwise.
inline constexpr std::int64_t default_stop_within_ms = 10'000;

/// The longest --stop-within.
inline constexpr std::int64_t longest_stop_within_ms = 3'600'000;

/// It was interrupted, and something did not stop within the bound (as timeout(1) says it).
inline constexpr int exit_did_not_stop = 124;

class interruption {
public:
  /// From now on this thread, and every thread that it starts, leaves both signals to this object:
  /// make it before the engine. `notes`: tell people on standard error.
  explicit interruption(std::int64_t stop_within_ms, bool notes = true);

  /// The signals do again what they did before.
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  bool happened() const noexcept { return signal_.load() != 0; }

  /// A file that is readable once it has happened, to be polled beside others.
  int file() const noexcept { return happened_; }

  /// "SIGTERM"; empty before.
  std::string name() const;

  /// 128 + the signal, as shells expect it.
  int exit_code() const noexcept;

  /// What is being waited for: told when the bound has passed.
  void now_at(std::string part);

  /// Who knows more about it then; called on another thread. nullptr: nobody any more.
  void on_overdue(std::function<std::vector<std::string>()> reasons);

private:
  void watch();
  [[noreturn]] void overdue();

  std::int64_t stop_within_ms_;
  bool notes_;
  std::atomic<int> signal_{0};
  int signals_ = -1;  ///< the signals, as a file
  int happened_ = -1; ///< readable once one has come
  int ended_ = -1;    ///< readable: the watch ends
  std::mutex mutex_;
  std::string part_ = "its start";
  std::function<std::vector<std::string>()> reasons_;
  std::thread thread_;
};

} // namespace purser::tools
