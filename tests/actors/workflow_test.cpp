// Orders among crashes, without threads: the real aggregates, a journal that loses its newest
// events, messages in every order that the router allows. What must hold at the end is exact.
#include "actors/domain/order.hpp"
#include "actors/domain/payment.hpp"
#include "actors/domain/stock.hpp"
#include "actors/entity_image.hpp"
#include "actors/envelope.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace purser;

namespace {

constexpr int units_in_stock = 5;
constexpr std::uint32_t orders = 4;

/// Carries out each key once and says the same of it for ever; sometimes it answers "unknown".
class honest_provider {
public:
  payment_answer submit(const payment_call& call, bool unsure) {
    if (!outcomes_.contains(call.idempotency_key)) {
      if (call.ask_only)
        return {payment_answer_kind::never_seen, {}, {}};
      const bool refuse = (call.token == "no-card" && call.kind == operation_kind::authorize) ||
                          (call.token == "no-capture" && call.kind == operation_kind::capture);
      outcomes_[call.idempotency_key] =
        refuse ? payment_answer_kind::refused : payment_answer_kind::succeeded;
      if (!refuse)
        moved_[{call.order_id, call.kind}] += call.amount;
    }
    return {unsure ? payment_answer_kind::unknown : outcomes_[call.idempotency_key], "because", {}};
  }

  minor_units moved(const std::string& order_id, operation_kind kind) const {
    const auto found = moved_.find({order_id, kind});
    return found == moved_.end() ? 0 : found->second;
  }

private:
  std::map<std::string, payment_answer_kind> outcomes_;
  std::map<std::pair<std::string, operation_kind>, minor_units> moved_;
};

command_body order_of(const std::string& id, const std::string& token, capture_policy capture) {
  place_order made;
  made.capture = capture;
  made.order_id = id;
  made.customer_id = "c-1";
  made.currency = "EUR";
  for (const auto* sku : {"mug", "pen"})
    made.lines.push_back({sku, sku, "main", 2, 100, 0, 1}); // 201: shares do not divide evenly
  made.payment = {"card", token};
  return made;
}

/// One node: entities, what is on its way, and the journal.
class node {
public:
  explicit node(std::uint32_t seed) : random_(seed), unsure_(seed % 8 == 0) {
    for (const auto* sku : {"mug", "pen"})
      send({.to = {entity_kind::stock, sku},
            .from = entity_ref{entity_kind::receipt, "r"},
            .key = "r",
            .fingerprint = 1,
            .body = book_receipt{{"main", units_in_stock}}});
    run_until_quiet();
    sync();
  }

  /// Like a client that repeats until it is acknowledged.
  void submit(entity_ref to, const std::string& key, command_body body) {
    commands_.push_back(
      {.to = std::move(to), .key = key, .fingerprint = 1, .body = std::move(body)});
    send(commands_.back());
  }

  /// Any one thing that can happen next.
  void step() {
    now_ms_ += 100;
    switch (random_() % 32) {
    case 0: return crash_process();
    case 1: return crash_entity();
    case 2:
    case 3:
    case 4: return sync();
    case 5:
    case 6: return ask_provider(true);
    case 7:
    case 8:
    case 9: return ask_provider(unsure_);
    default: return deliver_one();
    }
  }

