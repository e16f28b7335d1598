// What is called when: D1 to D6 of provider_calls.hpp, by hand.
#include "runtime/provider_calls.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace purser;
using supervisors::circuit;

namespace {

constexpr std::int64_t deadline_ms = 1'000;
constexpr std::int64_t open_ms = 300;
constexpr double middle = 0.5;

/// Three failures open the circuit; two calls at once and two that wait; no retries.
provider_policy strict() {
  provider_policy made;
  made.deadline_ms = deadline_ms;
  made.circuit.failures_in_a_row = 3;
  made.circuit.cool_down_ms = open_ms;
  return made;
}

provider_request call_of(const std::string& key) {
  provider_request made;
  made.payment = {entity_kind::payment, key};
  made.call.call.idempotency_key = key;
  made.call.call.order_id = key;
  made.call.operation_id = "authorize-1";
  return made;
}

provider_request question_of(const std::string& key, bool abandon = false) {
  auto made = call_of(key);
  made.call.call.ask_only = true;
  made.call.call.abandon = abandon;
  return made;
}

payment_answer answer(payment_answer_kind kind) {
  return {kind, {}, {}};
}

/// Makes a call that must be made at once, and whose provider throws it back.
void fail(provider_calls& calls, const std::string& key, std::int64_t now_ms) {
  const auto attempt = calls.take(question_of(key), now_ms);
  REQUIRE(attempt);
  calls.threw(attempt->ticket, "no connection", now_ms, middle);
}

/// Calls with an open circuit, since 0.
provider_calls opened(provider_policy policy = strict()) {
  provider_calls calls{policy};
  for (auto i = 0; i < 3; ++i)
    fail(calls, "early-" + std::to_string(i), 0);
  calls.take_outcomes();
  calls.take_changes();
  return calls;
}

std::string key_of(const std::optional<provider_attempt>& attempt) {
  return attempt ? attempt->call.idempotency_key : "none";
}

} // namespace

TEST_CASE("D6: the circuit opens after so many calls in a row that were thrown back or silent") {
  provider_calls calls{strict()};
  fail(calls, "o-1", 0);
  REQUIRE(calls.take(call_of("o-2"), 0));
  REQUIRE(calls.take(call_of("o-3"), 0));
  CHECK(calls.figures(0).circuit == circuit::closed);

  calls.expire(deadline_ms); // both are silent

  CHECK(calls.figures(deadline_ms).circuit == circuit::open);
  const auto changes = calls.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].from == circuit::closed);
  CHECK(changes[0].to == circuit::open);
  CHECK(changes[0].cause == "no answer within the deadline");
  CHECK_FALSE(calls.take(call_of("o-4"), deadline_ms));
  CHECK(calls.figures(deadline_ms).held_back == 1);
  CHECK(calls.figures(deadline_ms).failures == 3);
}

TEST_CASE("D6: neither a decline nor any other answer of the provider opens the circuit") {
  provider_calls calls{strict()};

  for (const auto kind :
       {payment_answer_kind::refused, payment_answer_kind::unknown, payment_answer_kind::never_seen,
        payment_answer_kind::expired, payment_answer_kind::action_required})
    for (auto i = 0; i < 10; ++i) {
      const auto attempt = calls.take(call_of("o-1"), 0);
      REQUIRE(attempt);
      calls.answered(attempt->ticket, answer(kind), deadline_ms - 1);
    }

  CHECK(calls.figures(0).circuit == circuit::closed);
  CHECK(calls.figures(0).failures == 0);
}

TEST_CASE("D6: an answer between failures starts the count again") {
  provider_calls calls{strict()};

  for (auto i = 0; i < 10; ++i) {
    fail(calls, "o-1", 0);
    fail(calls, "o-2", 0);
    calls.answered(calls.take(call_of("o-3"), 0)->ticket, answer(payment_answer_kind::refused), 0);
  }

  CHECK(calls.figures(0).circuit == circuit::closed);
}

TEST_CASE("a probe that is answered closes the circuit, and what was held back is made in order") {
  auto calls = opened();
  CHECK_FALSE(calls.take(call_of("o-1"), 0));
  CHECK_FALSE(calls.take(call_of("o-2"), 0));
  CHECK_FALSE(calls.next_attempt(open_ms - 1));
  CHECK(calls.next(0) == supervisors::deadline::at(open_ms));

  const auto probe = calls.next_attempt(open_ms);
  CHECK(key_of(probe) == "o-1");
  CHECK_FALSE(calls.next_attempt(open_ms)); // one at a time
  CHECK_FALSE(calls.take(call_of("o-3"), open_ms));
  calls.answered(probe->ticket, answer(payment_answer_kind::refused), open_ms);

  CHECK(calls.figures(open_ms).circuit == circuit::closed);
  CHECK(key_of(calls.next_attempt(open_ms)) == "o-2");
  CHECK(key_of(calls.next_attempt(open_ms)) == "o-3");
  CHECK(key_of(calls.next_attempt(open_ms)) == "none");
  const auto changes = calls.take_changes();
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].to == circuit::half_open);
  CHECK(changes[1].to == circuit::closed);
}

