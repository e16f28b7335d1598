// What is given up is kept: dead letters until they are redriven or dropped, quarantines until they
// are released.
#include "actors/codec.hpp"
#include "actors/message_codec.hpp"
#include "runtime/given_up_desk.hpp"
#include "runtime/inspect.hpp"
#include "runtime/system_ports.hpp"
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <boost/mp11.hpp>
#include <doctest/doctest.h>

#include <algorithm>

using namespace purser;
using namespace purser::tests;

namespace {

std::unique_ptr<engine> open_shop(const scratch_directory& data) {
  engine_options options;
  options.data_dir = data.path();
  return engine::start(std::move(options));
}

/// The next `times` messages of that name to an entity crash it at every delivery.
void poison(engine& in, entity_ref entity, std::string message, std::uint32_t times = 1) {
  in.crash({std::move(entity), std::move(message), times, true});
}

entity_ref the_order(const std::string& id) {
  return {entity_kind::order, id};
}

command cancel_one(const std::string& id, const std::string& command_id) {
  command made;
  made.command_id = command_id;
  made.body = cancel_order{id, {}, std::vector<line_quantity>{{"1", 1}}};
  return made;
}

/// An order of three, and a letter: the cancellation of one of them, c-1.
dead_letter give_up_a_cancellation(engine& in) {
  in.submit(receive("mug", 10)).get();
  in.submit(order_of("o-1", "mug", 3)).get();
  poison(in, the_order("o-1"), "order.cancel");
  REQUIRE(in.submit(cancel_one("o-1", "c-1")).get().why == rejection::dead_lettered);
  const auto letters = in.dead_letters();
  REQUIRE(letters.size() == 1);
  return letters.front();
}

std::uint32_t canceled_of(engine& in, const std::string& id) {
  return static_cast<std::uint32_t>(order_in(in, id).lines.at(0).canceled);
}

given_up_message some_message(std::string key = "command/c-1") {
  given_up_message made;
  made.to = the_order("o-1");
  made.from_client = true;
  made.key = std::move(key);
  made.fingerprint = 7;
  made.body = command_body{cancel_order{"o-1", {}, {}}};
  made.cause = "a bug";
  made.attempts = 3;
  return made;
}

void stop_in_order(std::unique_ptr<engine>& running) {
  running->stop();
  running.reset();
}

void kill(std::unique_ptr<engine>& running) {
  running->kill();
  running.reset();
}

/// Two poison messages in a row are more than k + 3 crashes.
void give_up(engine& in, const std::string& order_id) {
  poison(in, the_order(order_id), "order.cancel", 2);
  in.submit(cancel(order_id, "c-1")).get();
  in.submit(cancel(order_id, "c-2")).get();
}

} // namespace

TEST_CASE("B3: a letter is durable before its sender is told") {
  const scratch_directory data;
  auto shop = open_shop(data);

  const auto told = give_up_a_cancellation(*shop);
  kill(shop);
  shop = open_shop(data);

  const auto kept = shop->dead_letters();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].id == told.id);
  CHECK(kept[0].entity == the_order("o-1"));
  CHECK(kept[0].message == "order.cancel");
  CHECK(kept[0].body ==
        R"({"op":"order.cancel","order_id":"o-1","lines":[{"line_id":"1","quantity":1}]})");
  CHECK(kept[0].from_client);
  CHECK(kept[0].key == "command/c-1");
  CHECK(kept[0].cause == "told to crash while handling order.cancel");
  CHECK(kept[0].attempts == 3);
  CHECK(kept[0].version == 3); // placed, reserved, confirmed
  CHECK(kept[0].at > 0);
  CHECK(kept[0].kept_at > 0);
  CHECK(kept[0].redrives == 0);
  CHECK_FALSE(kept[0].took_effect);
  CHECK(kept[0].cannot_redrive.empty());
}

