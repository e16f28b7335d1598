// Deadlines of orders (C8), and orders that wait for stock.
#include "tests/domain/order_fixture.hpp"

#include <doctest/doctest.h>

using namespace purser;
using namespace purser::tests;

namespace {

/// The order's deadline comes.
void reach_deadline(workflow& w) {
  w.now = due(w.state).value();
  w.tell(timer_due{});
}

workflow waiting_for_action() {
  auto w = reserved();
  w.payment(payment_outcome::action_required);
  return w;
}

void offer(workflow& w, const std::string& sku) {
  w.tell(offer_units{sku});
}

} // namespace

// -- Deadlines ------------------------------------------------------------------------------------

TEST_CASE(
  "C8: a timer that comes too early, or to a state that waits for nothing, changes nothing") {
  for_each_enumerator<order_status>([](order_status status) {
    CAPTURE(to_string(status));
    auto w = in(status);
    const auto before = w.state;

    if (const auto at = due(w.state))
      w.now = *at - 1;
    w.tell(timer_due{});

    CHECK(w.state == before);
    CHECK(w.effects.empty());
  });
}

TEST_CASE("a payment that waits for the customer ends at the order's deadline, money first") {
  auto w = waiting_for_action();
  CHECK_FALSE(has_open_step(w.state)); // whoever placed it is answered

  reach_deadline(w);
  CHECK(status_of(w.state) == order_status::canceling);
  CHECK(w.sent<reverse_payment>());
  w.payment(payment_outcome::reversed);
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::canceled);
  CHECK(reason_of(w.state) == "payment_timeout");
}

TEST_CASE("what the customer had to do is done in time: the order goes on") {
  auto w = waiting_for_action();

  w.payment(payment_outcome::authorized);
  CHECK(has_open_step(w.state));
  w.both(stock_step::commit);
  w.payment(payment_outcome::captured);

  CHECK(status_of(w.state) == order_status::confirmed);
  CHECK_FALSE(due(w.state).has_value());
}

TEST_CASE("an order on hold whose payment was declined is canceled at its deadline") {
  auto w = in(order_status::on_hold);

  reach_deadline(w);

  CHECK(status_of(w.state) == order_status::canceling);
  CHECK(w.state.reason == "payment_timeout");
}

TEST_CASE("the holds outlast the deadline only while a payment is in flight, to the hard maximum") {
  auto w = reserved();

  reach_deadline(w);
  CHECK(status_of(w.state) == order_status::awaiting_payment);
  CHECK(w.sent<expire_authorization>());

  SUBCASE("a late yes is a yes") {
    w.payment(payment_outcome::authorized);
    CHECK(w.sent<commit_units>());
  }
  SUBCASE("a late no is a timeout") {
    w.payment(payment_outcome::authorization_refused);
    CHECK(w.state.reason == "payment_timeout");
  }
  SUBCASE("at the hard maximum people look, and the stock stays held") {
    reach_deadline(w);
    CHECK(status_of(w.state) == order_status::needs_attention);
    CHECK(w.alarm().has_value());
    CHECK_FALSE(w.sent<release_units>());
    CHECK_FALSE(due(w.state).has_value());
  }
  SUBCASE("of a yes that came in time, while stock is asked: people look no longer than needed") {
    w.state.capture = capture_policy::on_ship;
    w.payment(payment_outcome::authorized);
    reach_deadline(w);
    CHECK(status_of(w.state) == order_status::needs_attention);
    w.both(stock_step::commit);
    CHECK(status_of(w.state) == order_status::confirmed);
  }
  SUBCASE("it is remembered over a crash") {
    w.crash();
    w.tell(resume_step{});
    CHECK(w.sent<authorize_payment>());
    CHECK(w.sent<expire_authorization>());
  }
}

TEST_CASE("an order is closed once it has been completed and delivered for long enough") {
  auto w = in(order_status::completed);
  CHECK_FALSE(due(w.state).has_value()); // nobody said that it arrived
  w.client(deliver_order{"o-1", std::nullopt});
  CHECK(due(w.state) == w.now + w.policy.close_after_ms);

  w.client(return_order{"o-1", "r-1", {{"1", 1}}});
  CHECK_FALSE(due(w.state).has_value()); // money is on its way
  w.stock(stock_step::restock, "mug");
  w.payment(payment_outcome::refunded, "return/r-1");
  reach_deadline(w);

  CHECK(status_of(w.state) == order_status::closed);
  w.client(return_order{"o-1", "r-2", {{"1", 1}}});
  CHECK(w.refused == rejection::order_closed);
}

TEST_CASE("a shipment that arrives before the last one ships does not close the order early") {
  auto w = in(order_status::fulfilling);
  w.client(deliver_order{"o-1", std::nullopt});
  CHECK_FALSE(due(w.state).has_value());

  w.client(ship_order{.order_id = "o-1", .shipment_id = "s-2"});
  w.both(stock_step::ship);
  CHECK_FALSE(due(w.state).has_value());
  w.client(deliver_order{"o-1", "s-2"});

  CHECK(due(w.state) == w.now + w.policy.close_after_ms);
}

// -- Compensation ---------------------------------------------------------------------------------

