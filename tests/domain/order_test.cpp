#include "actors/domain/order_saga.hpp"
#include "actors/domain/order_tables.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <set>

using namespace purser;

namespace {

place_order two_mugs_and_a_cup() {
  place_order request;
  request.order_id = "o-1";
  request.customer_id = "c-1";
  request.currency = "EUR";
  request.lines = {{"1", "mug", "main", 2, 500}, {"2", "cup", "main", 1, 300}};
  request.payment.method = "card";
  return request;
}

/// An order with its workflow, and what its last decision asked for.
struct workflow {
  order state;
  order_progress progress;
  std::vector<effect> effects;
  rejection refused = rejection::none;
  std::uint64_t attempt = 0;

  void tell(const message_body& request) {
    decide_context context;
    context.self = {entity_kind::order, "o-1"};
    context.now = 1'000;
    context.attempt = attempt;
    auto made = decide(state, progress, request, context);
    for (const auto& event : made.events)
      evolve(state, event);
    effects = std::move(made.effects);
    refused = made.refused;
  }

  void client(command_body body) { tell(std::move(body)); }
  void stock(stock_step step, const std::string& sku, rejection why = rejection::none) {
    tell(stock_reply{step, sku, why});
  }
  void both(stock_step step) {
    stock(step, "cup");
    stock(step, "mug");
  }
  void payment(payment_outcome outcome) { tell(payment_reply{outcome, "because"}); }

  void crash() { progress = {}; }

  /// To whom the last decision speaks.
  std::set<std::string> spoken_to() const {
    std::set<std::string> names;
    for (const auto& wanted : effects)
      names.insert(to_string(std::get<send_message>(wanted).to));
    return names;
  }
  template <class Body>
  bool sent() const {
    return !effects.empty() &&
           std::holds_alternative<Body>(std::get<send_message>(effects.at(0)).body);
  }
};

workflow placed() {
  workflow w;
  w.client(two_mugs_and_a_cup());
  return w;
}

workflow reserved() {
  auto w = placed();
  w.both(stock_step::hold);
  return w;
}

workflow confirmed() {
  auto w = reserved();
  w.payment(payment_outcome::authorized);
  w.both(stock_step::commit);
  w.payment(payment_outcome::captured);
  return w;
}

workflow in(order_status status) {
  switch (status) {
  case order_status::absent: return {};
  case order_status::reserving: return placed();
  case order_status::awaiting_payment: return reserved();
  case order_status::confirmed: return confirmed();
  case order_status::fulfilling: {
    auto w = confirmed();
    w.client(ship_order{"o-1", "s-1"});
    return w;
  }
  case order_status::completed: {
    auto w = in(order_status::fulfilling);
    w.both(stock_step::ship);
    return w;
  }
  case order_status::canceling: {
    auto w = confirmed();
    w.client(cancel_order{"o-1"});
    return w;
  }
  case order_status::canceled: {
    auto w = in(order_status::canceling);
    w.payment(payment_outcome::reversed);
    w.both(stock_step::release);
    return w;
  }
  case order_status::rejected: {
    auto w = placed();
    w.stock(stock_step::hold, "mug", rejection::out_of_stock);
    w.stock(stock_step::hold, "cup", rejection::out_of_stock);
    return w;
  }
  case order_status::needs_attention: {
    auto w = reserved();
    w.payment(payment_outcome::unknown);
    return w;
  }
  }
  return {};
}

command_body body_of(order_command which) {
  switch (which) {
  case order_command::place: return two_mugs_and_a_cup();
  case order_command::cancel: return cancel_order{"o-1"};
  case order_command::ship: return ship_order{"o-1", "s-2"};
  }
  return cancel_order{};
}

template <class E, class Visit>
void for_each_enumerator(Visit visit) {
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
    [&](auto known) { visit(known.value); });
}

} // namespace

TEST_CASE("every command in every phase does what the table says") {
  for_each_enumerator<order_status>([](order_status phase) {
    for_each_enumerator<order_command>([&](order_command which) {
      CAPTURE(to_string(phase));
      auto w = in(phase);
      REQUIRE(w.state.status == phase);
      const auto before = w.state;

      w.client(body_of(which));

      const auto& verdict = verdict_on(phase, which);
      CHECK(w.refused == verdict.why);
      if (verdict.what == order_verdict::kind::accept)
        CHECK_FALSE(w.state == before);
      else
        CHECK(w.state == before);
    });
  });
}

