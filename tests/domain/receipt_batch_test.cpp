#include "actors/domain/receipt_batch.hpp"
#include "actors/domain/stock.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace purser;

namespace {

const entity_ref delivery{entity_kind::batch, "b-1"};

struct workflow {
  receipt_batch state;
  batch_progress progress;
  std::vector<effect> effects;
  rejection refused = rejection::none;
  std::uint64_t attempt = 7;

  void tell(const message_body& request, const std::string& from = {}) {
    decide_context context;
    context.self = delivery;
    context.from = {entity_kind::stock, from};
    context.attempt = attempt;
    auto made = decide(state, progress, request, context);
    for (const auto& event : made.events)
      evolve(state, event);
    effects = std::move(made.effects);
    refused = made.refused;
  }
  void answer(const std::string& sku, rejection why = rejection::none) {
    tell(stock_reply{stock_step::book, sku, why, attempt}, sku);
  }
};

command_body three_lines() {
  return receive_batch{"b-1", {{"pen", "main", 1}, {"cup", "main", 2}, {"cup", "attic", 3}}};
}

workflow opened() {
  workflow w;
  w.tell(three_lines());
  return w;
}

const book_batch& booking_of(const workflow& w, std::size_t index, const std::string& sku) {
  const auto& sent = std::get<send_message>(w.effects.at(index));
  CHECK(sent.to == entity_ref{entity_kind::stock, sku});
  CHECK(sent.key == "batch/b-1"); // so it is booked once, however often it is asked
  return std::get<book_batch>(sent.body);
}

} // namespace

TEST_CASE("a batch asks each SKU once for all that came of it, and is booked when all have been") {
  auto w = opened();
  CHECK(has_open_step(w.state));
  REQUIRE(w.effects.size() == 2);
  CHECK(booking_of(w, 0, "cup").items == std::vector<location_units>{{"attic", 3}, {"main", 2}});
  CHECK(booking_of(w, 1, "pen").items == std::vector<location_units>{{"main", 1}});

  w.answer("pen");
  CHECK(w.state.status == batch_status::open);
  w.answer("pen"); // a repeat
  CHECK(w.state.status == batch_status::open);
  w.answer("cup");

  CHECK(w.state.status == batch_status::booked);
  CHECK(w.state.line_count == 3);
  CHECK(w.state.units == 6);
  CHECK(w.state.lines.empty()); // a batch that is over stays small
  CHECK(w.state.refused.empty());
}

TEST_CASE("what cannot be booked of a batch is named, and keeps nothing else from being booked") {
  auto w = opened();

  w.answer("cup", rejection::quantity_overflow);
  w.answer("pen");

  CHECK(w.state.status == batch_status::booked);
  CHECK(w.state.refused == std::vector<refused_sku>{{"cup", rejection::quantity_overflow}});
}

TEST_CASE("B5: a SKU that will not answer counts as refused") {
  auto w = opened();

  w.tell(undeliverable{rejection::dead_lettered}); // of an answer: that SKU may have booked
  w.tell(undeliverable{rejection::quarantined}, "pen");
  CHECK(w.state.status == batch_status::open);
  w.answer("cup");

  CHECK(w.state.refused == std::vector<refused_sku>{{"pen", rejection::quarantined}});
}

TEST_CASE("G1: after a crash a batch asks again under the same key, and only that asking counts") {
  auto w = opened();
  w.answer("cup");

  w.progress = {};
  w.attempt = 8;
  w.tell(resume_step{});
  CHECK(w.effects.size() == 2);
  w.tell(stock_reply{stock_step::book, "pen", rejection::none, 7}, "pen");
  w.answer("pen");
  CHECK(w.state.status == batch_status::open);
  w.answer("cup");

  CHECK(w.state.status == batch_status::booked);
  w.tell(resume_step{});
  CHECK(w.effects.empty());
}

TEST_CASE("I2: a batch opens once") {
  auto w = opened();
  w.tell(three_lines());
  CHECK(w.refused == rejection::id_reused);
  CHECK(w.effects.empty());
}

TEST_CASE("an event or a message that is not for a batch breaks an invariant") {
  auto w = opened();
  CHECK_THROWS_AS(evolve(w.state, batch_opened{}), broken_invariant);
  CHECK_THROWS_AS(w.tell(timer_due{}), broken_invariant);
  CHECK_THROWS_AS(w.tell(command_body{release_reservation{"v-1"}}), broken_invariant);
  receipt_batch absent;
  CHECK_THROWS_AS(evolve(absent, batch_booked{}), broken_invariant);
}

TEST_CASE("K1: a SKU books all of a batch or nothing, and answers a repeat as it did first") {
  stock state;
  decide_context context;
  context.self = {entity_kind::stock, "cup"};
  context.from = delivery;
  const auto book = [&](const book_batch& request) {
    const auto made = decide(state, request, context);
    for (const auto& event : made.events)
      evolve(state, event);
    return std::get<stock_reply>(std::get<send_message>(made.effects.at(0)).body);
  };

  CHECK(book({{{"attic", 3}, {"main", 2}}, 7}).refused == rejection::none);
  CHECK(state.locations.at("attic").received == 3);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const auto refused = book({{{"attic", 1}, {"main", most}}, 9});
  CHECK(refused.refused == rejection::quantity_overflow);
  CHECK(refused.attempt == 9);
  CHECK(state.locations.at("attic").received == 3);

  const auto again = answer_again(book_batch{{}, 10}, rejection::quantity_overflow, context);
  const auto& reply = std::get<stock_reply>(std::get<send_message>(again.at(0)).body);
  CHECK(reply.refused == rejection::quantity_overflow);
  CHECK(reply.attempt == 10);
}
