// Crashes of entities and shards: what is redelivered, given up, quarantined, and that nobody else
// notices.
#include "actors/node_context.hpp"
#include "runtime/journal/memory_store.hpp"
#include "runtime/simulated_provider.hpp"
#include "runtime/system_ports.hpp"
#include "runtime/tree.hpp"
#include "tests/runtime/journal_fixture.hpp"
#include "tests/runtime/promised_call.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <mutex>

using namespace purser;
using namespace purser::tests;

namespace {

caf::actor_system_config& sharing(caf::actor_system_config& config) {
  return config.set("scheduler.policy", caf::atom("sharing"))
    .set("scheduler.max-threads", std::size_t{2});
}

/// One node with its tree, without the engine around it, so that crashes can be planted.
class node {
public:
  explicit node(crash_injector inject = {}, std::uint32_t redeliveries = 2)
      : journal_(std::make_unique<memory_store>(), {}), router_(8),
        system_(sharing(config_)), context_{
                                     journal_, clock_, random_, router_, policy(redeliveries),
                                     {},       {},     {},      {},      {},
                                     {},       {}} {
    context_.inject_crash = std::move(inject);
    context_.call_provider_for = [this](const entity_ref& payment, const call_provider& call,
                                        unix_millis at) {
      provider_.submit(call.call, [&](payment_answer result) {
        envelope reply;
        reply.to = payment;
        reply.at = at;
        reply.body = provider_reply{call.operation_id, call.call.ask_only, call.call.abandon,
                                    std::move(result)};
        router_.send(std::move(reply));
      });
    };
    context_.on_supervision = [this](const supervisors::supervision_event& event) {
      const std::lock_guard lock{mutex_};
      events_.push_back(event);
    };
    for (std::uint16_t shard = 0; shard < 8; ++shard)
      shards_.push_back(std::make_shared<shard_state>(shard));
    std::promise<std::string> started;
    supervisors::supervisor_hooks hooks;
    hooks.on_started = [&started](const std::string& error) { started.set_value(error); };
    root_ = start_tree(system_, context_, shards_, std::move(hooks));
    REQUIRE(started.get_future().get().empty());
  }

  ~node() {
    stop_tree(system_, context_, shards_, root_);
    root_ = nullptr;
    journal_.stop();
  }

  std::future<answer> submit(const entity_ref& to, const std::string& key, message_body body) {
    auto made = std::make_shared<promised_call>();
    auto future = made->promise.get_future();
    envelope message;
    message.to = to;
    message.client = std::move(made);
    message.key = key;
    message.fingerprint = key.empty() ? 0 : 7;
    message.query = key.empty();
    message.at = 1'000;
    message.body = std::move(body);
    router_.send(std::move(message));
    return future;
  }

  std::future<answer> receive(const std::string& id, const std::string& sku,
                              std::uint32_t quantity) {
    return submit({entity_kind::receipt, id}, "stock.receive",
                  command_body{receive_stock{id, sku, "main", quantity}});
  }

  std::future<answer> place(const std::string& id, const std::string& sku, std::uint32_t quantity) {
    place_order order;
    order.order_id = id;
    order.customer_id = "c";
    order.currency = "EUR";
    order.payment.method = "card";
    order.lines = {{"1", sku, "main", quantity, 100}};
    return submit({entity_kind::order, id}, "order.place", command_body{order});
  }

  /// The shard's actor ends as if it had a bug.
  void crash_shard(std::uint16_t shard) {
    const auto victim = router_.inbox(shard).shard();
    caf::anon_send<caf::message_priority::high>(
      victim, caf::exit_msg{victim.address(), caf::make_error(caf::sec::runtime_error)});
  }

  answer query(const entity_ref& ref) { return submit(ref, "", resume_step{}).get(); }

  std::size_t count(supervisors::event_kind kind) {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(std::count_if(
      events_.begin(), events_.end(), [&](const auto& event) { return event.kind == kind; }));
  }

  std::uint32_t most_crashes_in_a_row() {
    const std::lock_guard lock{mutex_};
    std::uint32_t most = 0;
    for (const auto& event : events_)
      if (event.kind == supervisors::event_kind::child_crashed)
        most = std::max(most, static_cast<std::uint32_t>(event.restarts));
    return most;
  }

  node_context& context() { return context_; }
  group_commit_journal& log() { return journal_; }
  shard_states& shards() { return shards_; }
  router& way() { return router_; }

private:
  static entity_policy policy(std::uint32_t redeliveries) {
    entity_policy made;
    made.restarts.redeliveries = redeliveries;
    made.restarts.backoff = {1, 5, 0};
    return made;
  }