TEST_CASE("a question is let through as a probe before a call that would carry something out") {
  auto calls = opened();
  CHECK_FALSE(calls.take(call_of("o-1"), 0));
  CHECK_FALSE(calls.take(question_of("o-2"), 0));

  CHECK(key_of(calls.next_attempt(open_ms)) == "o-2");
}

TEST_CASE("a probe that fails holds calls back for another cool-down") {
  auto calls = opened();
  CHECK_FALSE(calls.take(call_of("o-1"), 0));
  CHECK_FALSE(calls.take(question_of("o-2"), 0));

  const auto probe = calls.next_attempt(open_ms);
  REQUIRE(probe);
  calls.threw(probe->ticket, "still no connection", open_ms + 10, middle);

  CHECK_FALSE(calls.next_attempt(2 * open_ms + 9));
  CHECK(key_of(calls.next_attempt(2 * open_ms + 10)) == "o-1");
  CHECK(calls.figures(0).opened == 1);
}

TEST_CASE("D1: a call that was held back for its deadline is unknown, and never made") {
  auto policy = strict();
  policy.circuit.cool_down_ms = 10 * deadline_ms;
  auto calls = opened(policy);
  CHECK_FALSE(calls.take(call_of("o-1"), 5));
  CHECK(calls.next(5) == supervisors::deadline::at(deadline_ms + 5));

  calls.expire(deadline_ms + 5);

  const auto told = calls.take_outcomes();
  REQUIRE(told.size() == 1);
  CHECK(told[0].request.call.call.idempotency_key == "o-1");
  CHECK(told[0].answer.kind == payment_answer_kind::unknown);
  CHECK(calls.figures(0).not_made == 1);
  CHECK_FALSE(calls.next_attempt(100 * deadline_ms));
  CHECK(calls.next(100 * deadline_ms).is_never());
}

TEST_CASE("D1: a call whose time to be made has passed is not made, even before that was told") {
  auto calls = opened();
  CHECK_FALSE(calls.take(call_of("o-1"), 0));

  CHECK_FALSE(calls.next_attempt(deadline_ms));
}

TEST_CASE("D2: so many calls are made at once, some wait in order, and more are unknown at once") {
  auto policy = strict();
  policy.at_once = 2;
  policy.waiting = 2;
  provider_calls calls{policy};
  const auto first = calls.take(call_of("o-1"), 0);
  const auto second = calls.take(call_of("o-2"), 0);
  REQUIRE(first);
  REQUIRE(second);

  for (const auto* key : {"o-3", "o-4", "o-5"})
    CHECK_FALSE(calls.take(call_of(key), 0));

  CHECK(calls.figures(0).at_once == 2);
  CHECK(calls.figures(0).waiting == 2);
  const auto told = calls.take_outcomes();
  REQUIRE(told.size() == 1);
  CHECK(told[0].request.call.call.idempotency_key == "o-5");
  CHECK(told[0].answer.kind == payment_answer_kind::unknown);
  CHECK_FALSE(calls.next_attempt(0));
  calls.answered(second->ticket, answer(payment_answer_kind::succeeded), 0);
  CHECK(key_of(calls.next_attempt(0)) == "o-3");
  CHECK_FALSE(calls.next_attempt(0));
  calls.answered(first->ticket, answer(payment_answer_kind::succeeded), 0);
  CHECK(key_of(calls.next_attempt(0)) == "o-4");
  CHECK(calls.figures(0).at_once == 2);
}

TEST_CASE("D2, D3: a silent call gives its place up, and the next has its whole deadline") {
  auto policy = strict();
  policy.at_once = 1;
  provider_calls calls{policy};
  REQUIRE(calls.take(call_of("o-1"), 0));
  CHECK_FALSE(calls.take(call_of("o-2"), 900));

  calls.expire(deadline_ms);
  REQUIRE(calls.take_outcomes().size() == 1);
  const auto second = calls.next_attempt(deadline_ms);

  CHECK(key_of(second) == "o-2");
  CHECK(calls.next(deadline_ms) == supervisors::deadline::at(2 * deadline_ms));
  calls.expire(2 * deadline_ms - 1);
  CHECK(calls.take_outcomes().empty());
}

