#include "runtime/task_queue.hpp"

#include "runtime/thread_name.hpp"

#include <exception>
#include <utility>

namespace purser {

task_queue::task_queue(std::function<void(const std::string&)> on_error)
    : on_error_(std::move(on_error)), thread_([this] { run(); }) {}

task_queue::~task_queue() {
  stop();
}

void task_queue::post(task work) {
  std::unique_lock lock{mutex_};
  if (ended_) {
    lock.unlock();
    return guarded(work);
  }
  tasks_.push_back(std::move(work));
  const bool wakes = tasks_.size() == 1 && !held_;
  lock.unlock(); // the thread that is woken needs it at once
  if (wakes)
    posted_.notify_one();
}

void task_queue::hold() {
  const std::lock_guard lock{mutex_};
  held_ = true;
}

void task_queue::let_go() {
  std::unique_lock lock{mutex_};
  held_ = false;
  const bool wakes = !tasks_.empty();
  lock.unlock();
  if (wakes)
    posted_.notify_one();
}

void task_queue::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    posted_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
}

void task_queue::guarded(task& work) {
  try {
    work();
  } catch (const std::exception& error) {
    on_error_(error.what());
  } catch (...) {
    on_error_("an exception that is no std::exception");
  }
}

void task_queue::run() {
  name_thread("callbacks");
  std::vector<task> batch;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      posted_.wait(lock, [this] { return stopping_ || (!tasks_.empty() && !held_); });
      ended_ = tasks_.empty();
      if (ended_)
        return;
      batch.swap(tasks_);
    }
    for (auto& work : batch) {
      guarded(work);
      work = nullptr; // what it holds may have a say when it goes
    }
    batch.clear();
  }
}

} // namespace purser