  /// No more crashes, and everything comes through.
  void run_until_quiet() {
    for (int steps = 0; !in_flight_.empty() || !calls_.empty(); ++steps) {
      REQUIRE(steps < 10'000);
      now_ms_ += 10'000; // "never seen" is believed some time
      sync();
      ask_provider(false);
      deliver_one();
    }
  }

  void repeat_commands() {
    for (const auto& command : commands_)
      send(command);
  }

  entity_image& at(const entity_ref& ref) {
    return entities_.try_emplace(ref, entity_image{ref}).first->second;
  }
  const auto& entities() const { return entities_; }
  const honest_provider& provider() const { return provider_; }
  const std::set<std::string_view>& happened() const { return happened_; }

private:
  struct waiting_call {
    entity_ref payment;
    call_provider call;
    std::size_t after; ///< events that must be durable first
  };

  std::size_t any_of(std::size_t size) { return random_() % size; }

  void send(envelope message) { in_flight_.push_back(std::move(message)); }

  void sync() { durable_ = journal_.size(); }

  /// The oldest message of any pair of a sender and a receiver: more order the router does not
  /// give.
  void deliver_one() {
    if (in_flight_.empty())
      return;
    const auto& picked = in_flight_[any_of(in_flight_.size())];
    const auto first = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& other) {
      return other.to == picked.to && other.from == picked.from;
    });
    const auto message = std::move(*first);
    in_flight_.erase(first);
    handle(message);
  }

  decide_context context_of(const envelope& message) {
    decide_context context;
    context.self = message.to;
    context.from = message.from.value_or(entity_ref{});
    context.now = now_ms_;
    context.monotonic_ms = now_ms_;
    context.attempt = attempts_ += 4'096;
    return context;
  }

  void handle(const envelope& message) {
    auto& image = at(message.to);
    const auto context = context_of(message);
    const auto* known = message.key.empty() ? nullptr : image.commands().find(message.key);
    if (known != nullptr)
      return carry_out(image.ref(),
                       image.state().answer_again(message.body, known->outcome, context));
    auto made = image.state().handle(message.body, context);
    if (!message.key.empty()) {
      if (made.events.empty() || made.refused != rejection::none) {
        event_record note;
        note.payload = std::string(1, static_cast<char>(made.refused));
        made.events.push_back(note);
      }
      made.events.front().cause = message.key;
      made.events.front().fingerprint = 1;
    }
    append(image, made.events);
    carry_out(image.ref(), std::move(made.effects));
  }

  void append(entity_image& image, const std::vector<event_record>& events) {
    auto version = image.version();
    for (const auto& event : events)
      journal_.push_back({journal_.size() + 1, image.ref(), ++version, event});
    image.appended(events);
    appends_.push_back(journal_.size());
    for (const auto& event : events)
      happened_.emplace(event_name(image.ref().kind, event.type));
  }

  void carry_out(const entity_ref& from, std::vector<effect> effects) {
    for (auto& wanted : effects) {
      if (auto* call = std::get_if<call_provider>(&wanted)) {
        calls_.push_back({from, std::move(*call), journal_.size()});
        continue;
      }
      auto& message = std::get<send_message>(wanted);
      send({.to = std::move(message.to),
            .from = from,
            .key = std::move(message.key),
            .fingerprint = 1,
            .body = std::move(message.body)});
    }
  }

  void ask_provider(bool unsure) {
    if (calls_.empty())
      return;
    const auto picked = calls_.begin() + static_cast<std::ptrdiff_t>(any_of(calls_.size()));
    if (picked->after > durable_)
      return;
    auto answer = provider_.submit(picked->call.call, unsure);
    send({.to = picked->payment,
          .body = provider_reply{picked->call.operation_id, picked->call.call.ask_only,
                                 std::move(answer)}});
    calls_.erase(picked);
  }

  /// Its memory goes; its mailbox stays.
  void crash_entity() {
    auto crashed = entities_.begin();
    std::advance(crashed, static_cast<std::ptrdiff_t>(any_of(entities_.size())));
    const auto ref = crashed->first;
    entities_.erase(crashed);
    rebuild(ref);
  }

  /// Everything goes but what is durable, and some of what is not yet.
  void crash_process() {
    std::erase_if(appends_, [this](std::size_t end) { return end <= durable_; });
    if (const auto kept = any_of(appends_.size() + 1); kept > 0) // an append is kept whole
      durable_ = appends_[kept - 1];
    journal_.resize(durable_);
    appends_.clear();
    in_flight_.clear();
    calls_.clear();
    entities_.clear();
    std::vector<entity_ref> streams;
    for (const auto& event : journal_)
      streams.push_back(event.stream);
    std::sort(streams.begin(), streams.end());
    streams.erase(std::unique(streams.begin(), streams.end()), streams.end());
    for (const auto& ref : streams)
      rebuild(ref);
    repeat_commands();
  }