TEST_CASE("D1: what waits for a place for its deadline is unknown, and never made") {
  auto policy = strict();
  policy.at_once = 1;
  policy.circuit.failures_in_a_row = 0;
  provider_calls calls{policy};
  const auto first = calls.take(call_of("o-1"), 0);
  REQUIRE(first);
  CHECK_FALSE(calls.take(call_of("o-2"), 0));

  calls.expire(deadline_ms - 1);
  CHECK(calls.take_outcomes().empty());
  calls.expire(deadline_ms); // of the first; the second has had its place for nothing

  CHECK(calls.take_outcomes().size() == 2);
  CHECK(calls.figures(0).at_once == 0);
  CHECK_FALSE(calls.next_attempt(deadline_ms));
}

TEST_CASE("D4: a call that comes again while it waits is made once") {
  auto calls = opened();
  CHECK_FALSE(calls.take(call_of("o-1"), 0));

  CHECK_FALSE(calls.take(call_of("o-1"), 100)); // its payment has crashed

  CHECK(calls.figures(0).waiting == 1);
  const auto probe = calls.next_attempt(open_ms);
  REQUIRE(probe);
  calls.answered(probe->ticket, answer(payment_answer_kind::succeeded), open_ms);
  CHECK_FALSE(calls.next_attempt(open_ms));
  CHECK(calls.take_outcomes().size() == 1);
}

TEST_CASE("D4: a call that comes again while it is being made is answered once when that throws") {
  auto policy = strict();
  policy.at_once = 1;
  policy.retries.attempts = 4;
  provider_calls calls{policy};
  const auto first = calls.take(call_of("o-1"), 0);
  REQUIRE(first);
  CHECK_FALSE(calls.take(call_of("o-1"), 0));

  calls.threw(first->ticket, "no connection", 0, middle);

  CHECK(calls.take_outcomes().empty());
  CHECK(calls.figures(0).retries == 0);
  CHECK(key_of(calls.next_attempt(0)) == "o-1");
  CHECK_FALSE(calls.next_attempt(0));
}

TEST_CASE("D4: a key that is abandoned while its call waits is not carried out") {
  auto policy = strict();
  policy.at_once = 1;
  auto calls = opened(policy);
  CHECK_FALSE(calls.take(call_of("o-1"), 0)); // at the gate
  CHECK_FALSE(calls.take(call_of("o-2"), 0)); // in the line

  CHECK_FALSE(calls.take(question_of("o-2", true), 0));
  CHECK_FALSE(calls.take(question_of("o-1", true), 0));

  CHECK(calls.figures(0).at_once == 1);
  for (const auto* key : {"o-2", "o-1"}) {
    const auto next = calls.next_attempt(open_ms);
    REQUIRE(next);
    CHECK(next->call.idempotency_key == key);
    CHECK(next->call.abandon);
    calls.answered(next->ticket, answer(payment_answer_kind::refused), open_ms);
  }
  CHECK(calls.take_outcomes().size() == 2);
  CHECK_FALSE(calls.next_attempt(open_ms));
  CHECK(calls.figures(0).at_once == 0);
}

TEST_CASE("D5: what the provider throws back is tried again with growing waits, in its place") {
  auto policy = strict();
  policy.circuit.failures_in_a_row = 0;
  policy.at_once = 1;
  policy.retries.attempts = 3;
  policy.retries.backoff.min_ms = 100;
  provider_calls calls{policy};
  auto attempt = calls.take(call_of("o-1"), 0);
  REQUIRE(attempt);
  calls.threw(attempt->ticket, "no connection", 0, middle);
  CHECK_FALSE(calls.take(call_of("o-2"), 0));

  CHECK_FALSE(calls.next_attempt(99));
  CHECK(calls.next(0) == supervisors::deadline::at(100));
  calls.expire(100);
  const auto first_ticket = attempt->ticket;
  attempt = calls.next_attempt(100);
  REQUIRE(key_of(attempt) == "o-1");
  calls.answered(first_ticket, answer(payment_answer_kind::refused), 100); // of what was thrown
  calls.threw(attempt->ticket, "no connection", 100, middle);
  CHECK_FALSE(calls.next_attempt(299));
  attempt = calls.next_attempt(300);
  REQUIRE(key_of(attempt) == "o-1");
  CHECK(calls.take_outcomes().empty());
  calls.threw(attempt->ticket, "no connection at all", 300, middle);

  const auto told = calls.take_outcomes();
  REQUIRE(told.size() == 1);
  CHECK(told[0].answer.kind == payment_answer_kind::unknown);
  CHECK(told[0].answer.reason == "no connection at all");
  CHECK(calls.figures(0).retries == 2);
  CHECK(key_of(calls.next_attempt(300)) == "o-2");
}

