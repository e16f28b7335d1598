// What happens to an order beside its phase: parts that ship, are canceled, come back; refunds.
#include "actors/domain/order_money.hpp"
#include "tests/domain/order_fixture.hpp"

#include <doctest/doctest.h>

using namespace purser;
using namespace purser::tests;

namespace {

/// Two mugs at 500 and a cup at 300, shipping 90, captured as told, confirmed.
workflow confirmed_with(capture_policy capture) {
  auto request = two_mugs_and_a_cup();
  request.capture = capture;
  request.shipping = 90;
  workflow w;
  w.client(request);
  w.both(stock_step::hold);
  w.payment(payment_outcome::authorized);
  w.both(stock_step::commit);
  if (capture == capture_policy::on_confirm)
    w.payment(payment_outcome::captured, "order");
  return w;
}

workflow on_confirm() {
  return confirmed_with(capture_policy::on_confirm);
}
workflow on_ship() {
  return confirmed_with(capture_policy::on_ship);
}

ship_order ship(const std::string& id, std::optional<std::vector<line_quantity>> lines = {}) {
  return {.order_id = "o-1", .shipment_id = id, .lines = std::move(lines)};
}

cancel_order cancel(std::vector<line_quantity> lines) {
  return {"o-1", std::nullopt, std::move(lines)};
}

template <class Body>
const Body* told(const workflow& w) {
  return w.told<Body>();
}

} // namespace

