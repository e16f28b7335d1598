#include "tests/domain/order_fixture.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace purser;
using namespace purser::tests;

namespace {

command_body body_of(order_command which) {
  switch (which) {
  case order_command::place: return two_mugs_and_a_cup();
  case order_command::cancel: return cancel_order{"o-1"};
  case order_command::ship: return ship_order{.order_id = "o-1", .shipment_id = "s-2"};
  case order_command::cancel_part: return cancel_order{"o-1", std::nullopt, {{{"2", 1}}}};
  case order_command::deliver: return deliver_order{"o-1", std::nullopt};
  case order_command::return_goods: return return_order{"o-1", "r-2", {{"1", 1}}};
  case order_command::hold: return hold_order{"o-1", "a look"};
  case order_command::resume: return resume_order{"o-1", std::nullopt};
  case order_command::resolve: return resolve_order{"o-1", payment_finding::captured, "called"};
  case order_command::refund: return grant_refund{"o-1", "g-1", 100, std::nullopt};
  case order_command::retry: return retry_payment{"o-1", {"card", "tok_ok"}};
  }
  return cancel_order{};
}

} // namespace

TEST_CASE("every command in every status does what the table says") {
  for_each_enumerator<order_status>([](order_status status) {
    for_each_enumerator<order_command>([&](order_command which) {
      CAPTURE(to_string(status));
      CAPTURE(static_cast<int>(which));
      auto w = in(status);
      REQUIRE(status_of(w.state) == status);
      const auto before = w.state;

      w.client(body_of(which));

      auto verdict = verdict_on(status, which);
      const bool cancels = which == order_command::cancel || which == order_command::cancel_part;
      if (verdict.what == order_verdict::kind::as_phase)
        verdict = cancels && status == order_status::needs_attention
                    ? order_rules::no(rejection::payment_unknown)
                    : verdict_on(before.phase, which);
      CHECK(w.refused == verdict.why);
      if (verdict.what == order_verdict::kind::accept)
        CHECK((!(w.state == before) || !w.effects.empty()));
      else
        CHECK(w.state == before);
    });
  });
}

TEST_CASE("an event that the table does not list for a phase breaks an invariant") {
  const std::vector<order_event> events{
    order_placed{},    order_reserved{},   order_rejected{},       order_confirmed{},
    payment_failed{},  cancel_requested{}, order_canceled{},       order_completed{},
    order_parked{},    order_unparked{},   returns_settled{},      order_held{},
    order_resumed{},   payment_declined{}, payment_retried{},      order_delivered{},
    refund_granted{},  payment_resolved{}, lines_canceled{},       shipment_requested{},
    order_shipped{},   order_returned{},   order_given_up{},       order_backordered{},
    backorder_tried{}, order_hold_lost{},  payment_needs_action{}, payment_action_done{},
    payment_overdue{}, order_closed{},
  };
  for_each_enumerator<order_status>([&](order_status status) {
    for (const auto& event : events) {
      auto state = in(status).state;
      const auto type = std::visit([](const auto& e) { return e.type; }, event);
      if (next_phase(state.phase, type))
        CHECK_NOTHROW(evolve(state, event));
      else
        CHECK_THROWS_AS(evolve(state, event), broken_invariant);
    }
  });
}

TEST_CASE("C1: hold, authorize, commit, capture, confirmed") {
  auto w = placed();
  CHECK(w.spoken_to() == std::set<std::string>{"stock/mug", "stock/cup"});
  CHECK(w.sent<hold_units>());

  w.stock(stock_step::hold, "mug");
  CHECK(w.effects.empty());
  w.stock(stock_step::hold, "cup");
  CHECK(status_of(w.state) == order_status::awaiting_payment);
  CHECK(w.sent<authorize_payment>());
  w.payment(payment_outcome::authorized);
  CHECK(w.sent<commit_units>());
  w.both(stock_step::commit);
  CHECK(w.sent<capture_payment>());
  w.payment(payment_outcome::captured);

  CHECK(status_of(w.state) == order_status::confirmed);
  CHECK(w.effects.empty());
}

TEST_CASE("K7: when one SKU is short the others let go, and only then the order is rejected") {
  auto w = placed();

  w.stock(stock_step::hold, "cup");
  w.stock(stock_step::hold, "mug", rejection::out_of_stock);
  CHECK(w.spoken_to() == std::set<std::string>{"stock/cup"});
  CHECK(w.sent<release_units>());
  CHECK(status_of(w.state) == order_status::reserving);
  w.stock(stock_step::release, "cup");

  CHECK(status_of(w.state) == order_status::rejected);
  CHECK(w.state.reason == "out_of_stock");
}