TEST_CASE("B3: a SKU that crashes keeps no other SKU of its batch from being booked") {
  const scratch_directory data;
  auto shop = open_shop(data);
  poison(*shop, {entity_kind::stock, "pen"}, "book_batch");
  command goods;
  goods.body = receive_batch{"b-1", {{"mug", "main", 2}, {"pen", "main", 3}, {"cup", "main", 4}}};

  CHECK(shop->submit(goods).get().why == rejection::batch_incomplete);

  const entity_ref batch{entity_kind::batch, "b-1"};
  const auto refused = [&] { return std::get<batch_view>(shop->query(batch).get().view).refused; };
  CHECK(refused() == std::vector<refused_sku>{{"pen", rejection::dead_lettered}});
  CHECK(stock_in(*shop, "mug").available == 2);
  CHECK(stock_in(*shop, "cup").available == 4);
  kill(shop);
  shop = open_shop(data);
  CHECK(shop->submit(goods).get().why == rejection::batch_incomplete); // once and for all
  CHECK(refused().size() == 1);
  CHECK(stock_in(*shop, "mug").available == 2);
  const auto letters = shop->dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].message == "book_batch");
  shop->redrive(letters[0].id).get();
  CHECK(stock_in(*shop, "pen").available == 3);
}

TEST_CASE("B3: a receipt or a batch that cannot take an answer claims nothing of it, and hears "
          "another") {
  const scratch_directory data;
  auto shop = open_shop(data);
  poison(*shop, {entity_kind::batch, "b-1"}, "stock_reply");
  poison(*shop, {entity_kind::receipt, "r-1-mug"}, "stock_reply");
  command goods;
  goods.body = receive_batch{"b-1", {{"mug", "main", 2}}};

  CHECK(shop->submit(goods).get().result == outcome::accepted);
  CHECK(shop->submit(receive("mug", 3)).get().result == outcome::accepted);

  const auto letters = shop->dead_letters();
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].message == "stock_reply");
  CHECK(letters[1].message == "stock_reply");
  const auto seen = shop->query({entity_kind::batch, "b-1"}).get();
  CHECK(std::get<batch_view>(seen.view).refused.empty());
  CHECK(stock_in(*shop, "mug").available == 5);
}

TEST_CASE("B3: whenever the engine is killed, a letter is there exactly when its outcome is") {
  constexpr int messages = 12;
  for (int told = 0; told < messages; told += 4) {
    CAPTURE(told);
    const scratch_directory data;
    auto shop = open_shop(data);
    shop->crash({{}, "order.cancel", messages, true});
    std::vector<std::future<answer>> answers;
    for (int i = 0; i < messages; ++i)
      answers.push_back(shop->submit(cancel("o-" + std::to_string(i), "c-" + std::to_string(i))));
    for (int i = 0; i < told; ++i)
      REQUIRE(answers[static_cast<std::size_t>(i)].get().why == rejection::dead_lettered);
    kill(shop);
    shop = open_shop(data);

    const auto letters = shop->dead_letters();
    for (int i = 0; i < messages; ++i) {
      const auto id = "o-" + std::to_string(i);
      const auto kept = std::ranges::count(letters, the_order(id), &dead_letter::entity);
      const auto again = shop->submit(cancel(id, "c-" + std::to_string(i))).get();
      CHECK(kept == (again.why == rejection::dead_lettered ? 1 : 0));
      if (i < told)
        CHECK(kept == 1);
    }
  }
}

TEST_CASE("B3: a redriven command takes effect once, under an id of its own") {
  const scratch_directory data;
  auto shop = open_shop(data);
  const auto letter = give_up_a_cancellation(*shop);

  const auto answered = shop->redrive(letter.id).get();

  CHECK(answered.result == outcome::accepted);
  CHECK(canceled_of(*shop, "o-1") == 1);
  CHECK(shop->dead_letters().empty());
  CHECK(shop->submit(cancel_one("o-1", "c-1")).get().why == rejection::dead_lettered); // I1
  CHECK(canceled_of(*shop, "o-1") == 1);
  CHECK_THROWS_AS(shop->redrive(letter.id), engine_error);
}

