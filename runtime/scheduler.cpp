#include "runtime/scheduler.hpp"

#include "actors/wake.hpp"
#include "runtime/threads.hpp"

// Every time an actor gets its turn, CAF's worker tells the logger its id: a dynamic_cast and a map
// under a lock. Nobody reads CAF's log here.
#include <caf/logger.hpp>
#undef CAF_PUSH_AID_FROM_PTR
#define CAF_PUSH_AID_FROM_PTR(actor) static_cast<void>(0)

#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/policy/unprofiled.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

namespace purser {

namespace {

/// Jobs that are ready to run. Thread-safe.
class run_queue {
public:
  void push(caf::resumable* job) {
    const std::lock_guard lock{mutex_};
    jobs_.push_back(job);
    count_.store(jobs_.size(), std::memory_order_relaxed);
  }

  caf::resumable* pop() {
    if (empty())
      return nullptr;
    const std::lock_guard lock{mutex_};
    if (jobs_.empty())
      return nullptr;
    auto* job = jobs_.front();
    jobs_.pop_front();
    count_.store(jobs_.size(), std::memory_order_relaxed);
    return job;
  }

  /// Takes half, rounded up: the oldest is returned, the others go to `to`.
  caf::resumable* take_half(run_queue& to) {
    if (empty())
      return nullptr;
    std::deque<caf::resumable*> taken;
    {
      const std::lock_guard lock{mutex_};
      const auto half = jobs_.begin() + static_cast<std::ptrdiff_t>((jobs_.size() + 1) / 2);
      taken.assign(jobs_.begin(), half);
      jobs_.erase(jobs_.begin(), half);
      count_.store(jobs_.size(), std::memory_order_relaxed);
    }
    if (taken.empty())
      return nullptr;
    auto* first = taken.front();
    taken.pop_front();
    if (!taken.empty()) {
      const std::lock_guard lock{to.mutex_};
      to.jobs_.insert(to.jobs_.end(), taken.begin(), taken.end());
      to.count_.store(to.jobs_.size(), std::memory_order_relaxed);
    }
    return first;
  }

  /// As good a guess as can be had without the lock.
  bool empty() const { return size() == 0; }
  std::size_t size() const { return count_.load(std::memory_order_relaxed); }

private:
  std::mutex mutex_;
  std::deque<caf::resumable*> jobs_;
  std::atomic<std::size_t> count_{0};
};

/// What a thread does between two actors. It is there for as long as the scheduler.
class urgent_job final : public caf::resumable {
public:
  explicit urgent_job(std::function<void()> work) : work_(std::move(work)) {}

  subtype_t subtype() const override { return caf::resumable::function_object; }
  resume_result resume(caf::execution_unit*, std::size_t) override {
    work_();
    return caf::resumable::awaiting_message;
  }
  void intrusive_ptr_add_ref_impl() override {}
  void intrusive_ptr_release_impl() override {}

private:
  std::function<void()> work_;
};

/// A policy for caf::scheduler::coordinator; see scheduler.hpp.
class local_first : public caf::policy::unprofiled {
public:
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator* of)
        : load(dynamic_cast<const scheduler_config&>(of->system().config()).load_told()),
          urgent(dynamic_cast<const scheduler_config&>(of->system().config()).urgent_work()) {}
    scheduler_load& load;
    urgent_job urgent;
    std::atomic<bool> urgent_waits{false};
    run_queue shared; ///< from threads that are no workers
    std::atomic<std::size_t> sleepers{0};
    std::atomic<std::size_t> sound_asleep{0}; ///< of them: until they are woken
    std::atomic<bool> waking{false};          ///< one of them is about to look around
    std::mutex mutex;                         ///< of sleeping
    std::condition_variable wake;
  };

  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
    worker_data(const worker_data& /*initial*/) {}
    worker_data& operator=(const worker_data&) = delete;
    run_queue mine;
    unsigned turns = 0;
    bool begun = false; ///< `load` was told
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    self->data().shared.push(job);
    wake_one(self->data());
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    auto& mine = self->data().mine;
    mine.push(job);
    if (mine.size() > 1)
      wake_one(self->parent()->data());
  }

  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    internal_enqueue(self, job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    auto& all = self->parent()->data();
    auto& own = self->data();
    if (!std::exchange(own.begun, true))
      all.load.begins();
    if (auto* job = take_urgent(all))
      return job;
    if (++own.turns % turns_before_others == 0)
      if (auto* job = all.shared.pop())
        return job;
    if (auto* job = own.mine.pop())
      return job;
    for (;;) {
      auto* job = take_urgent(all);
      if (job == nullptr)
        job = from_others(self);
      if (job != nullptr) {
        let_one_look_around(all);
        return job;
      }
      sleep(self);
    }
  }

  template <class Worker>
  void before_resume(Worker* self, caf::resumable*) {
    runs_actors_here(self);
  }

  template <class Worker>
  void before_shutdown(Worker* self) {
    if (self->data().begun)
      self->parent()->data().load.ends();
  }

  template <class Worker, class Visit>
  void foreach_resumable(Worker* self, Visit visit) {
    while (auto* job = self->data().mine.pop())
      visit(job);
  }

  template <class Coordinator, class Visit>
  void foreach_central_resumable(Coordinator* self, Visit visit) {
    while (auto* job = self->data().shared.pop())
      visit(job);
  }

  static void urgently(coordinator_data& all) {
    all.urgent_waits = true;
    wake_one(all);
  }