TEST_CASE("K7: units that a SKU holds after it refused them are let go") {
  auto w = placed();
  w.stock(stock_step::hold, "cup");
  const auto asked = w.attempt_of(w.asked.front().body);
  w.stock(stock_step::hold, "mug", rejection::out_of_stock);
  w.tell(stock_reply{stock_step::hold, "mug", rejection::none, asked}); // it crashed, and could
  CHECK(w.spoken_to() == std::set<std::string>{"stock/mug"});
  CHECK(w.sent<release_units>());
  w.stock(stock_step::release, "cup");
  CHECK(status_of(w.state) == order_status::rejected);
  w.tell(stock_reply{stock_step::hold, "mug", rejection::none, asked});
  CHECK(w.sent<release_units>());
  w.tell(stock_reply{stock_step::release, "mug", rejection::none, w.attempt});
  CHECK(w.effects.empty());

  auto held = reserved(); // told twice, and wanted
  held.tell(stock_reply{stock_step::hold, "mug", rejection::none, asked});
  CHECK(held.effects.empty());
}

TEST_CASE("C1: a provider that takes sales is asked once, for what is captured at once") {
  auto w = placed();
  w.policy.sales = true;
  w.both(stock_step::hold);
  CHECK(w.sent<charge_payment>());
  CHECK_FALSE(w.sent<authorize_payment>());
  w.payment(payment_outcome::captured, "series-1");
  CHECK(w.sent<commit_units>());
  w.both(stock_step::commit);
  CHECK_FALSE(w.sent<capture_payment>());
  CHECK(status_of(w.state) == order_status::confirmed);

  auto again = placed(); // taken up after a crash
  again.both(stock_step::hold);
  again.progress = {};
  again.payment(payment_outcome::captured, "series-1");
  CHECK(again.sent<commit_units>());
  again.both(stock_step::commit);
  CHECK(status_of(again.state) == order_status::confirmed);

  // The provider takes sales, but did not when this one was authorized.
  auto in_two_calls = placed();
  in_two_calls.policy.sales = true;
  in_two_calls.both(stock_step::hold);
  in_two_calls.payment(payment_outcome::authorized, "series-1");
  in_two_calls.both(stock_step::commit);
  CHECK(in_two_calls.sent<capture_payment>());

  workflow ships;
  ships.policy.sales = true;
  auto request = two_mugs_and_a_cup();
  request.capture = capture_policy::on_ship;
  ships.client(request);
  ships.both(stock_step::hold);
  CHECK(ships.sent<authorize_payment>());
  CHECK_FALSE(ships.sent<charge_payment>());
}

TEST_CASE("C3: a declined payment is reversed first, then the stock is released") {
  auto w = reserved();

  w.payment(payment_outcome::authorization_refused);
  CHECK(status_of(w.state) == order_status::canceling);
  CHECK(w.sent<reverse_payment>());
  w.payment(payment_outcome::reversed);
  CHECK(w.sent<release_units>());
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::canceled);
  CHECK(w.state.reason == payment_declined_reason);
}

TEST_CASE("C5: a cancel while the money is being taken wins, and what comes late is ignored") {
  auto w = reserved();
  w.payment(payment_outcome::authorized);
  w.both(stock_step::commit);

  w.client(cancel_order{"o-1", "changed my mind"});
  w.payment(payment_outcome::captured); // said before the payment heard of the cancel
  CHECK(status_of(w.state) == order_status::canceling);
  w.payment(payment_outcome::reversed);
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::canceled);
  CHECK(w.state.reason == "changed my mind");
}

TEST_CASE("C5: a refusal of the authorization is none of the reversal that was asked for since") {
  auto w = reserved();
  w.client(cancel_order{"o-1"});

  w.payment(payment_outcome::authorization_refused); // said before the payment heard of the cancel
  CHECK(status_of(w.state) == order_status::canceling);
  w.payment(payment_outcome::reversed);
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::canceled);
}

TEST_CASE("what stock told a former self of the order does not count") {
  auto w = placed();
  const auto former = workflow::attempt_of(w.asked.back().body);
  w.crash();
  w.tell(resume_step{}); // asks again

  w.tell(stock_reply{stock_step::hold, "mug", rejection::none, former});
  w.tell(stock_reply{stock_step::hold, "cup", rejection::none, former});
  CHECK(status_of(w.state) == order_status::reserving);
  w.both(stock_step::hold);

  CHECK(status_of(w.state) == order_status::awaiting_payment);
}

TEST_CASE("C8: an order parked for its payment asks again after a restart") {
  auto w = in(order_status::needs_attention);
  CHECK(must_resume(w.state));
  w.crash(); // and the payment's reply was lost with it

  w.tell(resume_step{});
  REQUIRE(w.sent<authorize_payment>());
  w.payment(payment_outcome::authorized);

  CHECK(status_of(w.state) == order_status::awaiting_payment);
}

TEST_CASE("C8: a parked order that asks again stays parked while another operation is stuck") {
  auto w = in(order_status::needs_attention); // its capture is, its authorization succeeded
  w.crash();
  w.tell(resume_step{});

  w.tell(payment_reply{payment_outcome::authorized, {}, {}, true});
  CHECK(status_of(w.state) == order_status::needs_attention);
  w.both(stock_step::commit);
  w.client(resolve_order{"o-1", payment_finding::captured, "it arrived"}); // in the midst of it
  CHECK(w.refused == rejection::none);
  w.payment(payment_outcome::captured, "order");

  CHECK(status_of(w.state) == order_status::confirmed);
}

