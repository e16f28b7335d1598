// The embedding API, as a backend team uses it.
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace purser;
using namespace purser::tests;

TEST_CASE("an order is placed, shipped and asked for") {
  const auto shop = engine::start({});

  CHECK(shop->submit(receive("mug", 10)).get().result == outcome::accepted);
  CHECK(shop->submit(order_of("o-1", "mug", 3)).get().result == outcome::accepted);
  CHECK(order_in(*shop, "o-1").status == order_status::confirmed);
  CHECK(stock_in(*shop, "mug").available == 7);
  CHECK(shop->submit(ship("o-1")).get().result == outcome::accepted);

  CHECK(order_in(*shop, "o-1").status == order_status::completed);
  CHECK(stock_in(*shop, "mug").on_hand == 7);
  CHECK(
    std::holds_alternative<std::monostate>(shop->query({entity_kind::order, "o-2"}).get().view));
}

TEST_CASE("a command whose shape is wrong is thrown back and leaves no trace") {
  const auto shop = engine::start({});

  try {
    shop->submit(order_of("o-1", "mug", 0));
    FAIL("it was accepted");
  } catch (const invalid_command& error) {
    CHECK(error.pointer == "/lines/0/quantity");
  }

  CHECK(shop->figures().events == 0);
}

TEST_CASE("the last unit is sold once, however many want it at the same time") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 5)).get();

  std::vector<std::future<answer>> answers;
  for (int i = 0; i < 100; ++i)
    answers.push_back(shop->submit(order_of("o-" + std::to_string(i), "mug", 1)));
  int sold = 0;
  for (auto& result : answers)
    sold += result.get().result == outcome::accepted ? 1 : 0;

  CHECK(sold == 5);
  CHECK(stock_in(*shop, "mug").available == 0);
}

TEST_CASE("I1, I2: a repeat is answered as the first was, another body is refused") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 5)).get();
  shop->submit(order_of("o-1", "mug", 2)).get();

  const auto repeat = shop->submit(order_of("o-1", "mug", 2)).get();
  const auto other = shop->submit(order_of("o-1", "mug", 3)).get();

  CHECK(repeat.result == outcome::accepted);
  CHECK(repeat.duplicate);
  CHECK(other.result == outcome::rejected);
  CHECK(other.why == rejection::id_reused);
  CHECK(stock_in(*shop, "mug").committed == 2);
}

TEST_CASE("I8: a command is known even after the entity has forgotten it and left memory") {
  scratch_directory directory;
  engine_options options;
  options.data_dir = directory.path() / "data";
  const auto first = engine::start(options);
  first->submit(receive("mug", 5)).get();
  first->submit(cancel("o-9", "c-0")).get(); // rejected: no such order
  for (int i = 1; i < 100; ++i)
    first->submit(cancel("o-9", "c-" + std::to_string(i))).get();
  first->audit(); // moves the checkpoints: the ids are in the index
  first->stop();

  const auto second = engine::start(options);
  const auto oldest = second->submit(cancel("o-9", "c-0")).get();
  const auto fresh = second->submit(cancel("o-9", "c-100")).get();

  CHECK(oldest.duplicate);
  CHECK(oldest.why == rejection::order_unknown);
  CHECK_FALSE(fresh.duplicate);
}

TEST_CASE("several engines live in one process, beside a CAF system of the host's own") {
  caf::actor_system_config config;
  caf::actor_system hosts_own{config};
  scratch_directory directory;
  engine_options on_disk;
  on_disk.data_dir = directory.path() / "data";

  for (int round = 0; round < 3; ++round) {
    const auto one = engine::start(on_disk);
    const auto two = engine::start({});
    one->submit(receive("mug", 5, "round-" + std::to_string(round))).get();
    two->submit(receive("mug", 7)).get();

    CHECK(stock_in(*one, "mug").available == 5 * (round + 1));
    CHECK(stock_in(*two, "mug").available == 7);
    one->stop();
    two->stop();
  }
}

TEST_CASE("two engines cannot share a data directory") {
  scratch_directory directory;
  engine_options options;
  options.data_dir = directory.path();
  const auto first = engine::start(options);

  CHECK_THROWS_AS(engine::start(options), engine_error);
}

namespace {

/// A provider that remembers its calls.
struct noting_gateway : payment_gateway {
  std::mutex mutex;
  std::vector<payment_call> calls;