TEST_CASE("M7: shares of a line add up to the line, however it is cut") {
  for (const minor_units total : {0, 1, 100, 101, 9'999'999})
    for (const std::int64_t quantity : {1, 3, 7}) {
      minor_units sum = 0;
      for (std::int64_t unit = 0; unit < quantity; ++unit)
        sum += share_of(total, quantity, unit, 1);
      CHECK(sum == total);
      CHECK(share_of(total, quantity, 0, quantity) == total);
    }
  CHECK(share_of(9'007'199'254'740'991, 1'000'000, 999'999, 1) == 9'007'199'255);
}

TEST_CASE("a part ships, then the rest: fulfilling, then completed") {
  auto w = on_confirm();

  w.client(ship("s-1", {{{"1", 1}}}));
  CHECK(told<ship_units>(w)->items == std::vector<location_units>{{"main", 1}});
  w.stock(stock_step::ship, "mug");
  CHECK(status_of(w.state) == order_status::fulfilling);
  w.client(ship("s-2"));
  CHECK(told<ship_units>(w) != nullptr);
  w.both(stock_step::ship);

  CHECK(status_of(w.state) == order_status::completed);
  CHECK(w.state.shipments.size() == 2);
}

TEST_CASE("G1: a shipment is asked of stock again after a crash, with what has shipped in all") {
  auto w = on_confirm();
  w.client(ship("s-1", {{{"1", 1}}}));
  w.client(ship("s-2", {{{"1", 1}}}));
  w.crash();

  w.tell(resume_step{});

  CHECK(w.effects.size() == 2);
  CHECK(told<ship_units>(w)->items == std::vector<location_units>{{"main", 2}});
}

TEST_CASE("K8: more than is left cannot ship, be canceled or come back") {
  auto w = on_confirm();
  w.client(ship("s-1", {{{"1", 3}}}));
  CHECK(w.refused == rejection::quantity_exceeded);
  w.client(cancel({{"9", 1}}));
  CHECK(w.refused == rejection::line_unknown);
  w.client(ship("s-1", {{{"1", 2}}}));
  w.stock(stock_step::ship, "mug");

  w.client(cancel({{"1", 1}}));
  CHECK(w.refused == rejection::quantity_exceeded);
  w.client(return_order{"o-1", "r-1", {{"1", 3}}});
  CHECK(w.refused == rejection::quantity_exceeded);
  CHECK(w.state.tasks.empty());
}

TEST_CASE("a part is canceled: its share goes back, its units too, the status stays") {
  auto w = on_confirm();

  w.client(cancel({{"1", 1}}));
  CHECK(told<refund_payment>(w)->amount == 500);
  CHECK(told<release_units>(w)->items == std::vector<location_units>{{"main", 1}});
  CHECK(status_of(w.state) == order_status::confirmed);
  w.stock(stock_step::release, "mug");
  CHECK(has_open_step(w.state));
  w.payment(payment_outcome::refunded, "cancel/1");

  CHECK_FALSE(has_open_step(w.state));
  CHECK(status_of(w.state) == order_status::confirmed);
  CHECK(left_of(w.state, 0) == 1);
}

TEST_CASE("canceling everything line by line is canceling the order, shipping included") {
  auto w = on_confirm();

  w.client(cancel({{"1", 2}, {"2", 1}}));

  CHECK(status_of(w.state) == order_status::canceling);
  CHECK(told<reverse_payment>(w) != nullptr);
}

TEST_CASE("canceling the rest after a shipment completes the order") {
  auto w = on_confirm();
  w.client(ship("s-1", {{{"1", 2}}}));
  w.stock(stock_step::ship, "mug");

  w.client(cancel_order{"o-1"});
  CHECK(told<refund_payment>(w)->amount == 300);
  w.stock(stock_step::release, "cup");
  w.payment(payment_outcome::refunded, "cancel/1");

  CHECK(status_of(w.state) == order_status::completed);
  w.client(cancel_order{"o-1"});
  CHECK(w.refused == rejection::order_already_shipped);
}

TEST_CASE("capture on shipment: the share first, shipping with the first, then the units") {
  auto w = on_ship();
  CHECK(w.state.captured == 0);

  w.client(ship("s-1", {{{"1", 1}}}));
  CHECK(told<capture_payment>(w)->amount == 590);
  CHECK(told<ship_units>(w) == nullptr);
  CHECK(w.state.shipments.empty());
  w.client(ship("s-2"));
  CHECK(w.refused == rejection::shipment_under_way);
  w.payment(payment_outcome::captured, "ship/s-1");
  CHECK(told<ship_units>(w) != nullptr);
  w.stock(stock_step::ship, "mug");
  CHECK(w.state.captured == 590);

  w.client(ship("s-2"));
  CHECK(told<capture_payment>(w)->amount == 800);
}

TEST_CASE("capture on shipment: refused money keeps the units here and puts the order on hold") {
  auto w = on_ship();
  w.client(ship("s-1"));

  w.payment(payment_outcome::capture_refused, "ship/s-1");

  CHECK(status_of(w.state) == order_status::on_hold);
  CHECK(reason_of(w.state) == "capture_refused");
  CHECK(w.state.shipments.empty());
  CHECK(left_of(w.state, 0) == 2);
  w.client(ship("s-2"));
  CHECK(w.refused == rejection::order_on_hold);
  w.client(resume_order{"o-1", "card is good again"});
  w.client(ship("s-2"));
  CHECK(w.refused == rejection::none);
}

TEST_CASE("capture on shipment: what was authorized for canceled units is let go at the end") {
  auto w = on_ship();
  w.client(cancel({{"2", 1}}));
  CHECK(told<refund_payment>(w) == nullptr); // nothing was captured
  w.stock(stock_step::release, "cup");
  w.client(ship("s-1"));
  w.payment(payment_outcome::captured, "ship/s-1");
  w.stock(stock_step::ship, "mug");

  CHECK(status_of(w.state) == order_status::completed);
  CHECK(told<void_rest>(w) != nullptr);
  CHECK(has_open_step(w.state));
  w.payment(payment_outcome::voided);
  CHECK_FALSE(has_open_step(w.state));
}

TEST_CASE("M6: capture on shipment: canceling units that were never captured refunds nothing") {
  auto request = two_mugs_and_a_cup();
  request.capture = capture_policy::on_ship;
  workflow w;
  w.client(request);
  w.both(stock_step::hold);
  w.payment(payment_outcome::authorized);
  w.both(stock_step::commit);
  w.client(ship_order{.order_id = "o-1", .shipment_id = "s-1", .lines = {{{"1", 1}}}});
  w.payment(payment_outcome::captured, "ship/s-1");
  w.stock(stock_step::ship, "mug");

  w.client(cancel_order{"o-1"});

  CHECK(w.refused == rejection::none);
  CHECK_FALSE(w.sent<refund_payment>());
  CHECK(w.state.captured == 500); // of the mug that has shipped
  CHECK(w.state.refunded == 0);
}

TEST_CASE("a return gives back the share and the units, and the order is returning meanwhile") {
  auto w = in(order_status::completed);

  w.client(return_order{"o-1", "r-1", {{"1", 1, true}, {"2", 1, false}}});
  CHECK(status_of(w.state) == order_status::returning);
  CHECK(told<refund_payment>(w)->amount == 800);
  CHECK(told<restock_units>(w)->items == std::vector<location_units>{{"main", 1}});
  CHECK(w.spoken_to() == std::set<std::string>{"payment/o-1", "stock/mug"}); // not the cup
  w.stock(stock_step::restock, "mug");
  w.payment(payment_outcome::refunded, "return/r-1");

  CHECK(status_of(w.state) == order_status::completed);
}

TEST_CASE("M4: a refund is at most what was captured and has not gone back") {
  auto w = in(order_status::completed);
  w.client(grant_refund{"o-1", "g-1", 1'301, std::nullopt});
  CHECK(w.refused == rejection::refund_exceeds_captured);
  w.client(grant_refund{"o-1", "g-2", 1'000, "sorry"});
  w.payment(payment_outcome::refunded, "refund/g-2");

  w.client(return_order{"o-1", "r-1", {{"1", 2}}, 301});
  CHECK(w.refused == rejection::refund_exceeds_captured);
  w.client(return_order{"o-1", "r-2", {{"1", 2}}});

  CHECK(told<refund_payment>(w)->amount == 300); // its share is 1,000
  CHECK(refundable(w.state) == 0);
}

TEST_CASE("a refund of nothing calls no provider") {
  auto w = in(order_status::completed);

  w.client(return_order{"o-1", "r-1", {{"1", 1, false}}, 0});

  CHECK(w.effects.empty());
  CHECK(status_of(w.state) == order_status::completed);
  CHECK(w.state.returns.size() == 1);
}

TEST_CASE("a refused refund did not happen, and can be granted again") {
  auto w = in(order_status::completed);
  w.client(grant_refund{"o-1", "g-1", 1'300, std::nullopt});

  w.payment(payment_outcome::refund_refused, "refund/g-1");

  CHECK(refundable(w.state) == 1'300);
  CHECK(was_refused(w.state, task_kind::refund, "g-1"));
  w.client(grant_refund{"o-1", "g-2", 1'300, std::nullopt});
  CHECK(w.refused == rejection::none);
}

TEST_CASE("I1: a refused shipment says nothing of a refund with the same id") {
  auto w = in(order_status::completed);
  w.client(grant_refund{"o-1", "7", 100, std::nullopt});

  w.payment(payment_outcome::refund_refused, "refund/7");

  CHECK(was_refused(w.state, task_kind::refund, "7"));
  CHECK_FALSE(was_refused(w.state, task_kind::capture, "7"));
}

TEST_CASE("on hold: a declined payment waits for another card, or for the resume that gives up") {
  for (const bool another : {true, false}) {
    auto w = in(order_status::on_hold);
    CHECK_FALSE(has_open_step(w.state));
    if (another) {
      w.client(retry_payment{"o-1", {"card", "tok_ok"}});
      CHECK(told<authorize_payment>(w)->series == 2);
      w.payment(payment_outcome::authorized);
      w.both(stock_step::commit);
      w.payment(payment_outcome::captured, "order");
      CHECK(status_of(w.state) == order_status::on_hold);
      w.client(resume_order{"o-1", std::nullopt});
      CHECK(status_of(w.state) == order_status::confirmed);
    } else {
      w.client(resume_order{"o-1", std::nullopt});
      CHECK(status_of(w.state) == order_status::canceling);
    }
  }
}

TEST_CASE("an outcome of an earlier attempt to pay, told once more, is none of the present one") {
  auto w = in(order_status::on_hold);
  w.client(retry_payment{"o-1", {"card", "tok_ok"}});

  w.payment(payment_outcome::authorization_refused, "series-1");
  CHECK_FALSE(w.state.declined);

  w.payment(payment_outcome::authorized, "series-2");
  w.both(stock_step::commit);
  w.payment(payment_outcome::captured, "order");
  CHECK(status_of(w.state) == order_status::on_hold);
}

TEST_CASE("an operator's finding settles an unknown payment") {
  auto w = in(order_status::needs_attention);

  w.client(resolve_order{"o-1", payment_finding::captured, "seen on the statement"});
  CHECK(told<settle_payment>(w)->finding == payment_finding::captured);
  w.payment(payment_outcome::authorized);

  CHECK(status_of(w.state) == order_status::awaiting_payment);
  w.client(resolve_order{"o-1", payment_finding::captured, "again"});
  CHECK(w.refused == rejection::nothing_to_resolve);
}

TEST_CASE("I7: an operator's finding that a crash may have lost is told again, as the same one") {
  auto w = in(order_status::needs_attention);
  const auto key = [&]() -> std::string {
    for (const auto& wanted : w.effects)
      if (const auto* send = std::get_if<send_message>(&wanted);
          send != nullptr && std::holds_alternative<settle_payment>(send->body))
        return send->key;
    return "(not told)";
  };
  w.client(resolve_order{"o-1", payment_finding::voided, "asked by phone"});
  CHECK(key() == "resolve/1");

  w.crash();
  w.tell(resume_step{});

  CHECK(key() == "resolve/1");
  CHECK(told<settle_payment>(w)->finding == payment_finding::voided);
}

TEST_CASE("a delivery is noted once, of one shipment or of all") {
  auto w = in(order_status::completed);
  w.client(deliver_order{"o-1", "s-9"});
  CHECK(w.refused == rejection::shipment_unknown);

  w.client(deliver_order{"o-1", std::nullopt});
  const auto after = w.state;
  w.client(deliver_order{"o-1", "s-1"});

  CHECK(after.shipments.at(0).delivered_at.has_value());
  CHECK(w.state == after);
}