  system_clock clock_;
  system_random random_;
  simulated_provider provider_;
  group_commit_journal journal_;
  router router_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  node_context context_;
  shard_states shards_;
  caf::actor root_;
  std::mutex mutex_;
  std::vector<supervisors::supervision_event> events_;
};

/// Crashes each command once, at a place.
crash_injector every_command_at(crash_point point) {
  return [point](const envelope& message) {
    const bool first = message.deliveries == 1;
    return first && message.is_command() ? std::optional{point} : std::nullopt;
  };
}

bool is_hold(const envelope& message) {
  return std::holds_alternative<hold_units>(message.body);
}

} // namespace

TEST_CASE("B3: a crash anywhere while a command is handled is not seen by the client, and takes "
          "effect once") {
  for (const auto point : {crash_point::before_decide, crash_point::before_append,
                           crash_point::after_append, crash_point::after_effects}) {
    CAPTURE(static_cast<int>(point));
    node n{every_command_at(point)};

    const auto received = n.receive("r-1", "mug", 10).get();
    const auto placed = n.place("o-1", "mug", 3).get();

    CHECK(received.result == outcome::accepted);
    CHECK_FALSE(received.duplicate);
    CHECK(placed.result == outcome::accepted);
    CHECK_FALSE(placed.duplicate);
    const auto mug = std::get<stock_view>(n.query({entity_kind::stock, "mug"}).view);
    CHECK(mug.received == 10);
    CHECK(mug.committed == 3);
    const auto paid = std::get<payment_view>(n.query({entity_kind::payment, "o-1"}).view);
    CHECK(paid.captured == 300);
    CHECK(paid.operations.size() == 2);
    CHECK(n.context().counters.crashes >= 5);
    CHECK(n.context().counters.dead_letters == 0);
    CHECK(n.count(supervisors::event_kind::child_restarted) == n.context().counters.restarts);
  }
}

namespace {

/// A journal that cannot load one stream, for entities that cannot be recovered.
class half_blind_journal final : public journal {
public:
  explicit half_blind_journal(entity_ref hidden) : hidden_(std::move(hidden)) {}

  position append(const entity_ref& stream, std::uint64_t version,
                  std::span<const event_record> events, stream_place& place) override {
    return inner_.append(stream, version, events, place);
  }
  position last() const override { return inner_.last(); }
  position durable() const override { return inner_.durable(); }
  void when_durable(task output) override { inner_.when_durable(std::move(output)); }
  void load(const entity_ref& stream, load_callback callback) override {
    if (stream == hidden_)
      return callback({}, "the disk has a hole there");
    inner_.load(stream, std::move(callback));
  }
  void find_command(const entity_ref& stream, const std::string& key,
                    outcome_callback callback) override {
    inner_.find_command(stream, key, std::move(callback));
  }

private:
  entity_ref hidden_;
  group_commit_journal inner_{std::make_unique<memory_store>(), {}};
};

} // namespace

TEST_CASE("B3: a command that always crashes its entity is given up, and the entity goes on") {
  // A command that no order understands: a bug, as far as the order can tell.
  node n;
  n.receive("r-1", "mug", 10).get();

  const auto poison =
    n.submit({entity_kind::order, "o-1"}, "bad", command_body{receive_stock{"x", "mug", "main", 1}})
      .get();
  const auto next = n.place("o-1", "mug", 1).get();
  const auto again =
    n.submit({entity_kind::order, "o-1"}, "bad", command_body{receive_stock{"x", "mug", "main", 1}})
      .get();

  CHECK(poison.result == outcome::rejected);
  CHECK(poison.why == rejection::dead_lettered);
  CHECK(next.result == outcome::accepted);
  CHECK(again.why == rejection::dead_lettered); // noted: it does not crash anybody again
  CHECK(again.duplicate);
  CHECK(n.context().counters.crashes == 3); // once, and k = 2 redeliveries
  CHECK(n.count(supervisors::event_kind::message_dead_lettered) == 1);
}

TEST_CASE("B3: an entity goes on with the message behind one that was given up") {
  node n;
  n.receive("r-1", "mug", 10).get();
  envelope poison; // something that only payments understand
  poison.to = {entity_kind::stock, "mug"};
  poison.from = entity_ref{entity_kind::order, "o-2"};
  poison.body = capture_payment{};
  n.way().send(std::move(poison));

  const auto placed = n.place("o-3", "mug", 1).get(); // behind the poison, in order

  CHECK(placed.result == outcome::accepted);
  CHECK(n.context().counters.dead_letters == 1);
}