TEST_CASE("C2: after a capture stock is released once the refund is on its way") {
  auto w = confirmed();
  w.client(cancel_order{"o-1"});

  w.payment(payment_outcome::refunding);
  CHECK(w.sent<release_units>());
  w.both(stock_step::release);
  CHECK(status_of(w.state) == order_status::canceling);

  SUBCASE("and the order is canceled when the refund is definite") {
    w.payment(payment_outcome::reversed);
    CHECK(status_of(w.state) == order_status::canceled);
  }
  SUBCASE("or needs attention when it is refused again and again") {
    w.payment(payment_outcome::reversal_refused);
    CHECK(status_of(w.state) == order_status::needs_attention);
    w.payment(payment_outcome::reversed); // it is tried on
    CHECK(status_of(w.state) == order_status::canceled);
  }
}

// -- Backorders -----------------------------------------------------------------------------------

TEST_CASE("an order that may wait takes places in the queues, and holds and pays nothing") {
  auto request = two_mugs_and_a_cup();
  request.allow_backorder = true;
  workflow w;
  w.client(request);
  CHECK(w.told<hold_units>()->queue);
  w.stock(stock_step::hold, "cup");
  w.stock(stock_step::hold, "mug", rejection::out_of_stock);
  REQUIRE(w.sent<release_units>());
  CHECK(w.told<release_units>()->undo);
  w.stock(stock_step::release, "cup");

  CHECK(status_of(w.state) == order_status::backordered);
  CHECK_FALSE(has_open_step(w.state));
  CHECK(due(w.state) == w.now + w.policy.backorder_wait_ms);
}

TEST_CASE("when stock comes everything is asked for again; then the places are left") {
  auto w = backordered();

  offer(w, "mug");
  CHECK(status_of(w.state) == order_status::reserving);
  w.both(stock_step::hold);

  CHECK(status_of(w.state) == order_status::awaiting_payment);
  CHECK(w.sent<leave_queue>());
  CHECK(w.sent<authorize_payment>());
}

TEST_CASE("an order still short elsewhere goes on waiting, and its time does not begin anew") {
  auto w = backordered();
  const auto until = due(w.state);
  w.now += 1'000;

  offer(w, "mug");
  w.stock(stock_step::hold, "mug");
  w.stock(stock_step::hold, "cup", rejection::out_of_stock);
  CHECK(w.told<release_units>()->undo);
  w.stock(stock_step::release, "mug");

  CHECK(status_of(w.state) == order_status::backordered);
  CHECK(due(w.state) == until);
}

TEST_CASE("stock that is offered while an attempt is under way is tried for after it") {
  auto w = backordered();
  offer(w, "mug");
  w.stock(stock_step::hold, "mug");
  offer(w, "cup");
  w.stock(stock_step::hold, "cup", rejection::out_of_stock);

  w.stock(stock_step::release, "mug");

  CHECK(status_of(w.state) == order_status::reserving);
  CHECK(w.sent<hold_units>());
}

TEST_CASE("an offer to an order that does not wait is declined") {
  for (const auto status :
       {order_status::awaiting_payment, order_status::confirmed, order_status::canceled}) {
    auto w = in(status);
    offer(w, "mug");
    CHECK(w.sent<leave_queue>());
  }
}

TEST_CASE("a backorder ends when its time is over, or when it is canceled") {
  auto w = backordered();
  std::string reason = "canceled_by_request";
  SUBCASE("timeout") {
    reach_deadline(w);
    reason = "backorder_timeout";
  }
  SUBCASE("cancel") {
    w.client(cancel_order{"o-1"});
  }
  w.payment(payment_outcome::reversed);
  REQUIRE(w.sent<release_units>());
  CHECK_FALSE(w.told<release_units>()->undo); // the places go too
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::canceled);
  CHECK(reason_of(w.state) == reason);
}

TEST_CASE("K10: an order that may wait goes back to the queue when a forced count takes its hold") {
  auto w = backordered();
  offer(w, "mug");
  w.both(stock_step::hold);
  w.payment(payment_outcome::authorized);

  w.stock(stock_step::commit, "cup");
  w.stock(stock_step::commit, "mug", rejection::reservation_expired);
  CHECK(w.sent<reverse_payment>()); // the money first
  CHECK(status_of(w.state) == order_status::awaiting_payment);
  w.payment(payment_outcome::reversed);
  CHECK(w.told<release_units>()->undo);
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::reserving); // it asks at once, to get its places
  w.stock(stock_step::hold, "cup");
  w.stock(stock_step::hold, "mug", rejection::out_of_stock);
  w.stock(stock_step::release, "cup");
  CHECK(status_of(w.state) == order_status::backordered);
  offer(w, "mug");
  w.both(stock_step::hold);
  CHECK(w.told<authorize_payment>()->series == 2);
}

TEST_CASE("K10: a hold that is taken while the others are still asked for counts as refused") {
  auto w = placed();
  w.stock(stock_step::hold, "mug");
  w.tell(hold_lost{"mug"});
  w.stock(stock_step::hold, "cup");
  REQUIRE(w.sent<release_units>());
  CHECK_FALSE(w.told<release_units>()->undo); // it does not wait
  w.both(stock_step::release);

  CHECK(status_of(w.state) == order_status::rejected);
}