TEST_CASE("a parked order that left memory goes on by what it is told, and does not ask for it") {
  const auto left_memory = [](workflow w) { // a message of its step was given up
    w.tell(undeliverable{});
    CHECK(status_of(w.state) == order_status::needs_attention);
    CHECK_FALSE(must_resume(w.state));
    w.crash();
    return w;
  };
  auto paid = left_memory(reserved());
  paid.payment(payment_outcome::authorized);
  CHECK_FALSE(paid.sent<authorize_payment>());
  CHECK(paid.sent<commit_units>());
  CHECK(status_of(paid.state) == order_status::awaiting_payment);

  auto refused = left_memory(reserved());
  refused.payment(payment_outcome::authorization_refused);
  CHECK_FALSE(refused.sent<authorize_payment>());
  CHECK(refused.sent<reverse_payment>());

  auto canceled = reserved();
  canceled.client(cancel_order{"o-1"});
  canceled = left_memory(std::move(canceled));
  canceled.payment(payment_outcome::reversed);
  CHECK_FALSE(canceled.sent<reverse_payment>());
  CHECK(canceled.sent<release_units>());
  canceled.both(stock_step::release);
  CHECK(status_of(canceled.state) == order_status::canceled);

  auto asks = left_memory(reserved()); // what it is told is not the answer to its phase
  asks.payment(payment_outcome::captured);
  CHECK(asks.sent<authorize_payment>());

  auto asks_too = left_memory(reserved()); // nor is that, of another attempt
  asks_too.payment(payment_outcome::authorized, "authorize-of-another");
  CHECK(asks_too.sent<authorize_payment>());
}

TEST_CASE("stock is never released while the payment is unknown") {
  auto w = in(order_status::needs_attention);
  CHECK(w.spoken_to().empty());
  CHECK(w.alarm() == "order_needs_attention order=o-1 reason=payment_unknown");

  w.client(cancel_order{"o-1"});
  CHECK(w.refused == rejection::payment_unknown);
  w.payment(payment_outcome::authorized); // known at last

  CHECK(status_of(w.state) == order_status::awaiting_payment);
  CHECK(w.sent<commit_units>());
}

TEST_CASE("G1: after a crash the phase begins again, and the workflow ends the same") {
  for (int crash_at = 0; crash_at < 12; ++crash_at) {
    CAPTURE(crash_at);
    auto w = placed();
    std::deque<effect> sent{w.effects.begin(), w.effects.end()};
    const auto collect = [&] { sent.insert(sent.end(), w.effects.begin(), w.effects.end()); };

    for (int answered = 0; !sent.empty(); ++answered) {
      if (answered == crash_at) {
        w.crash();
        w.tell(resume_step{});
        collect();
      }
      const auto send = std::get<send_message>(sent.front());
      sent.pop_front();
      if (std::holds_alternative<hold_units>(send.body))
        w.stock(stock_step::hold, send.to.key);
      else if (std::holds_alternative<commit_units>(send.body))
        w.stock(stock_step::commit, send.to.key);
      else if (std::holds_alternative<authorize_payment>(send.body))
        w.payment(payment_outcome::authorized);
      else
        w.payment(payment_outcome::captured);
      collect();
    }

    CHECK(status_of(w.state) == order_status::confirmed);
  }
}

TEST_CASE("a reply that comes twice, or to a stage that is over, changes nothing") {
  auto w = placed();
  w.stock(stock_step::hold, "mug");
  w.stock(stock_step::hold, "mug");
  CHECK(status_of(w.state) == order_status::reserving);
  w.stock(stock_step::hold, "cup");
  const auto before = w.state;

  w.stock(stock_step::hold, "cup");
  w.stock(stock_step::release, "cup");
  w.stock(stock_step::hold, "unknown");
  w.payment(payment_outcome::reversed);

  CHECK(w.state == before);
}

TEST_CASE("a workflow whose message was given up needs attention") {
  auto w = placed();

  w.tell(undeliverable{rejection::quarantined});

  CHECK(status_of(w.state) == order_status::needs_attention);
  CHECK(reason_of(w.state) == "quarantined");
}

TEST_CASE("K10: an order whose hold a forced count took is given up, money first") {
  auto w = reserved();
  w.payment(payment_outcome::authorized);
  w.stock(stock_step::commit, "cup");

  w.stock(stock_step::commit, "mug", rejection::reservation_expired);
  CHECK(status_of(w.state) == order_status::canceling);
  CHECK(w.sent<reverse_payment>());
  w.payment(payment_outcome::reversed);
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::canceled);
  CHECK(reason_of(w.state) == "out_of_stock");
}

TEST_CASE("a message that is not for orders breaks an invariant") {
  workflow w;

  CHECK_THROWS_AS(w.tell(hold_units{}), broken_invariant);
  CHECK_THROWS_AS(w.client(receive_stock{}), broken_invariant);
}