TEST_CASE("an event that the table does not list for a phase breaks an invariant") {
  for_each_enumerator<order_status>([](order_status phase) {
    for (const order_event& event : {order_event{order_reserved{}}, order_event{order_confirmed{}},
                                     order_event{order_canceled{}}, order_event{order_completed{}},
                                     order_event{order_resumed{}}}) {
      auto state = in(phase).state;
      const auto type = std::visit([](const auto& e) { return e.type; }, event);
      const auto next = next_status(phase, type);
      if (next)
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
  CHECK(w.state.status == order_status::awaiting_payment);
  CHECK(w.sent<authorize_payment>());
  w.payment(payment_outcome::authorized);
  CHECK(w.sent<commit_units>());
  w.both(stock_step::commit);
  CHECK(w.sent<capture_payment>());
  w.payment(payment_outcome::captured);

  CHECK(w.state.status == order_status::confirmed);
  CHECK(w.effects.empty());
}

TEST_CASE("K7: when one SKU is short the others let go, and only then the order is rejected") {
  auto w = placed();

  w.stock(stock_step::hold, "cup");
  w.stock(stock_step::hold, "mug", rejection::out_of_stock);
  CHECK(w.spoken_to() == std::set<std::string>{"stock/cup"});
  CHECK(w.sent<release_units>());
  CHECK(w.state.status == order_status::reserving);
  w.stock(stock_step::release, "cup");

  CHECK(w.state.status == order_status::rejected);
  CHECK(w.state.reason == "out_of_stock");
}

TEST_CASE("C3: a declined payment is reversed first, then the stock is released") {
  auto w = reserved();

  w.payment(payment_outcome::authorization_refused);
  CHECK(w.state.status == order_status::canceling);
  CHECK(w.sent<reverse_payment>());
  w.payment(payment_outcome::reversed);
  CHECK(w.sent<release_units>());
  w.both(stock_step::release);

  CHECK(w.state.status == order_status::canceled);
  CHECK(w.state.reason == payment_declined);
}

TEST_CASE("C5: a cancel while the money is being taken wins, and what comes late is ignored") {
  auto w = reserved();
  w.payment(payment_outcome::authorized);
  w.both(stock_step::commit);

  w.client(cancel_order{"o-1", "changed my mind"});
  w.payment(payment_outcome::captured); // said before the payment heard of the cancel
  CHECK(w.state.status == order_status::canceling);
  w.payment(payment_outcome::reversed);
  w.both(stock_step::release);

  CHECK(w.state.status == order_status::canceled);
  CHECK(w.state.reason == "changed my mind");
}

TEST_CASE("C5: a refusal of the authorization is none of the reversal that was asked for since") {
  auto w = reserved();
  w.client(cancel_order{"o-1"});

  w.payment(payment_outcome::authorization_refused); // said before the payment heard of the cancel
  CHECK(w.state.status == order_status::canceling);
  w.payment(payment_outcome::reversed);
  w.both(stock_step::release);

  CHECK(w.state.status == order_status::canceled);
}

TEST_CASE("what stock told a former self of the order does not count") {
  auto w = placed();
  w.crash();
  w.attempt = 2;
  w.tell(resume_step{}); // asks again

  w.tell(stock_reply{stock_step::hold, "mug", rejection::none, 1});
  w.tell(stock_reply{stock_step::hold, "cup", rejection::none, 1});
  CHECK(w.state.status == order_status::reserving);
  w.tell(stock_reply{stock_step::hold, "mug", rejection::none, 2});
  w.tell(stock_reply{stock_step::hold, "cup", rejection::none, 2});

  CHECK(w.state.status == order_status::awaiting_payment);
}

TEST_CASE("C8: an order parked for its payment asks again after a restart") {
  auto w = in(order_status::needs_attention);
  CHECK(must_resume(w.state));
  w.crash(); // and the payment's reply was lost with it

  w.tell(resume_step{});
  REQUIRE(w.sent<authorize_payment>());
  w.payment(payment_outcome::authorized);

  CHECK(w.state.status == order_status::awaiting_payment);
}

TEST_CASE("stock is never released while the payment is unknown") {
  auto w = in(order_status::needs_attention);
  CHECK(w.effects.empty());

  w.client(cancel_order{"o-1"});
  CHECK(w.refused == rejection::payment_unknown);
  w.payment(payment_outcome::authorized); // known at last

  CHECK(w.state.status == order_status::awaiting_payment);
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

    CHECK(w.state.status == order_status::confirmed);
  }
}

TEST_CASE("a reply that comes twice, or to a stage that is over, changes nothing") {
  auto w = placed();
  w.stock(stock_step::hold, "mug");
  w.stock(stock_step::hold, "mug");
  CHECK(w.state.status == order_status::reserving);
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

  CHECK(w.state.status == order_status::needs_attention);
  CHECK(w.state.reason == "quarantined");
}

TEST_CASE("a lost hold breaks an invariant instead of selling what is not there") {
  auto w = reserved();
  w.payment(payment_outcome::authorized);
  w.stock(stock_step::commit, "cup");

  CHECK_THROWS_AS(w.stock(stock_step::commit, "mug", rejection::reservation_expired),
                  broken_invariant);
}

TEST_CASE("a message that is not for orders breaks an invariant") {
  workflow w;

  CHECK_THROWS_AS(w.tell(hold_units{}), broken_invariant);
  CHECK_THROWS_AS(w.client(receive_stock{}), broken_invariant);
}
