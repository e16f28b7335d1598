#include "actors/domain/reservation.hpp"
#include "actors/domain/stock_document.hpp"

#include <boost/mp11.hpp>
#include <doctest/doctest.h>

#include <algorithm>

using namespace purser;

namespace {

struct workflow {
  reservation state;
  reservation_progress progress;
  std::vector<effect> effects;
  rejection refused = rejection::none;
  unix_millis now = 0;

  void tell(const message_body& request) {
    decide_context context;
    context.self = {entity_kind::reservation, "v-1"};
    context.now = now;
    auto made = decide(state, progress, request, context);
    for (const auto& event : made.events)
      evolve(state, event);
    effects = std::move(made.effects);
    refused = made.refused;
  }
  void client(command_body body) { tell(std::move(body)); }
  void both(stock_step step, rejection cup = rejection::none) {
    tell(stock_reply{step, "cup", cup});
    tell(stock_reply{step, "mug", rejection::none});
  }
};

workflow held() {
  workflow w;
  w.client(reserve_stock{"v-1", {{"mug", "main", 1}, {"cup", "main", 2}}, 60});
  w.both(stock_step::hold);
  return w;
}

} // namespace

TEST_CASE("a reservation is held, committed and shipped") {
  auto w = held();
  CHECK(w.state.status == reservation_status::held);

  w.client(commit_reservation{"v-1"});
  w.both(stock_step::commit);
  CHECK(w.state.status == reservation_status::committed);
  w.client(ship_reservation{"v-1"});
  w.both(stock_step::ship);

  CHECK(w.state.status == reservation_status::shipped);
}

TEST_CASE("a reservation that is short somewhere holds nothing") {
  workflow w;
  w.client(reserve_stock{"v-1", {{"mug", "main", 1}, {"cup", "main", 2}}, 60});

  w.both(stock_step::hold, rejection::out_of_stock);
  REQUIRE(w.effects.size() == 1);
  CHECK(std::get<send_message>(w.effects.at(0)).to.key == "mug");
  w.tell(stock_reply{stock_step::release, "mug"});

  CHECK(w.state.status == reservation_status::rejected);
}

TEST_CASE("R1: a commit at the expiry is refused, one before it is not") {
  auto late = held();
  late.now = 60'000;
  late.client(commit_reservation{"v-1"});
  CHECK(late.refused == rejection::reservation_expired);
  CHECK(late.state.status == reservation_status::expired);

  auto early = held();
  early.now = 59'999;
  early.client(commit_reservation{"v-1"});
  CHECK(early.refused == rejection::none);
}

TEST_CASE("a hold that lapses while it is being committed takes everything back") {
  auto w = held();
  w.client(commit_reservation{"v-1"});

  w.both(stock_step::commit, rejection::reservation_expired);
  CHECK(w.effects.size() == 2);
  w.both(stock_step::release);

  CHECK(w.state.status == reservation_status::expired);
}

TEST_CASE("a reservation resolves at most once") {
  auto w = held();
  w.client(release_reservation{"v-1"});
  w.both(stock_step::release);
  REQUIRE(w.state.status == reservation_status::released);

  w.client(release_reservation{"v-1"});
  CHECK(w.refused == rejection::none); // already so
  w.client(commit_reservation{"v-1"});
  CHECK(w.refused == rejection::reservation_resolved);
  w.client(ship_reservation{"v-1"});
  CHECK(w.refused == rejection::reservation_resolved);
  w.client(reserve_stock{"v-1", {{"mug", "main", 1}}});
  CHECK(w.refused == rejection::id_reused);
}

TEST_CASE("a reservation that nobody made is unknown") {
  workflow w;

  w.client(commit_reservation{"v-1"});
  CHECK(w.refused == rejection::reservation_unknown);
  w.client(release_reservation{"v-1"});
  CHECK(w.refused == rejection::reservation_unknown);
}

TEST_CASE("only committed units ship") {
  auto w = held();

  w.client(ship_reservation{"v-1"});

  CHECK(w.refused == rejection::reservation_not_committed);
}

TEST_CASE("after a crash a reservation's step begins again") {
  auto w = held();
  w.client(commit_reservation{"v-1"});
  w.progress = {};

  w.tell(resume_step{});
  CHECK(w.effects.size() == 2);
  w.both(stock_step::commit);

  CHECK(w.state.status == reservation_status::committed);
}

