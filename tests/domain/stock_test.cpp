#include "actors/domain/stock.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace purser;

namespace {

const entity_ref order_1{entity_kind::order, "o-1"};
const entity_ref order_2{entity_kind::order, "o-2"};

decide_context from(const entity_ref& sender, unix_millis now = 1'000) {
  decide_context context;
  context.self = {entity_kind::stock, "mug"};
  context.from = sender;
  context.now = now;
  return context;
}

/// Decides, evolves, and @returns what the sender is told.
rejection tell(stock& state, const message_body& request, const decide_context& context) {
  const auto made = decide(state, request, context);
  for (const auto& event : made.events)
    evolve(state, event);
  check_invariants(state);
  const auto& reply = std::get<send_message>(made.effects.at(0));
  CHECK(reply.to == context.from);
  return std::get<stock_reply>(reply.body).refused;
}

stock with(std::int64_t quantity) {
  stock state;
  tell(state, book_receipt{{"main", quantity}}, from({entity_kind::receipt, "r-1"}));
  return state;
}

location_books books(const stock& state) {
  return state.locations.at("main");
}

} // namespace

TEST_CASE("K3: no more can be held than is available") {
  auto state = with(10);

  CHECK(tell(state, hold_units{{{"main", 7}}}, from(order_1)) == rejection::none);
  CHECK(tell(state, hold_units{{{"main", 4}}}, from(order_2)) == rejection::out_of_stock);

  CHECK(books(state).held == 7);
  CHECK(books(state).available() == 3);
}

TEST_CASE("K7: a hold over two locations takes all or nothing") {
  auto state = with(10);
  tell(state, book_receipt{{"attic", 1}}, from({entity_kind::receipt, "r-2"}));

  const auto refused = tell(state, hold_units{{{"main", 5}, {"attic", 2}}}, from(order_1));

  CHECK(refused == rejection::out_of_stock);
  CHECK(books(state).held == 0);
}

TEST_CASE("K5: units go from free to held to committed to shipped") {
  auto state = with(10);

  tell(state, hold_units{{{"main", 4}}}, from(order_1));
  CHECK(books(state) == location_books{.received = 10, .shipped = 0, .held = 4, .committed = 0});
  tell(state, commit_units{}, from(order_1));
  CHECK(books(state) == location_books{.received = 10, .shipped = 0, .held = 0, .committed = 4});
  tell(state, ship_units{}, from(order_1));

  CHECK(books(state) == location_books{.received = 10, .shipped = 4, .held = 0, .committed = 0});
  CHECK(state.reservations.empty());
}

TEST_CASE("a request that comes twice has its effect once") {
  auto state = with(10);
  for (const message_body& request :
       {message_body{hold_units{{{"main", 4}}}}, message_body{commit_units{}},
        message_body{ship_units{}}, message_body{release_units{}}}) {
    CHECK(tell(state, request, from(order_1)) == rejection::none);
    const auto once = state;

    CHECK(tell(state, request, from(order_1)) == rejection::none);

    CHECK(state == once);
  }
}

TEST_CASE("held units that ship before they are committed break an invariant") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 4}}}, from(order_1));

  CHECK_THROWS_AS(decide(state, ship_units{}, from(order_1)), broken_invariant);
}

TEST_CASE("released units are available again, held or committed") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 4}}}, from(order_1));
  tell(state, hold_units{{{"main", 6}}}, from(order_2));
  tell(state, commit_units{}, from(order_2));

  tell(state, release_units{}, from(order_1));
  tell(state, release_units{}, from(order_2));

  CHECK(books(state).available() == 10);
}

TEST_CASE("a hold lapses at its tick: not before it, and at it") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 10}}, 5'000}, from(order_1, 1'000));

  CHECK(available(state, "main", 4'999) == 0);
  CHECK(available(state, "main", 5'000) == 10);
  CHECK(tell(state, hold_units{{{"main", 1}}}, from(order_2, 4'999)) == rejection::out_of_stock);
  CHECK(tell(state, hold_units{{{"main", 1}}}, from(order_2, 5'000)) == rejection::none);
  CHECK(tell(state, commit_units{}, from(order_1, 5'000)) == rejection::reservation_expired);
}

TEST_CASE("a committed reservation does not lapse") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 10}}, 5'000}, from(order_1, 1'000));
  tell(state, commit_units{}, from(order_1, 4'999));

  CHECK(available(state, "main", 9'000) == 0);
  CHECK(tell(state, ship_units{}, from(order_1, 9'000)) == rejection::none);
}

TEST_CASE("K10: an adjustment below what is promised is refused") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 4}}}, from(order_1));
  const auto adjuster = from({entity_kind::adjustment, "a-1"});

  CHECK(tell(state, book_adjustment{{"main", -7}}, adjuster) == rejection::below_promised);
  CHECK(tell(state, book_adjustment{{"main", -6}}, adjuster) == rejection::none);

  CHECK(books(state).available() == 0);
}

TEST_CASE("a receipt that would not fit 64 bits is refused") {
  auto state = with(std::numeric_limits<std::int64_t>::max() - 5);

  const auto refused = tell(state, book_receipt{{"main", 6}}, from({entity_kind::receipt, "r-2"}));

  CHECK(refused == rejection::quantity_overflow);
}

TEST_CASE("a SKU that was never received has nothing available") {
  stock state;

  CHECK(tell(state, hold_units{{{"main", 1}}}, from(order_1)) == rejection::out_of_stock);
  CHECK(available(state, "main", 0) == 0);
}

TEST_CASE("events that do not fit the state break an invariant") {
  auto state = with(1);

  CHECK_THROWS_AS(evolve(state, units_held{order_1, {{"main", 2}}, {}}), broken_invariant);
  CHECK_THROWS_AS(evolve(state, units_shipped{order_2, {{"main", 1}}}), broken_invariant);
}

TEST_CASE("K2: books that are not the sum over reservations are found") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 4}}}, from(order_1));
  state.locations.at("main").held = 5;

  CHECK_THROWS_AS(check_invariants(state), broken_invariant);
}

TEST_CASE("K8: parts of a reservation ship and are released; a total asked again changes nothing") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 6}}}, from(order_1));
  tell(state, commit_units{}, from(order_1));

  for (int again = 0; again < 2; ++again) {
    tell(state, ship_units{{{"main", 2}}}, from(order_1));
    tell(state, release_units{{{"main", 1}}}, from(order_1));
    CHECK(books(state) == location_books{.received = 10, .shipped = 2, .committed = 3});
  }
  tell(state, ship_units{{{"main", 5}}}, from(order_1));

  CHECK(state.reservations.empty());
  CHECK(books(state) == location_books{.received = 10, .shipped = 5});
  CHECK_NOTHROW(check_invariants(state));
}

TEST_CASE("K8: a reservation never gives more than it has") {
  auto state = with(10);
  tell(state, hold_units{{{"main", 2}}}, from(order_1));
  tell(state, commit_units{}, from(order_1));

  CHECK_THROWS_AS(decide(state, ship_units{{{"main", 3}}}, from(order_1)), broken_invariant);
  CHECK_THROWS_AS(decide(state, ship_units{{{"attic", 1}}}, from(order_1)), broken_invariant);
}

TEST_CASE("K1: what comes back is on hand again") {
  auto state = with(10);
  tell(state, restock_units{{{"main", 3}}}, from(order_1));

  CHECK(books(state).on_hand() == 13);
  CHECK(books(state).restocked == 3);
}
