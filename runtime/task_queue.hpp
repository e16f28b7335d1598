// One thread that runs what is posted, in order.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace purser {

class task_queue {
public:
  using task = std::function<void()>;

  /// `on_error` gets the text of an exception that leaves a task.
  explicit task_queue(std::function<void(const std::string&)> on_error);

  /// Runs what has been posted, then ends.
  ~task_queue();

  /// Thread-safe; never blocks. Once the thread has ended, runs the task on the caller's.
  void post(task work);

  /// Until `let_go` what is posted waits: so that many tasks at once wake the thread once.
  /// Thread-safe.
  void hold();
  void let_go();

  /// Runs what has been posted, then ends the thread. Not from a task of this queue.
  void stop();

  bool on_this_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

private:
  void run();
  void guarded(task& work);

  std::function<void(const std::string&)> on_error_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::vector<task> tasks_;
  bool held_ = false;
  bool stopping_ = false;
  bool ended_ = false;
  std::thread thread_;
};

} // namespace purser