TEST_CASE("B3: a redrive that is asked for again after a crash has no second effect") {
  const scratch_directory data;
  auto shop = open_shop(data);
  const auto id = give_up_a_cancellation(*shop).id;

  for (int crash = 0; crash < 5; ++crash) {
    if (shop->find_dead_letter(id))
      CHECK(shop->redrive(id).get().result == outcome::accepted);
    kill(shop); // the effect is durable, the end of the letter may be lost
    shop = open_shop(data);
    CHECK(canceled_of(*shop, "o-1") == 1);
  }
}

TEST_CASE("B3: one attempt has one id, and the next attempt another") {
  group_commit_journal log{std::make_unique<memory_store>(), {}};
  given_up_desk desk{log};
  desk.keep(some_message());
  const auto letter = desk.letters().at(0);

  const auto first = desk.redrive(letter.id);
  const auto repeated = desk.redrive(letter.id);
  auto died = some_message(first.key);
  desk.keep(died); // it crashed its entity once more
  const auto kept = desk.letters();
  const auto second = desk.redrive(letter.id);

  CHECK(first.key == "redrive/" + letter.id + "/1");
  CHECK(repeated.key == first.key);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].id == letter.id);
  CHECK(kept[0].key == "command/c-1");
  CHECK(kept[0].redrives == 1);
  CHECK(kept[0].attempts == 6);
  CHECK(second.key == "redrive/" + letter.id + "/2");
  log.stop();
}

TEST_CASE("B3: a command that took effect before it was given up is redriven as a repeat") {
  group_commit_journal log{std::make_unique<memory_store>(), {}};
  given_up_desk desk{log};
  auto done = some_message();
  done.took_effect = true;
  desk.keep(done);

  CHECK(desk.redrive(desk.letters().at(0).id).key == "command/c-1");
  log.stop();
}

TEST_CASE("B3: a redriven command that crashes again stays the same letter") {
  const scratch_directory data;
  auto shop = open_shop(data);
  const auto letter = give_up_a_cancellation(*shop);
  shop->submit(cancel_one("o-1", "c-good")).get(); // what it completes lets it crash again (B10)
  poison(*shop, the_order("o-1"), "order.cancel");

  const auto again = shop->redrive(letter.id).get();
  const auto kept = shop->dead_letters();
  const auto healed = shop->redrive(letter.id).get();

  CHECK(again.why == rejection::dead_lettered);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].id == letter.id);
  CHECK(kept[0].redrives == 1);
  CHECK(healed.result == outcome::accepted);
  CHECK(canceled_of(*shop, "o-1") == 2);
  CHECK(shop->dead_letters().empty());
}

