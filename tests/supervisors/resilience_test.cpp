#include "supervisors/bulkhead.hpp"
#include "supervisors/deadline.hpp"
#include "supervisors/retry_budget.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace purser::supervisors;

TEST_CASE("a retry budget lets at most its fraction of all calls be retried, in the long run") {
  retry_policy policy;
  policy.retries_per_1000_calls = 100;
  policy.burst = 10;
  retry_budget budget{policy};
  auto retries = 0;

  for (auto i = 0; i < 10'000; ++i) { // everything fails
    budget.on_call();
    retries += budget.retry_after_ms(1, 0.5) ? 1 : 0;
  }

  CHECK(retries <= 10'000 / 10 + 10);
  CHECK(retries >= 10'000 / 10);
}

TEST_CASE("a retry budget saves up no more than its burst") {
  retry_policy policy;
  policy.burst = 3;
  retry_budget budget{policy};
  for (auto i = 0; i < 10'000; ++i)
    budget.on_call();

  for (auto i = 0; i < 3; ++i)
    CHECK(budget.retry_after_ms(1, 0.5));

  CHECK_FALSE(budget.retry_after_ms(1, 0.5));
}

TEST_CASE("a retry waits for its backoff, with jitter, and a call has so many attempts") {
  retry_policy policy;
  policy.attempts = 3;
  policy.backoff = backoff_policy{100, 1'000, 0.2};
  retry_budget budget{policy};

  CHECK(budget.retry_after_ms(1, 0.5) == 100);
  CHECK(budget.retry_after_ms(2, 0.5) == 200);
  CHECK(budget.retry_after_ms(2, 0.0) == 160);
  CHECK_FALSE(budget.retry_after_ms(3, 0.5));
}

TEST_CASE("a bulkhead runs so many, lets so many wait and refuses the rest") {
  bulkhead wall{2, 1};

  CHECK(wall.enter() == bulkhead::entry::run);
  CHECK(wall.enter() == bulkhead::entry::run);
  CHECK(wall.enter() == bulkhead::entry::wait);
  CHECK(wall.enter() == bulkhead::entry::refuse);
  CHECK(wall.running() == 2);
  CHECK(wall.waiting() == 1);
}

TEST_CASE("in a bulkhead one who waits runs in the place of one who leaves") {
  bulkhead wall{1, 2};
  wall.enter();
  wall.enter();
  wall.enter();

  CHECK(wall.leave());
  CHECK(wall.running() == 1);
  CHECK(wall.leave());
  CHECK_FALSE(wall.leave());

  CHECK(wall.running() == 0);
  CHECK(wall.enter() == bulkhead::entry::run);
}

TEST_CASE("in a bulkhead the place of one who gave up waiting is free") {
  bulkhead wall{1, 1};
  wall.enter();
  wall.enter();

  wall.abandon();

  CHECK(wall.enter() == bulkhead::entry::wait);
  CHECK(wall.leave());
}

TEST_CASE("a deadline has remaining time until it has passed") {
  constexpr auto end = deadline::at(1'000);

  CHECK(end.remaining_ms(400) == 600);
  CHECK_FALSE(end.passed(999));
  CHECK(end.passed(1'000));
  CHECK(end.remaining_ms(5'000) == 0);
}

TEST_CASE("of nested deadlines the earliest wins") {
  constexpr auto outer = deadline::at(1'000);

  CHECK(outer.within(0, 300) == deadline::at(300));
  CHECK(outer.within(800, 300) == outer);
  CHECK(outer.within(0, 300).within(100, 500) == deadline::at(300));
}

TEST_CASE("a deadline that never passes bounds nothing, however long one may wait") {
  constexpr deadline never;

  CHECK(never.is_never());
  CHECK_FALSE(never.passed(std::numeric_limits<std::int64_t>::max()));
  CHECK(never.within(10, 5) == deadline::at(15));
  CHECK(never.within(10, std::numeric_limits<std::int64_t>::max()).is_never());
  CHECK(never.within(0, 5) < never);
}