TEST_CASE("a call that is withdrawn while it is being made is not made once more") {
  auto policy = strict();
  policy.retries.attempts = 4;
  provider_calls calls{policy};
  const auto attempt = calls.take(call_of("by hand"), 0);
  REQUIRE(attempt);

  calls.withdraw("by hand", 1);
  calls.threw(attempt->ticket, "no connection", 2, middle);

  CHECK_FALSE(calls.next_attempt(deadline_ms));
  CHECK(calls.take_outcomes().empty());
  CHECK(calls.figures(deadline_ms).retries == 0);
  CHECK(key_of(calls.take(call_of("another"), deadline_ms)) == "another"); // its place is free
}

TEST_CASE("D5: when everything is thrown back, the budget bounds what is tried again") {
  auto policy = strict();
  policy.circuit.failures_in_a_row = 0;
  policy.retries.attempts = 4;
  policy.retries.retries_per_1000_calls = 100;
  policy.retries.burst = 10;
  policy.retries.backoff.min_ms = 1;
  provider_calls calls{policy};
  constexpr std::uint64_t orders = 1'000;

  for (std::uint64_t i = 0; i < orders; ++i) {
    const auto now = static_cast<std::int64_t>(i) * 100;
    auto attempt = calls.take(call_of("o-" + std::to_string(i)), now);
    while (attempt) {
      calls.threw(attempt->ticket, "no connection", now, middle);
      attempt = calls.next_attempt(now + 90);
    }
  }

  const auto figures = calls.figures(0);
  CHECK(figures.retries <= orders / 10 + 10);
  CHECK(figures.retries >= orders / 10);
  CHECK(figures.calls == orders + figures.retries);
  CHECK(calls.take_outcomes().size() == orders);
}

TEST_CASE("D5: a question is not tried again: the payment repeats it") {
  auto policy = strict();
  policy.retries.attempts = 4;
  provider_calls calls{policy};

  fail(calls, "o-1", 0);

  CHECK(calls.take_outcomes().size() == 1);
  CHECK(calls.figures(0).retries == 0);
}

TEST_CASE("an answer that came before the provider threw counts, and nothing is tried again") {
  auto policy = strict();
  policy.retries.attempts = 4;
  provider_calls calls{policy};
  const auto attempt = calls.take(call_of("o-1"), 0);
  REQUIRE(attempt);

  calls.answered(attempt->ticket, answer(payment_answer_kind::succeeded), 0);
  calls.threw(attempt->ticket, "and yet", 0, middle);

  const auto told = calls.take_outcomes();
  REQUIRE(told.size() == 1);
  CHECK(told[0].answer.kind == payment_answer_kind::succeeded);
  CHECK(calls.figures(0).failures == 0);
}

// A provider of every mood: whatever happens, a request is answered once, what was answered is not
// made any more (D1), and there are never more at once than there may be (D2).
TEST_CASE("no call is lost or made after its answer, whatever the provider does") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 dice{seed};
    const auto roll = [&dice](std::uint32_t sides) {
      return std::uniform_int_distribution<std::uint32_t>{0, sides - 1}(dice);
    };
    auto policy = strict();
    policy.at_once = 1 + roll(3);
    policy.waiting = roll(5);
    policy.retries.attempts = 1 + roll(3);
    policy.retries.backoff.min_ms = 20;
    provider_calls calls{policy};
    std::map<std::string, int> owed; // answers, by key
    std::map<std::uint64_t, std::int64_t> out;
    std::uint64_t answers = 0;
    std::int64_t now = 0;
    const auto collect = [&] {
      for (const auto& outcome : calls.take_outcomes()) {
        ++answers;
        CHECK(--owed[outcome.request.call.call.idempotency_key] == 0);
      }
    };
    const auto make = [&](const std::optional<provider_attempt>& attempt) {
      if (!attempt)
        return;
      CHECK(owed[attempt->call.idempotency_key] == 1); // not answered yet
      if (roll(3) == 0)
        calls.threw(attempt->ticket, "no connection", now, middle);
      else
        out.emplace(attempt->ticket, now + roll(2 * deadline_ms));
    };
    constexpr std::uint64_t requests = 200;
    for (std::uint64_t i = 0; i < requests || !calls.next(now).is_never();) {
      now += roll(60);
      if (i < requests && roll(2) == 0) {
        const auto key = "o-" + std::to_string(i++);
        owed[key] = 1;
        make(calls.take(roll(4) == 0 ? question_of(key) : call_of(key), now));
      }
      std::erase_if(out, [&](const auto& each) {
        if (each.second > now)
          return false;
        calls.answered(each.first, answer(payment_answer_kind::refused), now);
        return true;
      });
      calls.expire(now);
      collect();
      for (auto next = calls.next_attempt(now); next; next = calls.next_attempt(now))
        make(next);
      collect();
      CHECK(calls.figures(now).at_once <= policy.at_once);
    }
    CHECK(answers == requests);
    CHECK(calls.figures(now).at_once == 0);
    CHECK(calls.figures(now).waiting == 0);
  }
}
