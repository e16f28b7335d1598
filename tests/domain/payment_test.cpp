#include "actors/domain/payment.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace purser;

namespace {

/// A payment with what it remembers, and the effects of its last decision.
struct desk {
  payment state;
  payment_progress progress;
  payment_policy policy;
  std::int64_t now_ms = 1;
  std::vector<effect> effects;

  decide_context context() const {
    decide_context made;
    made.self = {entity_kind::payment, "o-1"};
    made.from = {entity_kind::order, "o-1"};
    made.monotonic_ms = now_ms;
    return made;
  }

  void tell(const message_body& request) {
    auto made = decide(state, progress, request, context(), policy);
    for (const auto& event : made.events)
      evolve(state, event);
    effects = std::move(made.effects);
  }

  void authorize() { tell(authorize_payment{1'000, "EUR", "card", ""}); }
  void provider(const std::string& operation, payment_answer_kind kind, bool asked = false) {
    tell(provider_reply{operation, asked, false, {kind, "because", "ref"}});
  }

  const call_provider* call() const {
    for (const auto& wanted : effects)
      if (const auto* call = std::get_if<call_provider>(&wanted))
        return call;
    return nullptr;
  }
  /// To a void under the operation's own key.
  void abandoned(const std::string& operation, payment_answer_kind kind) {
    tell(provider_reply{operation, true, true, {kind, "because", "ref"}});
  }
  std::optional<payment_outcome> told() const {
    for (const auto& wanted : effects)
      if (const auto* send = std::get_if<send_message>(&wanted))
        return std::get<payment_reply>(send->body).outcome;
    return std::nullopt;
  }
};

desk authorized() {
  desk made;
  made.authorize();
  made.provider("authorize-1", payment_answer_kind::succeeded);
  return made;
}

desk captured() {
  auto made = authorized();
  made.tell(capture_payment{"order", 1'000});
  made.provider("capture-1", payment_answer_kind::succeeded);
  return made;
}

} // namespace

TEST_CASE("an authorization calls the provider with a key of its own, and tells the order") {
  desk d;

  d.authorize();
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.idempotency_key == "o-1:authorize-1");
  CHECK(d.call()->call.amount == 1'000);
  d.provider("authorize-1", payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::authorized);
  CHECK(d.state.authorized == 1'000);
  CHECK(status_of(d.state) == "authorized");
}

TEST_CASE("a request that comes twice charges once") {
  auto d = authorized();

  d.authorize();
  CHECK(d.call() == nullptr);
  CHECK(d.told() == payment_outcome::authorized);
  d.tell(capture_payment{"order", 1'000});
  d.tell(capture_payment{"order", 1'000});
  CHECK(d.effects.empty()); // the first is under way
  d.provider("capture-1", payment_answer_kind::succeeded);
  d.provider("capture-1", payment_answer_kind::succeeded); // the provider says it twice

  CHECK(d.state.captured == 1'000);
  CHECK(d.state.operations.size() == 2);
}

TEST_CASE("a declined authorization is told, and told again when asked again") {
  desk d;
  d.authorize();

  d.provider("authorize-1", payment_answer_kind::refused);
  CHECK(d.told() == payment_outcome::authorization_refused);
  d.authorize();

  CHECK(d.told() == payment_outcome::authorization_refused);
  CHECK(d.state.operations.size() == 1);
  CHECK(status_of(d.state) == "declined");
}

TEST_CASE(
  "C8: an authorization asked for again while a capture is open is told to have succeeded") {
  auto d = authorized();
  d.tell(capture_payment{"order", 1'000});

  d.authorize(); // the order crashed, and begins its phase again

  CHECK(d.told() == payment_outcome::authorized);
  CHECK(d.state.operations.size() == 2);
}

TEST_CASE("a refusal says what was refused") {
  auto d = authorized();
  d.tell(capture_payment{"order", 1'000});
  d.provider("capture-1", payment_answer_kind::refused);
  CHECK(d.told() == payment_outcome::capture_refused);
}

TEST_CASE("C4: a compensation that is refused is tried again, ever more slowly, with one alarm") {
  auto d = captured();
  d.tell(reverse_payment{});
  std::int64_t waited = 0;
  for (int attempt = 1; attempt <= 2 * d.policy.asks_before_alarm; ++attempt) {
    CAPTURE(attempt);
    d.provider("refund-" + std::to_string(attempt), payment_answer_kind::refused);
    const bool alarmed = attempt == d.policy.asks_before_alarm;
    CHECK(d.told() == (alarmed ? std::optional{payment_outcome::reversal_refused} : std::nullopt));
    REQUIRE(d.call() != nullptr);
    CHECK(d.call()->operation_id == "refund-" + std::to_string(attempt + 1)); // an id of its own
    CHECK(d.call()->delay_ms >= waited);
    waited = d.call()->delay_ms;
  }
  CHECK(waited > d.policy.ask_again_max_ms); // it is in people's hands

  d.provider("refund-" + std::to_string(2 * d.policy.asks_before_alarm + 1),
             payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state.refunded == 1'000);
}

TEST_CASE("reversing voids what is authorized") {
  auto d = authorized();

  d.tell(reverse_payment{});
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::void_authorization);
  d.provider("void-1", payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state.voided == 1'000);
}

TEST_CASE("reversing refunds what is captured") {
  auto d = captured();

  d.tell(reverse_payment{});
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::refund);
  d.provider("refund-1", payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state.refunded == 1'000);
}

TEST_CASE("reversing an authorization under way waits for its outcome, then voids it") {
  desk d;
  d.authorize();

  d.tell(reverse_payment{});
  REQUIRE(d.call() != nullptr); // I4: a void under the authorization's own key
  CHECK(d.call()->call.abandon);
  CHECK(d.call()->call.idempotency_key == "o-1:authorize-1");
  d.provider("authorize-1", payment_answer_kind::succeeded);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::void_authorization);
  d.provider("void-1", payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::reversed);
}

TEST_CASE("C5: reversing a capture under way refunds it when it succeeds") {
  auto d = authorized();
  d.tell(capture_payment{"order", 1'000});

  d.tell(reverse_payment{});
  d.provider("capture-1", payment_answer_kind::succeeded);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::refund);
}

TEST_CASE("reversing what was never begun is done at once, without a trace") {
  desk d;

  d.tell(reverse_payment{});

  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state == payment{});
}

TEST_CASE("P3: an unknown outcome is asked about with the same key, ever more slowly") {
  desk d;
  d.authorize();

  std::vector<std::int64_t> delays;
  for (int i = 0; i < 4; ++i) {
    d.provider("authorize-1", payment_answer_kind::unknown, i > 0);
    REQUIRE(d.call() != nullptr);
    CHECK(d.call()->call.ask_only);
    CHECK(d.call()->call.idempotency_key == "o-1:authorize-1");
    delays.push_back(d.call()->delay_ms);
  }

  CHECK(delays == std::vector<std::int64_t>{1'000, 2'000, 4'000, 8'000});
  CHECK(status_of(d.state) == "unknown");
  d.provider("authorize-1", payment_answer_kind::succeeded, true);
  CHECK(d.told() == payment_outcome::authorized);
}

TEST_CASE("an outcome that stays unknown alarms the order once") {
  desk d;
  d.authorize();

  int alarms = 0;
  for (int i = 0; i < 10; ++i) {
    d.provider("authorize-1", payment_answer_kind::unknown, i > 0);
    alarms += d.told() == payment_outcome::unknown ? 1 : 0;
  }

  CHECK(alarms == 1);
}

TEST_CASE(
  "\"never seen\" is believed only after the settling time, and then the same key is used") {
  desk d;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::unknown);
  d.now_ms += 29'999;
  d.provider("authorize-1", payment_answer_kind::never_seen, true);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.ask_only);

  d.now_ms += 1;
  d.provider("authorize-1", payment_answer_kind::never_seen, true);

  REQUIRE(d.call() != nullptr);
  CHECK_FALSE(d.call()->call.ask_only);
  CHECK(d.call()->call.idempotency_key == "o-1:authorize-1");
}

TEST_CASE("C4: an order that asks again, or goes on, learns again of what stays unknown") {
  auto d = authorized();
  const auto stays_unknown = [&](const std::string& operation) {
    for (int asks = 0; asks < d.policy.asks_before_alarm; ++asks)
      d.provider(operation, payment_answer_kind::unknown, true);
  };

  SUBCASE("a restarted order asks for its capture again") {
    d.tell(capture_payment{"order", 1'000});
    stays_unknown("capture-1");
    d.tell(capture_payment{"order", 1'000});
    CHECK(d.told() == payment_outcome::unknown);
  }
  SUBCASE("the order is given up meanwhile") {
    d.tell(capture_payment{"order", 1'000});
    stays_unknown("capture-1");
    d.tell(reverse_payment{});
    CHECK(d.told() == payment_outcome::unknown);
  }
  SUBCASE("one of two refunds has an outcome") {
    d = captured();
    d.tell(refund_payment{"refund/1", 10});
    d.tell(refund_payment{"refund/2", 20});
    stays_unknown("refund-1");
    stays_unknown("refund-2");
    d.provider("refund-1", payment_answer_kind::succeeded);
    REQUIRE(d.effects.size() == 2);
    const auto& last = std::get<payment_reply>(std::get<send_message>(d.effects.back()).body);
    CHECK(last.outcome == payment_outcome::unknown);
    CHECK(last.request == "refund/2");
  }
}

TEST_CASE("an operator's finding settles an operation that is being tried once more") {
  desk d;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::unknown);
  for (int asks = 0; asks < d.policy.asks_before_alarm; ++asks)
    d.provider("authorize-1", payment_answer_kind::never_seen, true);
  d.now_ms += d.policy.settle_ms;
  d.provider("authorize-1", payment_answer_kind::never_seen, true);
  REQUIRE(d.state.operations.at(0).status == operation_status::submitted);

  d.tell(settle_payment{payment_finding::voided, "asked by phone"});

  CHECK(d.told() == payment_outcome::authorization_refused);
}

TEST_CASE("P3: what an operator has settled by hand is not carried out once more") {
  auto d = captured();
  d.tell(refund_payment{"return/1", 100});
  for (int failed = 0; failed < d.policy.asks_before_alarm; ++failed)
    d.provider("refund-" + std::to_string(failed + 1), payment_answer_kind::refused);
  const auto waiting = d.call()->call.idempotency_key; // to be tried once more, much later
  REQUIRE(d.call()->delay_ms > 0);

  d.tell(settle_payment{payment_finding::refunded, "paid back by hand"});

  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->withdraw);
  CHECK(d.call()->call.idempotency_key == waiting);
  CHECK(d.state.refunded == 100);

  // It crashed before the withdrawal had gone out: the repeat says it again.
  const auto again = answer_again(
    d.state, settle_payment{payment_finding::refunded, "paid back by hand"}, d.context());
  CHECK(std::any_of(again.begin(), again.end(), [&](const effect& wanted) {
    const auto* call = std::get_if<call_provider>(&wanted);
    return call != nullptr && call->withdraw && call->call.idempotency_key == waiting;
  }));
}

TEST_CASE("after a restart the open operation is taken up again with its key") {
  desk d;
  d.authorize();

  const auto again = resume(d.state, d.context());

  REQUIRE(again.size() == 1);
  const auto& call = std::get<call_provider>(again.at(0)).call;
  CHECK(call.idempotency_key == "o-1:authorize-1");
  CHECK_FALSE(call.ask_only);
  CHECK(resume(authorized().state, d.context()).empty());
}

TEST_CASE("M2, M4: events that take more than there is break an invariant") {
  auto d = authorized();

  CHECK_THROWS_AS(evolve(d.state, operation_succeeded{"authorize-1"}),
                  broken_invariant); // not open
  evolve(d.state, operation_submitted{"capture-1", operation_kind::capture, 1'001});
  CHECK_THROWS_AS(evolve(d.state, operation_succeeded{"capture-1"}), broken_invariant);
}

TEST_CASE("P1: a second open operation breaks an invariant") {
  desk d;
  d.authorize();

  CHECK_THROWS_AS(evolve(d.state, operation_submitted{"capture-1", operation_kind::capture, 1}),
                  broken_invariant);
}

TEST_CASE("P1: a capture waits for the one that is open, and has its turn when that has ended") {
  auto d = authorized();
  d.tell(capture_payment{"ship/s-1", 400});
  d.tell(capture_payment{"ship/s-2", 600});
  CHECK(d.call() == nullptr);
  CHECK(d.state.operations.back().status == operation_status::created);

  d.provider("capture-1", payment_answer_kind::succeeded);
  CHECK(d.told() == payment_outcome::captured);
  d.provider("capture-2", payment_answer_kind::succeeded);

  CHECK(d.state.captured == 1'000);
}

TEST_CASE("a request of the order is one operation for ever") {
  auto d = captured();
  d.tell(refund_payment{"return/r-1", 300});
  d.tell(refund_payment{"return/r-1", 300});
  CHECK(d.effects.empty());
  d.provider("refund-1", payment_answer_kind::succeeded);

  d.tell(refund_payment{"return/r-1", 300});

  CHECK(d.told() == payment_outcome::refunded);
  CHECK(d.state.refunded == 300);
}

TEST_CASE("refunds do not wait for each other") {
  auto d = captured();
  d.tell(refund_payment{"return/r-1", 300});
  d.tell(refund_payment{"return/r-2", 300});

  CHECK(d.call() != nullptr);
  CHECK(resume(d.state, d.context()).size() == 2);
}

TEST_CASE("after a decline a new series is a new authorization") {
  desk d;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::refused);

  d.tell(authorize_payment{1'000, "EUR", "card", "tok_ok", 2});

  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.idempotency_key == "o-1:authorize-2");
  d.tell(authorize_payment{1'000, "EUR", "card", "tok_ok", 2});
  CHECK(d.effects.empty());
}

TEST_CASE("an action of the customer is waited for, and alarms nobody") {
  desk d;
  d.authorize();
  for (int i = 0; i < 10; ++i) {
    d.provider("authorize-1", payment_answer_kind::action_required, i > 0);
    CHECK(d.told() == (i == 0 ? std::optional{payment_outcome::action_required} : std::nullopt));
    REQUIRE(d.call() != nullptr);
    CHECK(d.call()->call.ask_only);
  }
  CHECK(status_of(d.state) == "action_required");

  d.provider("authorize-1", payment_answer_kind::succeeded, true);

  CHECK(d.told() == payment_outcome::authorized);
}

TEST_CASE("an operator's finding ends the unknown operation, one way or the other") {
  for (const auto finding : {payment_finding::captured, payment_finding::voided}) {
    auto d = authorized();
    d.tell(capture_payment{"order", 1'000});
    d.provider("capture-1", payment_answer_kind::unknown);

    d.tell(settle_payment{finding, "statement of May"});

    const bool taken = finding == payment_finding::captured;
    CHECK(d.told() == (taken ? payment_outcome::captured : payment_outcome::capture_refused));
    CHECK(d.state.captured == (taken ? 1'000 : 0));
  }
}

TEST_CASE("P3: an order that is told an outcome once more learns of what is stuck after it") {
  auto d = captured();
  d.tell(refund_payment{"return/1", 100});
  d.tell(refund_payment{"refund/1", 1});
  d.provider("refund-2", payment_answer_kind::succeeded);
  for (int asked = 0; asked < d.policy.asks_before_alarm; ++asked)
    d.provider("refund-1", payment_answer_kind::unknown);
  REQUIRE(d.told() == payment_outcome::unknown);

  d.tell(refund_payment{"refund/1", 1}); // a restarted order asks: this unparks it

  std::vector<payment_outcome> told;
  for (const auto& wanted : d.effects)
    told.push_back(std::get<payment_reply>(std::get<send_message>(wanted).body).outcome);
  CHECK(told == std::vector{payment_outcome::refunded, payment_outcome::unknown});
}

TEST_CASE(
  "P3: an answer that was handled before is told the order again, if it is still the newest") {
  auto d = captured(); // and the incarnation that noted it crashed before it told the order
  d.provider("capture-1", payment_answer_kind::succeeded);
  REQUIRE(d.effects.size() == 2); // the authorization's outcome, which the order knows, and this
  CHECK(std::get<payment_reply>(std::get<send_message>(d.effects[1]).body).outcome ==
        payment_outcome::captured);

  desk refused;
  refused.tell(authorize_payment{1'000, "EUR", "card", "", 0});
  refused.provider("authorize-1", payment_answer_kind::refused);
  refused.tell(authorize_payment{1'000, "EUR", "card", "", 1}); // another card
  refused.provider("authorize-1", payment_answer_kind::refused);
  CHECK_FALSE(refused.told());
}

TEST_CASE("reversing drops what only waited, and gives everything back") {
  auto d = authorized();
  d.tell(capture_payment{"ship/s-1", 400});
  d.tell(capture_payment{"ship/s-2", 600});

  d.tell(reverse_payment{});
  d.provider("capture-1", payment_answer_kind::succeeded);
  d.provider("void-1", payment_answer_kind::succeeded);
  d.provider("refund-1", payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state.voided == 600);
  CHECK(d.state.refunded == 400);
}

TEST_CASE("C2: the order is told once its refund is on the way") {
  auto d = captured();

  d.tell(reverse_payment{});

  CHECK(d.told() == payment_outcome::refunding);
}

TEST_CASE("C6: an authorization that was given up and takes effect after all is voided") {
  desk d;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::unknown);
  d.tell(reverse_payment{});
  d.abandoned("authorize-1", payment_answer_kind::refused);
  CHECK(d.told() == payment_outcome::reversed);

  d.provider("authorize-1", payment_answer_kind::succeeded); // the first answer, late
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::void_authorization);
  d.provider("void-1", payment_answer_kind::succeeded);

  CHECK(authorized_rest(d.state) == 0);
  CHECK(d.state.voided == 1'000);
}

TEST_CASE("C6: a late success that nobody waits for is voided beside a new attempt to pay") {
  desk d;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::refused);
  d.tell(authorize_payment{1'000, "EUR", "card", "tok_ok", 2});

  d.provider("authorize-1", payment_answer_kind::succeeded);
  d.provider("authorize-2", payment_answer_kind::succeeded);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::void_authorization);
  d.provider("void-1", payment_answer_kind::succeeded);

  CHECK(authorized_rest(d.state) == 1'000);
  CHECK(status_of(d.state) == "authorized");
}

TEST_CASE("after the order's deadline an authorization that was never seen is not repeated") {
  desk d;
  d.policy.settle_ms = 10;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::unknown);
  d.tell(expire_authorization{});
  d.now_ms += 10;

  d.provider("authorize-1", payment_answer_kind::never_seen, true);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.abandon);
  d.abandoned("authorize-1", payment_answer_kind::refused);

  CHECK(d.told() == payment_outcome::authorization_refused);
}

TEST_CASE(
  "never seen, and the time is not over: the same call is made again, and may settle anew") {
  desk d;
  d.policy.settle_ms = 10;
  d.authorize();
  d.provider("authorize-1", payment_answer_kind::unknown);
  d.now_ms += 10;

  d.provider("authorize-1", payment_answer_kind::never_seen, true);
  REQUIRE(d.call() != nullptr);
  CHECK_FALSE(d.call()->call.ask_only);
  CHECK(d.call()->call.idempotency_key == "o-1:authorize-1");
  CHECK(status_of(d.state) == "authorizing");
  d.provider("authorize-1", payment_answer_kind::unknown);
  d.provider("authorize-1", payment_answer_kind::never_seen, true);
  CHECK(d.call()->call.ask_only); // it is not believed at once
}

TEST_CASE("C1: a capture whose authorization has run out renews it, once") {
  auto d = authorized();
  d.tell(capture_payment{"ship/s-1", 400});
  d.provider("capture-1", payment_answer_kind::expired);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::authorize);
  CHECK(d.call()->call.amount == 1'000); // all that was still open
  CHECK(d.state.expired == 1'000);

  SUBCASE("and goes on") {
    d.provider("authorize-2", payment_answer_kind::succeeded);
    REQUIRE(d.call() != nullptr);
    CHECK(d.call()->operation_id == "capture-2");
    d.provider("capture-2", payment_answer_kind::succeeded);
    CHECK(d.told() == payment_outcome::captured);
    CHECK(authorized_rest(d.state) == 600);
  }
  SUBCASE("and is refused with it") {
    d.provider("authorize-2", payment_answer_kind::refused);
    CHECK(d.told() == payment_outcome::capture_refused);
    d.tell(capture_payment{"ship/s-2", 400}); // the next shipment tries once more
    REQUIRE(d.call() != nullptr);
    CHECK(d.call()->call.kind == operation_kind::authorize);
    CHECK(d.call()->call.amount == 400);
  }
  SUBCASE("and no second time") {
    d.provider("authorize-2", payment_answer_kind::succeeded);
    d.provider("capture-2", payment_answer_kind::expired);
    CHECK(d.told() == payment_outcome::capture_refused);
    CHECK(d.call() == nullptr);
  }
}

TEST_CASE("M2: a void of what has run out is done") {
  auto d = authorized();

  d.tell(reverse_payment{});
  d.provider("void-1", payment_answer_kind::expired);

  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state.expired == 1'000);
  CHECK(d.state.voided == 0);
  CHECK(status_of(d.state) == "expired");
}

TEST_CASE("a payment that was reversed can be paid anew, in a new series") {
  auto d = authorized();
  d.tell(reverse_payment{});
  d.provider("void-1", payment_answer_kind::succeeded);

  d.tell(authorize_payment{1'000, "EUR", "card", "", 2});
  d.provider("authorize-2", payment_answer_kind::succeeded);

  CHECK(d.told() == payment_outcome::authorized);
  CHECK(authorized_rest(d.state) == 1'000);
}

namespace {

/// A sale, and what the provider said to it.
desk charged(payment_answer_kind said) {
  desk made;
  made.tell(charge_payment{1'000, "EUR", "card", ""});
  made.provider("sale-1", said);
  return made;
}

desk sold() {
  return charged(payment_answer_kind::succeeded);
}

} // namespace

TEST_CASE("P6: a sale authorizes and captures in one call, and the capture is done already") {
  desk d;
  d.tell(charge_payment{1'000, "EUR", "card", "tok_ok"});
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::sale);
  CHECK(d.call()->call.idempotency_key == "o-1:sale-1");
  CHECK(d.call()->call.amount == 1'000);
  CHECK(d.call()->call.token == "tok_ok");
  CHECK(status_of(d.state) == "charging");
  d.provider("sale-1", payment_answer_kind::succeeded);
  CHECK(d.told() == payment_outcome::captured);
  CHECK(d.state.authorized == 1'000);
  CHECK(d.state.captured == 1'000);
  CHECK(authorized_rest(d.state) == 0);
  for (int again = 0; again < 2; ++again) {
    d.tell(capture_payment{"order", 1'000});
    CHECK(d.told() == payment_outcome::captured);
    CHECK(d.call() == nullptr);
  }
  CHECK(d.state.operations.size() == 1);
  CHECK(status_of(d.state) == "captured");
}

TEST_CASE("P6: what was sold is refunded, and then it is no capture any more") {
  auto d = sold();
  d.tell(reverse_payment{});
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::refund);
  CHECK(d.call()->call.amount == 1'000);
  CHECK(d.told() == payment_outcome::refunding);
  d.provider("refund-1", payment_answer_kind::succeeded);
  CHECK(d.told() == payment_outcome::reversed);
  CHECK_THROWS_AS(d.tell(capture_payment{"order", 1'000}), broken_invariant); // M3

  d.tell(charge_payment{1'000, "EUR", "card", "", 2}); // it has stock again
  CHECK(d.call()->call.idempotency_key == "o-1:sale-2");
  d.provider("sale-2", payment_answer_kind::succeeded);
  d.tell(capture_payment{"order", 1'000});
  CHECK(d.told() == payment_outcome::captured);
  CHECK(d.state.captured - d.state.refunded == 1'000);
}

TEST_CASE(
  "P2: one attempt to pay is one operation, also when the provider no longer takes sales, or "
  "does now") {
  auto charged = sold();
  charged.tell(authorize_payment{1'000, "EUR", "card", ""});
  CHECK(charged.call() == nullptr);
  CHECK(charged.told() == payment_outcome::captured);
  charged.tell(capture_payment{"order", 1'000});
  CHECK(charged.call() == nullptr);
  CHECK(charged.told() == payment_outcome::captured);

  auto reserved = authorized();
  reserved.tell(charge_payment{1'000, "EUR", "card", ""});
  CHECK(reserved.call() == nullptr);
  CHECK(reserved.told() == payment_outcome::authorized);
  reserved.tell(capture_payment{"order", 1'000});
  REQUIRE(reserved.call() != nullptr);
  CHECK(reserved.call()->call.kind == operation_kind::capture);
}

TEST_CASE("P3, I4: a sale without an outcome is asked about, and given up under its own key") {
  auto d = charged(payment_answer_kind::unknown);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.ask_only);
  CHECK_FALSE(d.call()->call.abandon);
  d.tell(reverse_payment{});
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.abandon);
  d.abandoned("sale-1", payment_answer_kind::refused);
  CHECK(d.told() == payment_outcome::reversed);
  CHECK(d.state.captured == 0);

  auto late = charged(payment_answer_kind::unknown); // it has taken effect after all
  late.tell(reverse_payment{});
  late.abandoned("sale-1", payment_answer_kind::succeeded);
  REQUIRE(late.call() != nullptr);
  CHECK(late.call()->call.kind == operation_kind::refund);
}

TEST_CASE("C6: a sale that was declined and took effect all the same is refunded") {
  auto d = charged(payment_answer_kind::refused);
  CHECK(d.told() == payment_outcome::authorization_refused);
  d.provider("sale-1", payment_answer_kind::succeeded);
  REQUIRE(d.call() != nullptr);
  CHECK(d.call()->call.kind == operation_kind::refund);
  d.provider("refund-1", payment_answer_kind::succeeded);
  CHECK(d.state.captured == d.state.refunded);
}

TEST_CASE("an operator says of a sale whether the money came") {
  auto d = charged(payment_answer_kind::unknown);
  SUBCASE("it did") {
    d.tell(settle_payment{payment_finding::captured, "seen on the statement"});
    CHECK(d.told() == payment_outcome::captured);
    CHECK(d.state.captured == 1'000);
  }
  SUBCASE("it did not") {
    d.tell(settle_payment{payment_finding::voided, "not on the statement"});
    CHECK(d.told() == payment_outcome::authorization_refused);
    CHECK(d.state.captured == 0);
  }
}

TEST_CASE("a void of what has run out is told as voided, also when it is told again") {
  auto d = authorized();
  d.tell(capture_payment{"shipment/1", 600});
  d.provider("capture-1", payment_answer_kind::succeeded);
  d.tell(void_rest{});
  d.provider("void-1", payment_answer_kind::expired);
  CHECK(d.told() == payment_outcome::voided);
  d.provider("void-1", payment_answer_kind::expired); // it crashed, and may not have told it
  std::vector<payment_outcome> outcomes;
  for (const auto& wanted : d.effects)
    if (const auto* send = std::get_if<send_message>(&wanted))
      outcomes.push_back(std::get<payment_reply>(send->body).outcome);
  CHECK(std::count(outcomes.begin(), outcomes.end(), payment_outcome::voided) == 1);
  CHECK(std::count(outcomes.begin(), outcomes.end(), payment_outcome::void_refused) == 0);
}