  void note(const payment_call& call) {
    const std::lock_guard lock{mutex};
    calls.push_back(call);
  }
};

} // namespace

TEST_CASE(
  "a host's own provider is asked only about what is durable, and each key takes effect once") {
  struct recording final : noting_gateway {
    void submit(const payment_call& call, answer_callback reply) override {
      note(call);
      // From another thread, twice: only the first counts.
      std::thread{[reply] {
        reply({payment_answer_kind::succeeded, {}, "ref-1"});
        reply({payment_answer_kind::refused, {}, {}});
      }}.join();
    }
  };
  auto provider = std::make_shared<recording>();
  engine_options options;
  options.provider = provider;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 5)).get();

  shop->submit(order_of("o-1", "mug", 1, "tok-9")).get();
  shop->submit(cancel("o-1", "c-1")).get();

  const std::lock_guard lock{provider->mutex};
  REQUIRE(provider->calls.size() == 3);
  CHECK(provider->calls[0].idempotency_key == "o-1:authorize-1");
  CHECK(provider->calls[0].token == "tok-9");
  CHECK(provider->calls[1].kind == operation_kind::capture);
  CHECK(provider->calls[2].kind == operation_kind::refund);
  CHECK(order_in(*shop, "o-1").status == order_status::canceled);
}

TEST_CASE("P6: a provider that takes sales gets one call for an order") {
  struct selling final : noting_gateway {
    void submit(const payment_call& call, answer_callback reply) override {
      note(call);
      reply({payment_answer_kind::succeeded, {}, "ref"});
    }
    bool takes_sales() const noexcept override { return true; }
  };
  auto provider = std::make_shared<selling>();
  engine_options options;
  options.provider = provider;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 5)).get();

  CHECK(shop->submit(order_of("o-1", "mug", 2, "tok-9")).get().result == outcome::accepted);
  CHECK(order_in(*shop, "o-1").status == order_status::confirmed);
  CHECK(shop->submit(cancel("o-1", "c-1")).get().result == outcome::accepted);

  const std::lock_guard lock{provider->mutex};
  REQUIRE(provider->calls.size() == 2);
  CHECK(provider->calls[0].idempotency_key == "o-1:sale-1");
  CHECK(provider->calls[0].kind == operation_kind::sale);
  CHECK(provider->calls[0].token == "tok-9");
  CHECK(provider->calls[1].kind == operation_kind::refund);
  CHECK(provider->calls[1].amount == provider->calls[0].amount);
  CHECK(order_in(*shop, "o-1").status == order_status::canceled);
  CHECK(shop->audit().findings.empty());
}

TEST_CASE("a provider that throws or is silent leaves the payment unknown, and it is asked again") {
  struct moody final : payment_gateway {
    std::atomic<int> calls{0};
    std::atomic<int> asked{0};
    void submit(const payment_call& call, answer_callback reply) override {
      if (call.ask_only) {
        ++asked;
        return reply({payment_answer_kind::succeeded, {}, "found"});
      }
      switch (calls++) {
      case 0: throw std::runtime_error("no connection");
      case 1: return; // never an answer
      default: return reply({payment_answer_kind::succeeded, {}, "ref"});
      }
    }
  };
  auto provider = std::make_shared<moody>();
  engine_options options;
  options.provider = provider;
  options.payment_deadline_ms = 50;
  options.payment_retries_permille = 0;
  options.shop.payments.ask_again_ms = 1;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 5)).get();

  const auto result = shop->submit(order_of("o-1", "mug", 1)).get();

  CHECK(result.result == outcome::accepted);
  CHECK(provider->calls == 2); // authorize, capture
  CHECK(provider->asked == 2);
  CHECK(order_in(*shop, "o-1").status == order_status::confirmed);
}

TEST_CASE("an outcome that stays unknown parks the order, and its stock stays held") {
  engine_options options;
  options.shop.payments.ask_again_ms = 1;
  options.shop.payments.ask_again_max_ms = 2;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 5)).get();

  const auto result = shop->submit(order_of("o-1", "mug", 2, "tok_unknown")).get();

  CHECK(result.result == outcome::accepted);
  CHECK(order_in(*shop, "o-1").status == order_status::needs_attention);
  CHECK(shop->submit(cancel("o-1", "c-1")).get().why == rejection::payment_unknown);
  CHECK(stock_in(*shop, "mug").held == 2);
}

