// How CAF's actors get their turn on the threads: the one place that decides it
// (docs/performance.md).
#pragma once

#include <caf/actor_system_config.hpp>

#include <atomic>
#include <functional>
#include <utility>

namespace purser {

/// Whether actors run, for who has something to do when none does. Thread-safe.
class scheduler_load {
public:
  /// `on_idle` is called on the thread that has nothing to do any more, when no other has either.
  /// It must be short, and must not throw.
  explicit scheduler_load(std::function<void()> on_idle) : on_idle_(std::move(on_idle)) {}

  /// Of a thread that runs actors.
  void begins() { running_.fetch_add(1); }
  void ends() {
    if (running_.fetch_sub(1) == 1)
      on_idle_();
  }

  bool busy() const { return running_.load() != 0; }

private:
  std::function<void()> on_idle_;
  std::atomic<int> running_{0}; ///< threads that look for work or have it
};

/// A system whose actors run on `threads` threads (0: as many as the machine has cores).
///
/// T1 What an actor wakes stays on its thread, unless another one has nothing to do: the next step
///    of a workflow finds its data in the cache, and nobody has to be woken.
/// T2 A thread without work takes half of what waits at another one, within a millisecond: an actor
///    that blocks holds up nobody but itself.
/// T3 A thread without anything to do anywhere sleeps, and costs nothing.
/// T4 One thread is woken at a time. It wakes the next if there is more than it can do.
class scheduler_config : public caf::actor_system_config {
public:
  /// `load` is told, and must outlive the system; null: nobody is.
  /// `urgent`: see do_urgent_work.
  explicit scheduler_config(unsigned threads, scheduler_load* load = nullptr,
                            std::function<void()> urgent = {});

  scheduler_load& load_told() const noexcept { return *load_; }
  const std::function<void()>& urgent_work() const noexcept { return urgent_; }

private:
  scheduler_load unwatched_{[] {}};
  scheduler_load* load_;
  std::function<void()> urgent_;
};

/// The next thread that has run its actor does the system's urgent work before it runs another; one
/// that sleeps is woken for it. Nobody does once the system ends. Thread-safe.
void do_urgent_work(caf::actor_system& system);

} // namespace purser