private:
  /// Of a thread that has nothing to do.
  class idle_time {
  public:
    explicit idle_time(scheduler_load& load) : load_(load) { load_.ends(); }
    ~idle_time() { load_.begins(); }
    idle_time(const idle_time&) = delete;
    idle_time& operator=(const idle_time&) = delete;

  private:
    scheduler_load& load_;
  };

  static constexpr unsigned turns_before_others = 61;
  static constexpr std::chrono::milliseconds longest_held_up{1};

  static caf::resumable* take_urgent(coordinator_data& all) {
    const bool waits = all.urgent_waits.load(std::memory_order_relaxed); // cheaper, and seldom so
    return waits && all.urgent_waits.exchange(false) ? &all.urgent : nullptr;
  }

  /// T2: of those that sleep until they are woken, while this one works. There are some only when
  /// this one slept, too.
  static void let_one_look_around(coordinator_data& all) {
    if (all.sound_asleep.load() > 0)
      all.wake.notify_one();
  }

  template <class Worker>
  static void sleep(Worker* self) {
    auto& all = self->parent()->data();
    const idle_time idle{all.load};
    std::unique_lock lock{all.mutex};
    const auto sleepers = all.sleepers.fetch_add(1) + 1;
    all.waking = false; // who says so from now on tells us when we sleep: it needs the lock first
    if (!anything(self)) { // whoever pushes after this sees that we sleep
      if (sleepers == self->parent()->num_workers()) {
        ++all.sound_asleep;
        all.wake.wait(lock);
        --all.sound_asleep;
      } else // T2: the others run, and what they wake for themselves wakes nobody
        all.wake.wait_for(lock, longest_held_up);
    }
    all.sleepers.fetch_sub(1);
    all.waking.exchange(false); // it sees what was pushed by whoever left it to us
  }

  /// Unless one is about to come: it wakes the next one if there is more than it can do.
  static void wake_one(coordinator_data& all) {
    std::atomic_thread_fence(std::memory_order_seq_cst); // between the push and the look
    if (all.sleepers.load(std::memory_order_relaxed) == 0 || all.waking.exchange(true))
      return;
    { const std::lock_guard asleep{all.mutex}; } // who has looked around sleeps now
    all.wake.notify_one();                       // without the lock, which it needs at once
  }

  template <class Worker>
  static bool anything(Worker* self) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    auto& parent = *self->parent();
    if (!parent.data().shared.empty() || parent.data().urgent_waits)
      return true;
    for (std::size_t i = 0; i < parent.num_workers(); ++i)
      if (!parent.worker_by_id(i)->data().mine.empty())
        return true;
    return false;
  }

  template <class Worker>
  static caf::resumable* from_others(Worker* self) {
    auto& parent = *self->parent();
    auto& mine = self->data().mine;
    auto* job = parent.data().shared.take_half(mine);
    for (std::size_t i = 1; job == nullptr && i < parent.num_workers(); ++i)
      job =
        parent.worker_by_id((self->id() + i) % parent.num_workers())->data().mine.take_half(mine);
    if (job != nullptr && !(mine.empty() && parent.data().shared.empty()))
      wake_one(parent.data());
    return job;
  }
};

/// Whenever an actor ends, CAF cancels its timeouts: a lock and a wake-up of the timer's thread,
/// for an actor that never had one. This clock knows who has.
class quiet_clock final : public caf::detail::thread_safe_actor_clock {
public:
  using super = caf::detail::thread_safe_actor_clock;

  void set_ordinary_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override {
    note(self);
    super::set_ordinary_timeout(when, self, type, id);
  }

  void set_request_timeout(time_point when, caf::abstract_actor* self,
                           caf::message_id id) override {
    note(self);
    super::set_request_timeout(when, self, id);
  }

  void set_multi_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override {
    note(self);
    super::set_multi_timeout(when, self, type, id);
  }

  void cancel_timeouts(caf::abstract_actor* self) override {
    if (count_.load(std::memory_order_acquire) == 0)
      return;
    {
      const std::lock_guard lock{mutex_};
      if (with_timeouts_.erase(self) == 0)
        return;
      count_.store(with_timeouts_.size(), std::memory_order_release);
    }
    super::cancel_timeouts(self);
  }

private:
  /// By the actor's own thread, so before its end.
  void note(caf::abstract_actor* actor) {
    const std::lock_guard lock{mutex_};
    with_timeouts_.insert(actor);
    count_.store(with_timeouts_.size(), std::memory_order_release);
  }

  std::mutex mutex_;
  std::unordered_set<caf::abstract_actor*> with_timeouts_;
  std::atomic<std::size_t> count_{0};
};

class quiet_coordinator final : public caf::scheduler::coordinator<local_first> {
public:
  using super = caf::scheduler::coordinator<local_first>;
  using super::super;

  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new quiet_coordinator(system); // owned by the system
  }

  caf::detail::thread_safe_actor_clock& clock() noexcept override { return clock_; }

  void urgently() { local_first::urgently(data()); }

protected:
  void start() override {
    dispatcher_ = std::thread{[this] {
      caf::detail::set_thread_name("caf.timers");
      clock_.run_dispatch_loop();
    }};
    super::start();
  }

  void stop() override {
    super::stop();
    clock_.cancel_dispatch_loop();
    dispatcher_.join();
  }

private:
  quiet_clock clock_;
  std::thread dispatcher_; ///< beside the base's own, whose clock nobody uses
};

} // namespace

void do_urgent_work(caf::actor_system& system) {
  dynamic_cast<quiet_coordinator&>(system.scheduler()).urgently();
}

scheduler_config::scheduler_config(unsigned threads, scheduler_load* load,
                                   std::function<void()> urgent)
    : load_(load == nullptr ? &unwatched_ : load), urgent_(std::move(urgent)) {
  set("scheduler.max-threads", std::size_t{threads_or_cores(threads)});
  this->load<quiet_coordinator>();
}

} // namespace purser