TEST_CASE("K2: an order that is parked while it waits for a capture breaks no invariant") {
  struct unsure_of_captures final : payment_gateway {
    void submit(const payment_call& call, answer_callback reply) override {
      const bool sure = call.kind == operation_kind::authorize;
      reply({sure ? payment_answer_kind::succeeded : payment_answer_kind::unknown, "", "ref"});
    }
  };
  engine_options options;
  options.provider = std::make_shared<unsure_of_captures>();
  options.shop.payments.ask_again_ms = 1;
  options.shop.payments.ask_again_max_ms = 2;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 5)).get();

  shop->submit(order_of("o-1", "mug", 2)).get();

  REQUIRE(order_in(*shop, "o-1").status == order_status::needs_attention);
  CHECK(stock_in(*shop, "mug").committed == 2); // and the order counts them as held
  CHECK(shop->audit().findings.empty());
}

TEST_CASE("a subscription tells every durable event in order, from the past on") {
  const auto shop = engine::start({});
  shop->submit(receive("mug", 50)).get();
  for (int i = 0; i < 10; ++i)
    shop->submit(order_of("o-" + std::to_string(i), "mug", 1)).get();
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<event_notice> seen;
  const auto expected = shop->figures().durable_position;

  auto feed = shop->subscribe(3, [&](const event_notice& event) {
    const std::lock_guard lock{mutex};
    seen.push_back(event);
    changed.notify_all();
  });
  shop->submit(order_of("o-10", "mug", 1)).get();
  const auto all = shop->figures().durable_position;
  {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return !seen.empty() && seen.back().position >= all; });
  }
  feed.reset();

  CHECK(all > expected);
  for (std::size_t i = 0; i < seen.size(); ++i)
    CHECK(seen[i].position == i + 4);
}

TEST_CASE("too much in flight is rejected, and nothing of it happens") {
  struct silent final : payment_gateway {
    void submit(const payment_call&, answer_callback) override {}
  };
  engine_options options;
  options.max_in_flight = 2;
  options.provider = std::make_shared<silent>();
  options.answer_deadline_ms = 300;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 50)).get();
  auto first = shop->submit(order_of("o-1", "mug", 1));
  auto second = shop->submit(order_of("o-2", "mug", 1));

  const auto third = shop->submit(order_of("o-3", "mug", 1)).get();

  CHECK(third.result == outcome::rejected);
  CHECK(third.why == rejection::overloaded);
  CHECK(first.get().result == outcome::unknown); // I7: within the deadline
  CHECK(second.get().result == outcome::unknown);
}

TEST_CASE("pending commands end as unknown when the engine stops") {
  struct silent final : payment_gateway {
    void submit(const payment_call&, answer_callback) override {}
  };
  engine_options options;
  options.provider = std::make_shared<silent>();
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 50)).get();
  auto pending = shop->submit(order_of("o-1", "mug", 1));
  CHECK(order_in(*shop, "o-1").status != order_status::confirmed);

  shop->stop();

  CHECK(pending.get().result == outcome::unknown);
}

TEST_CASE("what comes after the end is answered as unknown or refused, and never hangs") {
  const auto shop = engine::start({});
  auto feed = shop->subscribe(0, [](const event_notice&) {});
  shop->stop();

  const auto late = shop->submit(order_of("o-1", "mug", 1)).get();
  const auto question = shop->query({entity_kind::stock, "mug"}).get();

  CHECK(late.result == outcome::unknown);
  CHECK(late.detail == "the engine stopped");
  CHECK(question.result == outcome::unknown);
  CHECK_THROWS_AS(shop->subscribe(0, [](const event_notice&) {}), engine_error);
  CHECK_THROWS_AS(shop->audit(), engine_error);
  CHECK(shop->failure().empty());
}

TEST_CASE("commands and subscriptions that meet the end come to an end themselves") {
  for (int round = 0; round < 20; ++round) {
    const auto shop = engine::start({});
    shop->submit(receive("mug", 1'000'000)).get();
    auto feed = shop->subscribe(0, [](const event_notice&) {});
    std::promise<void> first;
    std::thread seller{[&] {
      for (int i = 0;; ++i) {
        const auto result = shop->submit(order_of("o-" + std::to_string(i), "mug", 1)).get();
        if (i == 0)
          first.set_value();
        if (result.result == outcome::unknown)
          return;
      }
    }};
    first.get_future().wait();

    std::thread subscriber{[&] { feed.reset(); }};
    shop->stop();

    subscriber.join();
    seller.join();
  }
}

