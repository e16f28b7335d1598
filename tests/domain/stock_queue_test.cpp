// The queue of a SKU: who waits, who is offered what, who comes next (stock.hpp, Q1 to Q4).
#include "actors/domain/stock.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace purser;

namespace {

entity_ref order_number(int number) {
  return {entity_kind::order, "o-" + std::to_string(number)};
}

/// Stock of one SKU, and whom its last decision offered units.
struct shelf {
  stock state;
  unix_millis now = 1'000;
  std::vector<entity_ref> offered;
  std::vector<entity_ref> bereft; ///< told that their hold is gone
  std::optional<std::string> alarm;

  rejection tell(const message_body& request, const entity_ref& from) {
    decide_context context;
    context.self = {entity_kind::stock, "mug"};
    context.from = from;
    context.now = now;
    auto refused = rejection::none;
    offered.clear();
    bereft.clear();
    alarm.reset();
    for (auto made = decide(state, request, context);;) {
      for (const auto& event : made.events)
        evolve(state, event);
      for (const auto& wanted : made.effects) {
        if (const auto* raised = std::get_if<raise_alarm>(&wanted)) {
          alarm = raised->text;
          continue;
        }
        const auto& send = std::get<send_message>(wanted);
        if (const auto* reply = std::get_if<stock_reply>(&send.body))
          refused = reply->refused;
        if (std::holds_alternative<offer_units>(send.body))
          offered.push_back(send.to);
        if (std::holds_alternative<hold_lost>(send.body))
          bereft.push_back(send.to);
      }
      if (made.events.empty())
        break;
      made = offer_next(state, context);
    }
    check_invariants(state);
    return refused;
  }

  void receive(std::int64_t quantity) {
    tell(book_receipt{{"main", quantity}}, {entity_kind::receipt, "r"});
  }
  rejection adjust(std::int64_t quantity, bool force) {
    return tell(book_adjustment{{"main", quantity}, force}, {entity_kind::adjustment, "a"});
  }
  rejection hold(int order, std::int64_t quantity, bool queue = true) {
    return tell(hold_units{{{"main", quantity}}, 0, 0, queue}, order_number(order));
  }
  void undo(int order) { tell(release_units{{}, 0, true}, order_number(order)); }
  void leave(int order) { tell(leave_queue{}, order_number(order)); }
  std::int64_t available() const { return purser::available(state, "main", now); }
};

using refs = std::vector<entity_ref>;

/// Two orders wait: the first for 3 units, the second for 2.
shelf with_two_waiting() {
  shelf s;
  s.receive(1);
  CHECK(s.hold(1, 3) == rejection::out_of_stock);
  CHECK(s.hold(2, 2) == rejection::out_of_stock);
  return s;
}

} // namespace

TEST_CASE("Q1: units that come are offered in order of arrival, one place at a time") {
  auto s = with_two_waiting();

  s.receive(10);
  CHECK(s.offered == refs{order_number(1)});
  CHECK(s.hold(1, 3) == rejection::none);
  CHECK(s.offered.empty()); // not before it is known what becomes of the first
  s.leave(1);

  CHECK(s.offered == refs{order_number(2)});
  s.hold(2, 2);
  s.leave(2);
  CHECK(s.state.queue.places.empty());
  CHECK(s.available() == 6);
}

TEST_CASE("Q2: what is offered is set aside: nobody else gets it meanwhile") {
  auto s = with_two_waiting();
  s.receive(3); // 4 are free, 3 of them set aside

  CHECK(s.hold(3, 2, false) == rejection::out_of_stock);
  CHECK(s.hold(3, 1, false) == rejection::none);
  CHECK(s.hold(1, 3) == rejection::none);
}

TEST_CASE("Q1: one that is short elsewhere keeps its place, and the next one gets its turn") {
  auto s = with_two_waiting();
  s.receive(3);
  s.hold(1, 3);

  s.undo(1);
  CHECK(s.offered == refs{order_number(2)}); // its other SKU offers again when that comes
  s.hold(2, 2);
  s.leave(2);
  CHECK(s.offered.empty());

  CHECK(s.hold(1, 3) == rejection::out_of_stock); // it came back, and is short here now
  s.receive(1);
  CHECK(s.offered == refs{order_number(1)});
}

TEST_CASE("Q1: one whose demand does not fit is passed over") {
  auto s = with_two_waiting();

  s.receive(1);

  CHECK(s.offered == refs{order_number(2)});
}

TEST_CASE("an order that was canceled leaves, and its offer goes to the next") {
  auto s = with_two_waiting();
  s.receive(2);
  CHECK(s.offered == refs{order_number(1)});

  s.tell(release_units{}, order_number(1));

  CHECK(s.offered == refs{order_number(2)});
  CHECK(s.state.queue.places.size() == 1);
}