  void rebuild(const entity_ref& ref) {
    auto& image = at(ref);
    for (const auto& event : journal_)
      if (event.stream == ref)
        image.evolve(event);
    if (!image.must_resume())
      return;
    const envelope resume{.to = ref};
    auto made = image.state().handle(resume.body, context_of(resume));
    append(image, made.events);
    carry_out(ref, std::move(made.effects));
  }

  std::mt19937 random_;
  bool unsure_; ///< the provider hardly ever knows, until nothing crashes any more
  std::int64_t now_ms_ = 1;
  std::uint64_t attempts_ = 0;
  std::map<entity_ref, entity_image> entities_;
  std::vector<envelope> commands_;
  std::vector<envelope> in_flight_;
  std::vector<waiting_call> calls_;
  std::vector<recorded_event> journal_;
  std::vector<std::size_t> appends_; ///< where each append since the last crash ended
  std::size_t durable_ = 0;
  std::set<std::string_view> happened_; ///< names of events, also of those that were lost
  honest_provider provider_;
};

entity_ref order_at(std::uint32_t number) {
  return {entity_kind::order, "o-" + std::to_string(number)};
}

const entity_ref booking{entity_kind::reservation, "r-1"};
constexpr std::uint32_t booked_seconds = 10;
constexpr unix_millis far_future = 1'000'000'000'000; ///< every hold that can lapse has

/// What the order says it has, against what the provider moved (M4, M5).
void check_money(const order_view& view, const honest_provider& provider) {
  const auto moved = [&](operation_kind kind) { return provider.moved(view.order_id, kind); };
  const auto open = moved(operation_kind::authorize) - moved(operation_kind::capture) -
                    moved(operation_kind::void_authorization);
  const bool may_stay_open = view.status == order_status::confirmed ||
                             view.status == order_status::fulfilling ||
                             view.status == order_status::on_hold;
  CHECK(open >= 0);
  CHECK((open == 0 || may_stay_open));
  CHECK(moved(operation_kind::capture) - moved(operation_kind::refund) ==
        view.captured - view.refunded);
}

void check_end(node& shop) {
  std::map<std::string, std::int64_t> committed, gone;
  for (std::uint32_t i = 0; i < orders; ++i) {
    const auto id = order_at(i).key;
    CAPTURE(id);
    const auto view = std::get<order_view>(shop.at(order_at(i)).view(0));
    check_money(view, shop.provider());
    CHECK(view.status != order_status::reserving);
    CHECK(view.status != order_status::awaiting_payment);
    CHECK(view.status != order_status::canceling);
    CHECK(view.status != order_status::returning);
    CHECK(view.status != order_status::needs_attention);
    for (const auto& line : view.lines) {
      const bool rejected = view.status == order_status::rejected;
      CHECK((rejected || line.quantity == line.canceled + line.committed + line.shipped));
      committed[line.sku] += line.committed;
      gone[line.sku] += line.shipped - line.returned;
    }
  }
  const auto reserved = std::get<reservation_view>(shop.at(booking).view(0));
  const int booked = reserved.status == reservation_status::committed ? 1 : 0;
  for (const auto* sku : {"mug", "pen"}) {
    const auto view = std::get<stock_view>(shop.at({entity_kind::stock, sku}).view(far_future));
    CHECK(view.held == 0);
    CHECK(view.committed == committed[sku] + booked);
    CHECK(view.shipped - view.restocked == gone[sku]);
    CHECK(view.available == units_in_stock - committed[sku] - booked - gone[sku]);
  }
  for (const auto& [ref, image] : shop.entities()) {
    CHECK_FALSE(image.has_open_step());
    image.state().check();
  }
}