TEST_CASE("a receipt is booked under its key, and again after a crash, until stock has answered") {
  stock_document state;
  decide_context context;
  context.self = {entity_kind::receipt, "r-1"};
  const auto tell = [&](const message_body& request) {
    auto made = decide(state, request, context);
    for (const auto& event : made.events)
      evolve(state, event);
    return made;
  };

  const auto opened = tell(command_body{receive_stock{"r-1", "mug", "main", 5}});
  REQUIRE(opened.effects.size() == 1);
  CHECK(std::get<send_message>(opened.effects.at(0)).key == "receipt/r-1");
  CHECK(resume(state, context).size() == 1);
  tell(stock_reply{stock_step::book, "mug"});

  CHECK(state.status == document_status::booked);
  CHECK(resume(state, context).empty());
  CHECK(tell(command_body{receive_stock{"r-1", "mug", "main", 6}}).refused == rejection::id_reused);
}

TEST_CASE("an adjustment that stock refuses keeps the reason") {
  stock_document state;
  decide_context context;
  context.self = {entity_kind::adjustment, "a-1"};
  for (const message_body& request :
       {message_body{command_body{adjust_stock{"a-1", "mug", "main", -5, "count"}}},
        message_body{stock_reply{stock_step::book, "mug", rejection::below_promised}}})
    for (const auto& event : decide(state, request, context).events)
      evolve(state, event);

  CHECK(state.status == document_status::refused);
  CHECK(state.why == rejection::below_promised);
}

TEST_CASE("every command in every status does what the table says") {
  using status = reservation_status;
  enum class verdict : std::uint8_t { moves, already_so, refused };
  struct expected {
    verdict what = verdict::refused;
    rejection why = rejection::none;
  };
  const expected moves{verdict::moves, rejection::none};
  const expected so{verdict::already_so, rejection::none};
  const auto no = [](rejection why) { return expected{verdict::refused, why}; };
  const auto reused = no(rejection::id_reused);
  const auto absent = no(rejection::reservation_unknown);
  const auto over = no(rejection::reservation_resolved);
  const auto late = no(rejection::reservation_expired);
  const auto early = no(rejection::reservation_not_committed);
  const auto short_of = no(rejection::out_of_stock);
  struct row {
    status in = status::absent;
    expected reserve, commit, release, ship;
  };
  const std::vector<row> table{
    {status::absent, moves, absent, absent, absent},
    {status::holding, reused, absent, absent, early},
    {status::held, reused, moves, moves, early},
    {status::committing, reused, so, absent, early},
    {status::committed, reused, so, moves, moves},
    {status::releasing, reused, over, so, over},
    {status::released, reused, over, so, over},
    {status::shipping, reused, so, over, so},
    {status::shipped, reused, so, over, so},
    {status::rejected, reused, over, over, over},
    {status::expired, reused, late, late, late},
    {status::backordered, reused, short_of, moves, early},
    {status::canceled, reused, over, over, over},
  };
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<status>>([&](auto known) {
    CAPTURE(known.name);
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const row& each) { return each.in == known.value; });
    REQUIRE(found != table.end());
    const std::vector<std::pair<command_body, expected>> commands{
      {reserve_stock{"v-1", {{"mug", "main", 1}}, 900}, found->reserve},
      {commit_reservation{"v-1"}, found->commit},
      {release_reservation{"v-1"}, found->release},
      {ship_reservation{"v-1"}, found->ship},
    };
    for (const auto& [body, wanted] : commands) {
      CAPTURE(op_of(body));
      reservation state;
      state.status = known.value;
      state.lines = {{"mug", "main", 1}};
      state.expires_at = 1'000'000;
      reservation_progress progress;
      decide_context context;
      context.self = {entity_kind::reservation, "v-1"};
      context.now = 1'000;

      const auto made = decide(state, progress, body, context);

      CHECK(made.refused == wanted.why);
      CHECK(made.events.empty() == (wanted.what != verdict::moves));
      for (const auto& event : made.events)
        CHECK_NOTHROW(evolve(state, event));
    }
  });
}