TEST_CASE("B3: a message between entities is kept with its sender, and goes again as it was") {
  const scratch_directory data;
  auto shop = open_shop(data);
  shop->submit(receive("mug", 10)).get();
  poison(*shop, {entity_kind::stock, "mug"}, "hold_units");

  shop->submit(order_of("o-1", "mug", 3)).get();
  const auto letters = shop->dead_letters();
  const auto status = order_in(*shop, "o-1").status;
  REQUIRE(letters.size() == 1);
  const auto answered = shop->redrive(letters[0].id).get();
  REQUIRE(shop->wait_settled(10'000));

  CHECK(status == order_status::needs_attention);
  CHECK(letters[0].message == "hold_units");
  CHECK(letters[0].from == the_order("o-1"));
  CHECK_FALSE(letters[0].from_client);
  CHECK(letters[0].body.find(R"("items":[{"location":"main","quantity":3}])") != std::string::npos);
  CHECK(answered.result == outcome::accepted);
  CHECK(shop->dead_letters().empty());
  CHECK(stock_in(*shop, "mug").received == 10);
  CHECK(shop->audit().findings.empty());
}

TEST_CASE("B3: a dropped letter is gone for ever") {
  const scratch_directory data;
  auto shop = open_shop(data);
  const auto letter = give_up_a_cancellation(*shop);

  CHECK(shop->drop(letter.id));
  kill(shop);
  shop = open_shop(data);

  CHECK(shop->dead_letters().empty());
  CHECK_FALSE(shop->drop(letter.id));
  CHECK_FALSE(shop->find_dead_letter(letter.id));
  stop_in_order(shop);
  CHECK_THROWS_AS(drop_dead_letters(data.path(), {letter.id}), engine_error);
}

TEST_CASE("B3: letters are listed in the order in which they were given up") {
  const scratch_directory data;
  auto shop = open_shop(data);
  std::vector<std::string> given_up;
  for (const auto* id : {"o-3", "o-1", "o-2"}) {
    poison(*shop, the_order(id), "order.cancel");
    shop->submit(cancel(id, "c-1")).get();
    given_up.emplace_back(id);
    const auto last = shop->dead_letters().back().kept_at;
    while (system_clock{}.now() <= last) { // the wall clock counts milliseconds
    }
  }
  stop_in_order(shop);
  shop = open_shop(data);

  std::vector<std::string> listed;
  for (const auto& letter : shop->dead_letters())
    listed.push_back(letter.entity.key);
  CHECK(listed == given_up);
}

TEST_CASE("B3: every message can be kept and read again") {
  std::vector<message_body> bodies{
    hold_units{{{"main", 7}, {"attic", -1}}, 5, 3, true},
    provider_reply{"capture-1", true, false, {payment_answer_kind::refused, "no", "r"}},
    command_body{adjust_stock{"a-1", "mug", "main", -2, "broken", true}}};
  boost::mp11::mp_for_each<message_body>([&](auto empty) { bodies.emplace_back(empty); });
  boost::mp11::mp_for_each<command_body>(
    [&](auto empty) { bodies.emplace_back(command_body{empty}); });

  for (const auto& body : bodies) {
    CAPTURE(name_of(body));
    const auto bytes = encode_message(body);
    const auto read = decode_message(name_of(body), bytes);

    CHECK(name_of(read) == name_of(body));
    CHECK(encode_message(read) == bytes);
    CHECK_THROWS_AS(decode_message(name_of(body), bytes + "x"), codec::decode_error);
  }
  CHECK_THROWS_AS(decode_message("hold_unit", ""), codec::decode_error);
}

TEST_CASE("B5: a quarantine outlives the engine, until it is released") {
  const scratch_directory data;
  auto shop = open_shop(data);
  shop->submit(receive("mug", 10)).get();
  shop->submit(order_of("o-1", "mug", 1)).get();
  shop->submit(order_of("o-2", "mug", 1)).get();
  give_up(*shop, "o-1");
  const auto told = shop->submit(ship("o-1")).get();
  kill(shop);
  shop = open_shop(data);

  const auto still = shop->submit(ship("o-1")).get();
  const auto sibling = shop->submit(ship("o-2")).get();
  const auto listed = shop->quarantines();
  const auto crashes = shop->figures().crashes;
  const bool released = shop->release(the_order("o-1"));
  const bool once_more = shop->release(the_order("o-1"));
  const auto shipped = shop->submit(ship("o-1")).get();
  kill(shop);
  shop = open_shop(data);

  CHECK(told.why == rejection::quarantined);
  CHECK(still.why == rejection::quarantined);
  CHECK(sibling.result == outcome::accepted);
  CHECK(crashes == 0); // at once: nobody tried to rebuild it
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].entity == the_order("o-1"));
  CHECK(listed[0].cause == "told to crash while handling order.cancel");
  CHECK(listed[0].crashes == 6); // more than k + 3
  CHECK(listed[0].version == 4); // placed, reserved, confirmed, and c-1 noted
  CHECK(listed[0].refused == 1);
  CHECK(listed[0].since > 0);
  CHECK(released);
  CHECK_FALSE(once_more);
  CHECK(shipped.result == outcome::accepted);
  CHECK(shop->quarantines().empty());
  CHECK(order_in(*shop, "o-1").status == order_status::completed);
}

namespace {

/// A provider that says nothing until it is told to.
class silent_provider final : public payment_gateway {
public:
  void submit(const payment_call&, answer_callback answer) override {
    waiting_.push_back(std::move(answer));
    if (waiting_.size() == 1)
      called_.set_value();
  }

  void wait_for_a_call() { called_.get_future().get(); }

  void approve_all() {
    for (const auto& answer : waiting_)
      answer({payment_answer_kind::succeeded, "", "ref"});
  }

private:
  std::vector<answer_callback> waiting_;
  std::promise<void> called_;
};

} // namespace