/// Any command that an order may get, with an id of its own.
void submit_any(node& shop, std::uint32_t number, std::mt19937& random) {
  const auto ref = order_at(random() % orders);
  const auto id = std::to_string(number);
  const auto line = random() % 2 == 0 ? "mug" : "pen";
  const auto quantity = static_cast<std::uint32_t>(1 + random() % 2);
  const std::optional<std::vector<line_quantity>> part{{{line, quantity}}};
  switch (random() % 13) {
  case 0: return shop.submit(ref, id, cancel_order{ref.key, std::nullopt, std::nullopt});
  case 1: return shop.submit(ref, id, cancel_order{ref.key, std::nullopt, part});
  case 2:
  case 3:
    return shop.submit(ref, id, ship_order{.order_id = ref.key, .shipment_id = id, .lines = part});
  case 4: return shop.submit(ref, id, ship_order{.order_id = ref.key, .shipment_id = id});
  case 5:
  case 6: return shop.submit(ref, id, return_order{ref.key, id, {{line, quantity}}, std::nullopt});
  case 7: return shop.submit(ref, id, grant_refund{ref.key, id, 7, std::nullopt});
  case 8: return shop.submit(ref, id, hold_order{ref.key, "a look"});
  case 9: return shop.submit(ref, id, resume_order{ref.key, std::nullopt});
  case 10: return shop.submit(ref, id, deliver_order{ref.key, std::nullopt});
  case 11: return shop.submit(ref, id, retry_payment{ref.key, {"card", "card"}});
  case 12: return shop.submit(ref, id, hold_order{ref.key, "another look"});
  }
}

/// PURSER_RUNS=1000000 looks longer.
std::uint32_t wanted_runs() {
  const auto* wanted = std::getenv("PURSER_RUNS"); // NOLINT(concurrency-mt-unsafe): one thread
  return wanted == nullptr ? 3'000 : static_cast<std::uint32_t>(std::stoul(wanted));
}

} // namespace

TEST_CASE("C3, C8, M1: an order comes to an end, and money and stock agree, wherever it crashes") {
  const auto runs = wanted_runs();
  std::set<std::string_view> reached;
  const std::array<std::string, 4> tokens{"card", "card", "no-card", "no-capture"};
  for (std::uint32_t seed = 1; seed <= runs; ++seed) {
    CAPTURE(seed);
    node shop{seed};
    std::mt19937 random{seed};
    const auto steps = [&shop] {
      for (int i = 0; i < 40; ++i)
        shop.step();
    };
    for (std::uint32_t i = 0; i < orders; ++i)
      shop.submit(
        order_at(i), "order.place",
        order_of(order_at(i).key, tokens.at((i + seed) % tokens.size()),
                 random() % 2 == 0 ? capture_policy::on_confirm : capture_policy::on_ship));
    shop.submit(
      booking, "stock.reserve",
      reserve_stock{booking.key, {{"mug", "main", 1}, {"pen", "main", 1}}, booked_seconds});
    steps();
    shop.submit(booking, "commit", commit_reservation{booking.key});
    for (std::uint32_t i = 0; i < 16; ++i) {
      submit_any(shop, i, random);
      steps();
    }
    shop.run_until_quiet();
    for (std::uint32_t i = 0; i < orders; ++i) // what was declined on hold is given up
      shop.submit(order_at(i), "resume at the end", resume_order{order_at(i).key, std::nullopt});
    shop.run_until_quiet();
    check_end(shop);
    reached.insert(shop.happened().begin(), shop.happened().end());
  }
  std::string missed;
  for (const auto kind : {entity_kind::order, entity_kind::payment, entity_kind::stock})
    for (std::uint16_t type = 1; !event_name(kind, type).empty(); ++type)
      if (const auto name = event_name(kind, type); !reached.contains(name))
        missed += std::string{name} + " ";
  CHECK(missed == "payment_resolved operation_created operation_needs_action stock_adjusted ");
}
