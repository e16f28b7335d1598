#include "supervisors/circuit_breaker.hpp"

#include <doctest/doctest.h>

using namespace purser::supervisors;

namespace {

/// Opens with the third failure in a row, for 1000 ms; two probes.
constexpr circuit_breaker_policy in_a_row{3, 0, 0, 1'000, 2};
/// Opens when half of the last four calls failed.
constexpr circuit_breaker_policy by_rate{0, 50, 4, 1'000, 1};

void call(circuit_breaker& breaker, bool works, std::int64_t now_ms) {
  const auto ticket = breaker.admit(now_ms);
  REQUIRE(ticket);
  works ? breaker.on_success(*ticket) : breaker.on_failure(*ticket, now_ms);
}

circuit_breaker opened(std::int64_t now_ms) {
  circuit_breaker breaker{in_a_row};
  for (auto i = 0; i < 3; ++i)
    call(breaker, false, now_ms);
  return breaker;
}

} // namespace

TEST_CASE("a circuit opens with so many failures in a row, and not with one fewer") {
  circuit_breaker breaker{in_a_row};
  for (auto i = 0; i < 10; ++i) {
    call(breaker, false, 0);
    call(breaker, false, 0);
    call(breaker, true, 0);
  }
  CHECK(breaker.state(0) == circuit::closed);

  for (auto i = 0; i < 3; ++i)
    call(breaker, false, 5);

  CHECK(breaker.state(5) == circuit::open);
  CHECK_FALSE(breaker.admit(5));
}

TEST_CASE("a circuit opens with its failure rate once there are calls enough to tell one") {
  circuit_breaker breaker{by_rate};
  call(breaker, false, 0);
  call(breaker, false, 0);
  call(breaker, true, 0);
  CHECK(breaker.state(0) == circuit::closed); // three calls are too few
  call(breaker, true, 0);
  call(breaker, true, 0);
  call(breaker, true, 0);
  CHECK(breaker.state(0) == circuit::closed); // the failures are out of the window

  call(breaker, false, 0);
  CHECK(breaker.state(0) == circuit::closed);
  call(breaker, false, 0);

  CHECK(breaker.state(0) == circuit::open);
}

TEST_CASE("an open circuit lets a limited number of probes through after its cool-down") {
  auto breaker = opened(0);

  CHECK_FALSE(breaker.admit(999));
  CHECK(breaker.next_chance_ms() == 1'000);
  CHECK(breaker.state(1'000) == circuit::half_open);
  CHECK(breaker.admit(1'000));
  CHECK(breaker.admit(1'001));
  CHECK_FALSE(breaker.admit(1'002));
}

TEST_CASE("a circuit closes when all of its probes succeed") {
  auto breaker = opened(0);

  call(breaker, true, 1'000);
  CHECK(breaker.state(1'000) == circuit::half_open);
  call(breaker, true, 1'000);

  CHECK(breaker.state(1'000) == circuit::closed);
  for (auto i = 0; i < 100; ++i)
    CHECK(breaker.admit(1'000));
}

TEST_CASE("one probe that fails opens the circuit for another cool-down") {
  auto breaker = opened(0);

  call(breaker, true, 1'000);
  call(breaker, false, 1'500);

  CHECK_FALSE(breaker.admit(2'499));
  CHECK(breaker.admit(2'500));
}

TEST_CASE("an outcome from before the circuit changed says nothing about it now") {
  circuit_breaker breaker{in_a_row};
  const auto early = breaker.admit(0);
  for (auto i = 0; i < 3; ++i)
    call(breaker, false, 0);
  REQUIRE(breaker.admit(1'000));

  breaker.on_failure(*early, 1'000);
  CHECK(breaker.state(1'000) == circuit::half_open);
  breaker.on_success(*early);
  breaker.on_success(*early);

  CHECK(breaker.state(1'000) == circuit::half_open);
}

TEST_CASE("probes that never come back make room for others after a cool-down") {
  auto breaker = opened(0);
  REQUIRE(breaker.admit(1'000));
  REQUIRE(breaker.admit(1'000));
  CHECK_FALSE(breaker.admit(1'999));
  CHECK(breaker.next_chance_ms() == 2'000);

  call(breaker, true, 2'000);
  call(breaker, true, 2'000);

  CHECK(breaker.state(2'000) == circuit::closed);
}
