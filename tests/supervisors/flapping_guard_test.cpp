#include "supervisors/flapping_guard.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;

namespace {

constexpr flapping_policy policy{3, 60'000, 5'000, 6};

} // namespace

TEST_CASE("B7: a node that comes up more than so often within the period is fenced") {
  flapping_guard guard{policy};

  CHECK(guard.on_up(0) == node_verdict::admit);
  CHECK(guard.on_up(10'000) == node_verdict::admit);
  CHECK(guard.on_up(20'000) == node_verdict::admit);
  CHECK(guard.on_up(60'000) == node_verdict::fence); // the one at 0 is exactly a period old
}

TEST_CASE("B7: a node that comes up now and then is admitted for ever") {
  flapping_guard guard{policy};

  for (std::int64_t now = 0; now < 100 * 20'001; now += 20'001)
    CHECK(guard.on_up(now) == node_verdict::admit);
  CHECK(guard.fences() == 0);
}

TEST_CASE("B7: a node that is back too soon after it was fenced is fenced anew") {
  flapping_guard guard{policy};
  guard.on_fenced(1'000);

  CHECK(guard.on_up(5'999) == node_verdict::fence);
  CHECK(guard.on_up(10'998) == node_verdict::fence); // it counts from the last fence
  CHECK(guard.on_up(15'998) == node_verdict::admit);
  CHECK(guard.on_up(15'999) == node_verdict::fence); // four ups, refused ones included
}

TEST_CASE("B7: a node that keeps flapping is in the end fenced for good, until it is forgiven") {
  flapping_guard guard{policy};
  std::int64_t now = 0;
  auto admitted = 0;
  while (guard.on_up(now) != node_verdict::fence_for_good) {
    ++admitted;
    now += 7'000;
    REQUIRE(admitted < 100);
  }

  CHECK(guard.fences() == policy.fences);
  CHECK(guard.on_up(now + 1'000'000'000) == node_verdict::fence_for_good);
  guard.forgive();
  CHECK(guard.on_up(now + 1'000'000'001) == node_verdict::admit);
  CHECK(guard.fences() == 0);
}