TEST_CASE("B5: the open workflow of a quarantined order goes on when it is released") {
  const auto provider = std::make_shared<silent_provider>();
  engine_options options;
  options.provider = provider;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 10)).get();
  auto order = order_of("o-1", "mug", 1);
  std::get<place_order>(order.body).capture = capture_policy::on_ship;
  auto placed = shop->submit(order);
  provider->wait_for_a_call();
  give_up(*shop, "o-1"); // while its payment is under way
  const auto listed = shop->quarantines().size();
  provider->approve_all(); // nobody is there to hear it
  REQUIRE(shop->wait_settled(10'000));

  const bool released = shop->release(the_order("o-1"));
  REQUIRE(shop->wait_settled(10'000));

  CHECK(listed == 1);
  CHECK(placed.get().result == outcome::unknown);
  CHECK(released);
  CHECK(order_in(*shop, "o-1").status == order_status::confirmed);
  CHECK(shop->quarantines().empty());
  CHECK(shop->audit().findings.empty());
}

TEST_CASE("B5: a bad event in the journal quarantines its entity and nobody else") {
  const scratch_directory data;
  auto shop = open_shop(data);
  shop->submit(receive("mug", 500)).get();
  shop->submit(order_of("o-1", "mug", 1)).get();
  shop->submit(order_of("o-2", "mug", 1)).get();
  stop_in_order(shop);
  {
    group_commit_journal log{open_rocks_store(data.path()), {}};
    auto event = event_with("what is this?");
    event.type = 999;
    log.append_once(the_order("o-1"), load_now(log, the_order("o-1")).tail.size(),
                    std::vector{event});
    log.stop();
  }
  engine_options options;
  options.data_dir = data.path();
  options.checkpoint_bytes = 1'000;
  shop = engine::start(options);

  const auto bad = shop->submit(ship("o-1")).get();
  const auto sibling = shop->submit(ship("o-2")).get();
  const auto listed = shop->quarantines();
  for (int i = 0; i < 200; ++i) // checkpoints of other shards go on
    REQUIRE(shop->submit(order_of("x-" + std::to_string(i), "mug", 1)).get().result ==
            outcome::accepted);
  const bool released = shop->release(the_order("o-1"));
  const auto still_bad = shop->submit(ship("o-1")).get();

  CHECK(bad.why == rejection::quarantined);
  CHECK(sibling.result == outcome::accepted);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].entity == the_order("o-1"));
  CHECK(listed[0].version == 4);
  CHECK(shop->failure().empty());
  CHECK(shop->figures().checkpoints > 0);
  CHECK(released);
  CHECK(still_bad.why == rejection::quarantined);
  stop_in_order(shop);
  shop = open_shop(data);
  CHECK(shop->submit(ship("o-1")).get().why == rejection::quarantined);
  CHECK(shop->figures().crashes == 0);
}

TEST_CASE("B3, B5: a directory without an engine lists, drops and releases the same") {
  const scratch_directory data;
  auto shop = open_shop(data);
  const auto letter = give_up_a_cancellation(*shop);
  give_up(*shop, "o-9"); // one more letter, and a quarantine
  const auto letters = shop->dead_letters();
  stop_in_order(shop);

  REQUIRE(letters.size() == 2);
  CHECK(inspector::open(data.path())->dead_letters().size() == 2);
  CHECK(inspector::open(data.path())->quarantines().size() == 1);
  CHECK_THROWS_AS(drop_dead_letters(data.path(), {letter.id, "nope"}), engine_error);
  CHECK(inspector::open(data.path())->dead_letters().size() == 2); // all or none
  drop_dead_letters(data.path(), {letter.id});
  release_quarantined(data.path(), {the_order("o-9")});
  CHECK_THROWS_AS(release_quarantined(data.path(), {the_order("o-9")}), engine_error);

  shop = open_shop(data);
  CHECK(shop->dead_letters().size() == 1);
  CHECK(shop->quarantines().empty());
  CHECK(shop->submit(ship("o-9")).get().why == rejection::order_unknown);
}
