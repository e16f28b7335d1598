#include "runtime/scheduler.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

using namespace purser;
using namespace std::chrono_literals;

namespace {

using go_atom = caf::atom_constant<caf::atom("go")>;

struct scheduled_system {
  explicit scheduled_system(unsigned threads, scheduler_load* load = nullptr,
                            std::function<void()> urgent = {})
      : config(threads, load, std::move(urgent)), system(config) {}

  scheduler_config config;
  caf::actor_system system;
};

/// Tells when it runs, and blocks its thread until it may end.
caf::actor spawn_blocked(caf::actor_system& system, std::promise<void>& runs,
                         std::shared_future<void> may_end) {
  return system.spawn(
    [](caf::event_based_actor*, std::promise<void>* began,
       std::shared_future<void> end) -> caf::behavior {
      return {[began, end](go_atom) {
        began->set_value();
        end.wait();
      }};
    },
    &runs, std::move(may_end));
}

/// Waits long for what comes at once; false: it does not come.
bool comes(const std::future<void>& what) {
  return what.wait_for(20s) == std::future_status::ready;
}

} // namespace

TEST_CASE("T2: an actor that blocks does not hold up what it has woken") {
  scheduled_system world{2};
  std::promise<void> ran;
  const auto has_run = ran.get_future().share();
  std::promise<bool> saw;
  const auto second = world.system.spawn(
    [](caf::event_based_actor*, std::promise<void>* done) -> caf::behavior {
      return {[done](go_atom) { done->set_value(); }};
    },
    &ran);
  const auto first = world.system.spawn(
    [](caf::event_based_actor* self, const caf::actor& other, std::shared_future<void> its_end,
       std::promise<bool>* told) -> caf::behavior {
      return {[self, other, its_end, told](go_atom) {
        self->send(other, go_atom::value);
        told->set_value(its_end.wait_for(20s) == std::future_status::ready); // it blocks here
      }};
    },
    second, has_run, &saw);

  std::this_thread::sleep_for(50ms); // all threads sleep: an engine that has been idle
  caf::anon_send(first, go_atom::value);

  CHECK(saw.get_future().get());
  caf::anon_send_exit(first, caf::exit_reason::kill);
  caf::anon_send_exit(second, caf::exit_reason::kill);
}

TEST_CASE("T2: nor does it when a thread had just fallen asleep") {
  scheduled_system world{2};
  constexpr int rounds = 400;
  constexpr int pauses = 13; // of 100 us: shorter than a look around, and longer
  std::atomic<int> ran{0};
  const auto second = world.system.spawn(
    [](caf::event_based_actor*, std::atomic<int>* times) -> caf::behavior {
      return {[times](go_atom) { ++*times; }};
    },
    &ran);
  std::atomic<int> blocked{0};
  std::atomic<int> held_up{0};
  const auto first = world.system.spawn(
    [](caf::event_based_actor* self, const caf::actor& other, const std::atomic<int>* times,
       std::atomic<int>* rounds_done, std::atomic<int>* failures) -> caf::behavior {
      return {[self, other, times, rounds_done, failures](go_atom) {
        const auto before = times->load();
        self->send(other, go_atom::value);
        const auto until = std::chrono::steady_clock::now() + 5s;
        while (times->load() == before && std::chrono::steady_clock::now() < until)
          std::this_thread::sleep_for(50us); // it blocks here
        if (times->load() == before)
          ++*failures;
        ++*rounds_done;
      }};
    },
    second, &ran, &blocked, &held_up);
  for (int round = 1; round <= rounds && held_up == 0; ++round) {
    std::this_thread::sleep_for((round % pauses) * 100us);
    caf::anon_send(first, go_atom::value);
    while (blocked < round)
      std::this_thread::yield();
  }
  CHECK(held_up == 0);
  caf::anon_send_exit(first, caf::exit_reason::kill);
  caf::anon_send_exit(second, caf::exit_reason::kill);
}