TEST_CASE("C8: a workflow under way when the engine stopped goes on when it starts again") {
  struct slow_provider final : payment_gateway {
    operation_kind slow_at = operation_kind::authorize;
    std::atomic<bool> answers{false};
    std::atomic<int> asked{0};
    void submit(const payment_call& call, answer_callback reply) override {
      if (call.kind != slow_at || answers)
        return reply({payment_answer_kind::succeeded, {}, "ref"});
      ++asked;
    }
  };
  for (const auto slow_at : {operation_kind::authorize, operation_kind::capture}) {
    CAPTURE(static_cast<int>(slow_at));
    scratch_directory directory;
    auto provider = std::make_shared<slow_provider>();
    provider->slow_at = slow_at;
    engine_options options;
    options.data_dir = directory.path() / "data";
    options.provider = provider;
    {
      const auto shop = engine::start(options);
      shop->submit(receive("mug", 50)).get();
      auto pending = shop->submit(order_of("o-1", "mug", 1));
      while (provider->asked == 0)
        std::this_thread::yield();
    }
    provider->answers = true;

    const auto shop = engine::start(options);
    CHECK(shop->wait_settled(30'000));

    CHECK(order_in(*shop, "o-1").status == order_status::confirmed);
  }
}

TEST_CASE("a full disk stops the engine with a clear message, and what was acknowledged stays" *
          doctest::skip(::geteuid() != 0)) { // needs root for the small tmpfs
  scratch_directory directory;
  REQUIRE(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=16m") == 0);
  std::promise<std::string> fatal;
  std::vector<std::string> acknowledged;
  engine_options options;
  options.data_dir = directory.path() / "data";
  {
    auto watched = options;
    watched.on_fatal = [&fatal](const std::string& why) { fatal.set_value(why); };
    const auto shop = engine::start(watched);
    shop->submit(receive("mug", 1'000'000)).get();
    for (int i = 0; i < 1'000'000; ++i) {
      auto request = order_of("o-" + std::to_string(i), "mug", 1);
      auto& order = std::get<place_order>(request.body);
      for (int entry = 0; entry < 40; ++entry)
        order.metadata["note-" + std::to_string(entry)] = std::string(400, 'x');
      const auto result = shop->submit(std::move(request)).get();
      if (result.result == outcome::unknown)
        break;
      acknowledged.push_back("o-" + std::to_string(i));
    }
    CHECK(fatal.get_future().get().find("full") != std::string::npos);
    CHECK_FALSE(shop->failure().empty());
    CHECK(shop->submit(order_of("late", "mug", 1)).get().result == outcome::unknown);
  }
  CHECK(acknowledged.size() > 100);

  REQUIRE(::mount("tmpfs", directory.path().c_str(), "tmpfs", MS_REMOUNT, "size=256m") == 0);
  {
    const auto shop = engine::start(options);
    CHECK(shop->wait_settled(30'000));
    for (const auto& id : acknowledged)
      CHECK(order_in(*shop, id).status == order_status::confirmed);
    CHECK(shop->audit().invariants.broken == 0);
  }
  CHECK(::umount(directory.path().c_str()) == 0);
}

TEST_CASE("idle entities leave memory, and come back as they were") {
  engine_options options;
  options.max_live_entities = 64;
  const auto shop = engine::start(options);
  for (int sku = 0; sku < 50; ++sku)
    shop->submit(receive("sku-" + std::to_string(sku), 1'000)).get();

  for (int i = 0; i < 500; ++i)
    shop->submit(order_of("o-" + std::to_string(i), "sku-" + std::to_string(i % 50), 2)).get();

  CHECK(shop->figures().passivations > 500);
  CHECK(shop->figures().live_entities < 300);
  for (int sku = 0; sku < 50; ++sku)
    CHECK(stock_in(*shop, "sku-" + std::to_string(sku)).available == 980);
  CHECK(shop->audit().invariants.broken == 0);
}