TEST_CASE("B5: an entity that cannot be recovered is quarantined alone, and says so") {
  half_blind_journal log{{entity_kind::order, "o-1"}};
  system_clock time;
  system_random random;
  router way{1};
  entity_policy policy;
  policy.restarts.backoff = {1, 2, 0};
  caf::actor_system_config config;
  caf::actor_system system{sharing(config)};
  node_context context{log, time, random, way, policy, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  const shard_states shards{std::make_shared<shard_state>(std::uint16_t{0})};
  std::promise<void> started;
  supervisors::supervisor_hooks hooks;
  hooks.on_started = [&started](const std::string&) { started.set_value(); };
  auto root = start_tree(system, context, shards, std::move(hooks));
  started.get_future().get();
  const auto ask = [&](const std::string& id) {
    auto made = std::make_shared<promised_call>();
    auto future = made->promise.get_future();
    envelope message;
    message.to = {entity_kind::order, id};
    message.client = made;
    message.query = true;
    way.send(std::move(message));
    return future.get();
  };

  CHECK(ask("o-1").why == rejection::quarantined);
  CHECK(ask("o-2").result == outcome::accepted); // its sibling, in the same shard
  CHECK(ask("o-1").why == rejection::quarantined);

  CHECK(context.counters.quarantined == 1);
  stop_tree(system, context, shards, root);
}

TEST_CASE("B10: a command that took effect before its crash is completed when it is answered") {
  node n{every_command_at(crash_point::after_append)};
  n.receive("r-1", "mug", 10).get();
  n.place("o-1", "mug", 1).get();

  for (int i = 0; i < 8; ++i) // more than k + 3
    n.submit({entity_kind::order, "o-1"}, "hold-" + std::to_string(i),
             command_body{hold_order{"o-1", "a look"}})
      .get();

  CHECK(n.context().counters.crashes >= 10);
  CHECK(n.context().counters.quarantined == 0);
  CHECK(n.most_crashes_in_a_row() == 1); // so that none of them waited for a backoff
}

TEST_CASE("B10: many entities that crash once each do not bring down their shard") {
  std::atomic<int> crashed{0};
  node n{[&crashed](const envelope& message) -> std::optional<crash_point> {
    if (!std::holds_alternative<command_body>(message.body))
      return std::nullopt;
    ++crashed;
    return crash_point::after_append;
  }};

  std::vector<std::future<answer>> answers;
  for (int i = 0; i < 300; ++i)
    answers.push_back(n.receive("r-" + std::to_string(i), "mug", 1));
  for (auto& result : answers)
    CHECK(result.get().result == outcome::accepted);

  CHECK(crashed == 300);
  CHECK(n.count(supervisors::event_kind::gave_up) == 0);
  CHECK(std::get<stock_view>(n.query({entity_kind::stock, "mug"}).view).received == 300);
}

TEST_CASE("A2: a shard that is killed is restarted, and no message of its entities is lost") {
  node n;
  n.receive("r-1", "mug", 1'000).get();
  std::vector<std::future<answer>> answers;
  for (int i = 0; i < 200; ++i) {
    answers.push_back(n.place("o-" + std::to_string(i), "mug", 1));
    if (i % 50 == 25)
      n.crash_shard(shard_of({entity_kind::stock, "mug"}, 8));
  }

  for (auto& result : answers)
    CHECK(result.get().result == outcome::accepted);
  CHECK(std::get<stock_view>(n.query({entity_kind::stock, "mug"}).view).committed == 200);
}

TEST_CASE("messages to one entity keep their order through crashes") {
  std::atomic<int> count{0};
  node n{[&count](const envelope& message) -> std::optional<crash_point> {
    if (message.deliveries > 1 || !is_hold(message) || ++count % 3 != 0)
      return std::nullopt;
    return crash_point::before_append;
  }};
  n.receive("r-1", "mug", 10).get();

  std::vector<std::future<answer>> answers;
  for (int i = 0; i < 20; ++i)
    answers.push_back(n.place("o-" + std::to_string(i), "mug", 1));
  int sold = 0;
  for (auto& result : answers)
    sold += result.get().result == outcome::accepted ? 1 : 0;

  CHECK(sold == 10);
}