TEST_CASE("T2: an actor that blocks does not hold up what comes from elsewhere, few or many") {
  constexpr std::size_t most = 12;
  scheduled_system world{2};
  for (std::size_t count = 1; count <= most; ++count) {
    CAPTURE(count);
    std::promise<void> runs;
    std::promise<void> may_end;
    const auto blocked = spawn_blocked(world.system, runs, may_end.get_future().share());
    caf::anon_send(blocked, go_atom::value);
    REQUIRE(comes(runs.get_future()));
    std::atomic<std::size_t> left{count};
    std::promise<void> all_ran;
    std::vector<caf::actor> others;
    for (std::size_t i = 0; i < count; ++i) {
      others.push_back(world.system.spawn(
        [](caf::event_based_actor*, std::atomic<std::size_t>* missing,
           std::promise<void>* done) -> caf::behavior {
          return {[missing, done](go_atom) {
            if (missing->fetch_sub(1) == 1)
              done->set_value();
          }};
        },
        &left, &all_ran));
      caf::anon_send(others.back(), go_atom::value);
    }
    CHECK(comes(all_ran.get_future())); // while it blocks
    may_end.set_value();
    for (const auto& actor : others)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    caf::anon_send_exit(blocked, caf::exit_reason::kill);
  }
}

TEST_CASE("urgent work is done by a thread of actors, one that sleeps or one between two actors") {
  std::atomic<int> done{0};
  std::promise<void> once;
  std::promise<void> twice;
  scheduled_system world{1, nullptr, [&] {
                           const auto times = ++done;
                           if (times == 1)
                             once.set_value();
                           if (times == 2)
                             twice.set_value();
                         }};
  std::this_thread::sleep_for(50ms); // it sleeps: an engine that has been idle
  do_urgent_work(world.system);
  REQUIRE(comes(once.get_future()));

  // One actor blocks the only thread, many others wait for it: they do not come first.
  std::promise<void> runs;
  std::promise<void> may_end;
  std::atomic<int> others_ran{0};
  std::atomic<int> ran_before{-1};
  const auto blocked = spawn_blocked(world.system, runs, may_end.get_future().share());
  caf::anon_send(blocked, go_atom::value);
  REQUIRE(comes(runs.get_future()));
  std::vector<caf::actor> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(world.system.spawn(
      [](caf::event_based_actor*, std::atomic<int>* ran, const std::atomic<int>* urgent,
         std::atomic<int>* before) -> caf::behavior {
        return {[ran, urgent, before](go_atom) {
          if (urgent->load() < 2)
            before->store(ran->load());
          ++*ran;
        }};
      },
      &others_ran, &done, &ran_before));
    caf::anon_send(others.back(), go_atom::value);
  }
  do_urgent_work(world.system);
  may_end.set_value();
  REQUIRE(comes(twice.get_future()));
  CHECK(ran_before == -1); // none of them found it undone
  for (const auto& actor : others)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  caf::anon_send_exit(blocked, caf::exit_reason::kill);
}

TEST_CASE("a load is busy while an actor runs, and tells when none does any more") {
  std::atomic<int> told{0};
  scheduler_load load{[&told] { ++told; }};
  scheduled_system world{2, &load};
  for (int round = 0; round < 20; ++round) {
    const auto comes_true = [](auto holds) {
      const auto until = std::chrono::steady_clock::now() + 20s;
      while (!holds()) { // asked once: a thread that looks around is busy for a moment
        if (std::chrono::steady_clock::now() >= until)
          return false;
        std::this_thread::yield();
      }
      return true;
    };
    REQUIRE(comes_true([&] { return !load.busy(); }));
    std::promise<void> runs;
    std::promise<void> may_end;
    const auto blocked = spawn_blocked(world.system, runs, may_end.get_future().share());
    caf::anon_send(blocked, go_atom::value);
    REQUIRE(comes(runs.get_future()));
    CHECK(load.busy());
    const auto before = told.load();
    CHECK(load.busy()); // so `before` was read while it ran
    may_end.set_value();
    CHECK(comes_true([&] { return !load.busy(); }));
    CHECK(comes_true([&] { return told > before; }));
    caf::anon_send_exit(blocked, caf::exit_reason::kill);
  }
}

