// What waits for the disk, without one (runtime/journal/durable_outputs.hpp). With a journal:
// journal_test.cpp.
#include "runtime/journal/durable_outputs.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace purser;

namespace {

using reach = durable_outputs::reach;

/// Notes a name when it runs.
struct notes {
  std::string ran;

  durable_outputs::task note(char name) {
    return [this, name] { ran += name; };
  }
};

auto at(position events, std::uint64_t records = 0) {
  return [=] { return reach{events, records}; };
}

} // namespace

TEST_CASE("an output waits for the events and for the records that it needs, both") {
  notes seen;
  durable_outputs outputs{{}};
  outputs.reached({10, 2});
  outputs.add(at(10, 2), seen.note('a')); // durable already
  CHECK(seen.ran == "a");
  outputs.add(at(11, 2), seen.note('b'));
  outputs.add(at(11, 3), seen.note('c'));
  outputs.add(at(12, 3), seen.note('d'));
  CHECK(seen.ran == "a");
  outputs.reached({11, 2});
  CHECK(seen.ran == "ab");
  outputs.reached({13, 2}); // a record is missing, and nobody overtakes
  CHECK(seen.ran == "ab");
  outputs.reached({13, 3});
  CHECK(seen.ran == "abcd");
}

TEST_CASE("what is dropped never runs, what was reached before does") {
  notes seen;
  durable_outputs outputs{{[] { return true; }, {}, {}}}; // others come for it, later
  outputs.add(at(1), seen.note('a'));
  outputs.add(at(2), seen.note('b'));
  outputs.reached({1, 0});
  outputs.drop();
  outputs.add(at(1), seen.note('c'));
  outputs.reached({2, 0});
  CHECK(seen.ran.empty());
  outputs.release_last();
  CHECK(seen.ran == "a");
}

TEST_CASE("who releases runs what becomes due meanwhile, unless others come for that") {
  for (const bool others : {false, true}) {
    CAPTURE(others);
    notes seen;
    int asked = 0;
    int brackets = 0;
    durable_outputs outputs{{[&] {
                               ++asked;
                               return others;
                             },
                             [&] { ++brackets; }, [&] { --brackets; }}};
    outputs.add(at(1), [&] {
      CHECK(brackets == 1);
      seen.ran += 'a';
      outputs.reached({2, 0}); // as the writer does while somebody else releases
      CHECK(seen.ran == "a");  // one at a time
    });
    outputs.add(at(2), seen.note('b'));
    outputs.reached({1, 0});
    if (others) {
      CHECK(asked == 1);
      CHECK(outputs.others_come());
      outputs.release(); // they come
      CHECK(seen.ran == "a");
      CHECK(asked == 3); // by the writer, and by who had more left when it was done
      CHECK(outputs.others_come());
      outputs.release();
    }
    CHECK(seen.ran == "ab");
    CHECK(brackets == 0);
  }
}

TEST_CASE("the last release waits for who is at it") {
  std::promise<void> begun;
  std::promise<void> may_end;
  std::atomic<bool> ended{false};
  durable_outputs outputs{{[] { return true; }, {}, {}}};
  outputs.add(at(1), [&] {
    begun.set_value();
    may_end.get_future().wait();
    ended = true;
  });
  outputs.add(at(2), [] {});
  outputs.reached({1, 0});
  std::thread other{[&] { outputs.release(); }};
  begun.get_future().wait();
  std::thread lets_go{[&] { may_end.set_value(); }};
  outputs.release_last();
  CHECK(ended);
  other.join();
  lets_go.join();
}

TEST_CASE("whoever adds while it is reached: everything runs once, and none before its time") {
  constexpr int adders = 3;
  constexpr position each = 20'000;
  std::atomic<position> given{0};
  std::atomic<position> durable{0};
  std::atomic<position> ran{0};
  std::atomic<position> too_early{0};
  durable_outputs outputs{{}};
  std::vector<std::thread> threads;
  for (int i = 0; i < adders; ++i)
    threads.emplace_back([&] {
      for (position n = 0; n < each; ++n) {
        const auto mine = ++given;
        outputs.add(
          [&] {
            return reach{given.load(), 0};
          },
          [&, mine] {
            too_early += durable < mine ? 1 : 0;
            ++ran;
          });
      }
    });
  std::thread writer{[&] {
    while (ran < adders * each) {
      durable = given.load();
      outputs.reached({durable, 0});
    }
  }};
  for (auto& thread : threads)
    thread.join();
  writer.join();
  CHECK(ran == adders * each);
  CHECK(too_early == 0);
}