TEST_CASE("every way that units become free is news for those who wait") {
  shelf s;
  s.receive(5);
  s.hold(1, 3, false);
  s.tell(hold_units{{{"main", 2}}, 2'000, 0, false}, {entity_kind::reservation, "r-1"});
  CHECK(s.hold(2, 2) == rejection::out_of_stock);

  SUBCASE("a release") {
    s.tell(release_units{}, order_number(1));
  }
  SUBCASE("an adjustment") {
    s.adjust(2, false);
  }
  SUBCASE("a return") {
    s.tell(restock_units{{{"main", 2}}}, order_number(9));
  }
  SUBCASE("a hold that lapses") {
    s.now = due(s.state).value();
    s.tell(timer_due{}, {});
  }
  CHECK(s.offered == refs{order_number(2)});
}

TEST_CASE("an offer is repeated after a crash, so that none is lost") {
  auto s = with_two_waiting();
  CHECK_FALSE(must_resume(s.state));
  s.receive(2);
  REQUIRE(must_resume(s.state));

  s.tell(resume_step{}, {});

  CHECK(s.offered == refs{order_number(1)});
}

TEST_CASE("an offer that its owner cannot take goes to the next") {
  auto s = with_two_waiting();
  s.receive(2);

  s.tell(undeliverable{rejection::dead_lettered}, order_number(1));

  CHECK(s.offered == refs{order_number(2)});
}

TEST_CASE("K10: below what is promised an adjustment is refused, unless it is forced") {
  shelf s;
  s.receive(10);
  s.hold(1, 4, false);
  s.hold(2, 4, false);

  CHECK(s.adjust(-3, false) == rejection::below_promised);
  CHECK(s.adjust(-3, true) == rejection::none);

  CHECK(s.bereft == refs{order_number(2)}); // the newest hold
  CHECK(s.alarm == "stock_oversold sku=mug location=main missing=0");
  CHECK(s.available() == 3);
  CHECK_FALSE(is_oversold(s.state));
  CHECK(s.state.queue.places.size() == 1); // it is in the queue
  s.receive(1);
  CHECK(s.offered == refs{order_number(2)});
}

TEST_CASE("K10: what is committed stays, and the SKU is oversold until stock comes") {
  shelf s;
  s.receive(4);
  s.hold(1, 4, false);
  s.tell(commit_units{}, order_number(1));

  s.adjust(-3, true);
  CHECK(is_oversold(s.state));
  CHECK(s.alarm == "stock_oversold sku=mug location=main missing=3");
  CHECK(s.hold(2, 1, false) == rejection::out_of_stock);
  s.receive(3);

  CHECK_FALSE(is_oversold(s.state));
  CHECK(s.available() == 0);
}

TEST_CASE("K10: what a count finds is entered without force, also while the SKU is oversold") {
  shelf s;
  s.receive(4);
  s.hold(1, 4, false);
  s.tell(commit_units{}, order_number(1));
  s.adjust(-3, true);

  CHECK(s.adjust(1, false) == rejection::none);

  CHECK(s.available() == -2);
  CHECK(s.adjust(-1, false) == rejection::below_promised);
}

TEST_CASE("Q4: who lost a hold is told so after a restart, until it has acted on it") {
  shelf s;
  s.receive(2);
  s.hold(1, 2);
  s.adjust(-1, true);
  CHECK(s.bereft == refs{order_number(1)});

  CHECK(must_resume(s.state));
  s.tell(resume_step{}, {});
  CHECK(s.bereft == refs{order_number(1)});

  s.undo(1);
  CHECK_FALSE(must_resume(s.state));
  s.tell(resume_step{}, {});
  CHECK(s.bereft.empty());
}

TEST_CASE("Q4: who gives up after it lost a hold is told no more") {
  for (const bool has_place : {true, false}) {
    shelf s;
    s.receive(2);
    s.hold(1, 2);
    s.adjust(-1, true);
    if (!has_place)
      s.leave(1);

    s.tell(release_units{}, order_number(1));

    CHECK_FALSE(must_resume(s.state));
    CHECK(s.state.queue.places.empty());
  }
}

TEST_CASE("Q4: who believes to hold what was just taken keeps its new place") {
  shelf s;
  s.receive(5);
  s.hold(1, 5);
  CHECK(s.adjust(-3, true) == rejection::none);
  REQUIRE(s.bereft == refs{order_number(1)});

  s.tell(leave_queue{true}, order_number(1)); // sent before it knew

  CHECK(s.state.queue.places.size() == 1);
  s.bereft.clear();
  s.tell(resume_step{}, {}); // what it was told may be lost
  CHECK(s.bereft == refs{order_number(1)});
  s.leave(1); // it is not wanted any more
  CHECK(s.state.queue.places.empty());
}