TEST_CASE("messages from many threads to many actors all arrive, on one thread and on several") {
  for (const unsigned threads : {1U, 2U, 5U}) {
    CAPTURE(threads);
    constexpr std::size_t actors = 200;
    constexpr std::size_t senders = 4;
    constexpr std::size_t rounds = 50;
    std::atomic<std::size_t> left{actors * senders * rounds * 2};
    std::promise<void> all;
    {
      scheduled_system world{threads};
      std::vector<caf::actor> targets;
      for (std::size_t i = 0; i < actors; ++i)
        targets.push_back(world.system.spawn(
          [](caf::event_based_actor* self, std::atomic<std::size_t>* count,
             std::promise<void>* done) -> caf::behavior {
            return {[self, count, done](go_atom, bool again) {
              if (again)
                self->send(self, go_atom::value, false); // from within
              if (count->fetch_sub(1) == 1)
                done->set_value();
            }};
          },
          &left, &all));
      std::vector<std::thread> threads_of_senders;
      for (std::size_t i = 0; i < senders; ++i)
        threads_of_senders.emplace_back([&targets] {
          for (std::size_t round = 0; round < rounds; ++round)
            for (const auto& target : targets)
              caf::anon_send(target, go_atom::value, true);
        });
      for (auto& each : threads_of_senders)
        each.join();
      CHECK(comes(all.get_future()));
      for (const auto& target : targets) // all at once
        caf::anon_send_exit(target, caf::exit_reason::kill);
    }
    CHECK(left == 0);
  }
}

TEST_CASE("T3: whoever wakes a thread just as it falls asleep is heard") {
  scheduled_system world{2};
  constexpr int rounds = 20'000;
  // Each client waits until it is answered: threads sleep again and again.
  std::vector<std::thread> clients;
  std::atomic<int> lost{0};
  for (int client = 0; client < 2; ++client)
    clients.emplace_back([&] {
      std::atomic<int> answered{0};
      const auto target = world.system.spawn(
        [](caf::event_based_actor*, std::atomic<int>* count) -> caf::behavior {
          return {[count](go_atom) { ++*count; }};
        },
        &answered);
      const auto until = std::chrono::steady_clock::now() + 60s;
      for (int round = 1; round <= rounds; ++round) {
        caf::anon_send(target, go_atom::value);
        while (answered < round) {
          if (std::chrono::steady_clock::now() > until) {
            ++lost;
            return;
          }
          std::this_thread::yield();
        }
      }
      caf::anon_send_exit(target, caf::exit_reason::kill);
    });
  for (auto& client : clients)
    client.join();
  CHECK(lost == 0);
}

TEST_CASE("timeouts and delayed messages come, and those of an actor that has ended do not") {
  scheduled_system world{2};
  caf::scoped_actor self{world.system};
  const auto silent = world.system.spawn(
    [](caf::event_based_actor* actor, int) -> caf::behavior {
      actor->set_default_handler(caf::drop);
      return {[actor](go_atom) {
        return actor->make_response_promise(); // never kept
      }};
    },
    0);

  caf::error failure;
  self->request(silent, 5ms, go_atom::value)
    .receive([] {}, [&](const caf::error& error) { failure = error; });
  CHECK(failure == caf::sec::request_timeout);

  std::promise<void> came;
  const auto waits = world.system.spawn(
    [](caf::event_based_actor* actor, std::promise<void>* done) -> caf::behavior {
      actor->delayed_send(actor, 2ms, go_atom::value);
      return {[done](go_atom) { done->set_value(); }};
    },
    &came);
  CHECK(comes(came.get_future()));

  for (int i = 0; i < 100; ++i) { // each ends with a request that will time out
    const auto impatient = world.system.spawn(
      [](caf::event_based_actor* actor, const caf::actor& other) {
        actor->request(other, 1ms, go_atom::value).then([] {});
        actor->quit();
      },
      silent);
    self->wait_for(impatient);
  }
  caf::anon_send_exit(silent, caf::exit_reason::kill);
  caf::anon_send_exit(waits, caf::exit_reason::kill);
}
