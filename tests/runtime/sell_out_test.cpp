// The sell-out of a hot SKU: many buyers at once, few units (K1, K3, Q1).
//
// What order of arrival means: buyers are served in the order in which the SKU handles what they
// ask for, not in the order in which a client called submit(). Every order and every reservation is
// an actor of its own, on any thread; between submit() and the SKU those actors run side by side,
// and one thread's calls may overtake each other there, as calls of several threads do. What can be
// promised, and is tested, is what anyone can see:
//   - who was refused came to the SKU later than everyone who was served: the journal's total order
//     says so;
//   - who asked when somebody had been refused already is refused; where all ask at once this says
//     nothing, so the same is tried with few at a time;
//   - who asked when somebody's answer was there comes after them: one thread that waits for its
//     answers, or for each window of them, is served in the order of its calls.
#include "tests/runtime/engine_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>

using namespace purser;
using namespace purser::tests;

namespace {

constexpr std::int64_t timeout_ms = 60'000;
constexpr std::uint32_t few = 50; ///< buyers who wait for an answer

/// PURSER_RUNS=100000 lets so many buy. One in ten gets a unit.
std::uint32_t all_buyers() {
  const auto* wanted = std::getenv("PURSER_RUNS"); // NOLINT(concurrency-mt-unsafe): one thread
  constexpr std::uint32_t some = 10'000;
  return wanted == nullptr ? some : std::max(400U, static_cast<std::uint32_t>(std::stoul(wanted)));
}

std::string buyer(std::uint32_t number) {
  return "b-" + std::to_string(number);
}

command reservation_of(const std::string& id, const std::string& sku) {
  command made;
  made.body = reserve_stock{id, {{sku, std::string{default_location}, 1}}, 3'600};
  return made;
}

engine_options without_bounds() {
  engine_options options;
  options.max_in_flight = std::size_t{1} << 20;
  options.answer_deadline_ms = 0;
  return options;
}

/// How one buyer fared. Moments are counted: each asking and each answer is one.
struct bought {
  std::uint32_t asked = 0;
  std::uint32_t answered = 0;
  outcome result = outcome::unknown;
  rejection why = rejection::none;
};

/// Buyers, so many of whom wait for an answer at a time.
class crowd {
public:
  crowd(engine& shop, std::uint32_t buyers, std::function<command(std::uint32_t)> make)
      : shop_(shop), make_(std::move(make)), all_(buyers), left_(buyers) {}

  std::vector<bought> run(std::uint32_t at_once) {
    for (std::uint32_t i = 0; i < at_once; ++i)
      next();
    std::unique_lock lock{mutex_};
    all_answered_.wait(lock, [&] { return left_ == 0; });
    return std::move(all_);
  }

private:
  void next() {
    const auto number = next_++;
    if (number >= all_.size())
      return;
    auto& one = all_[number];
    one.asked = ++moment_;
    shop_.submit(make_(number), [this, &one](const answer& result) {
      one.answered = ++moment_;
      one.result = result.result;
      one.why = result.why;
      next();
      const std::lock_guard lock{mutex_};
      if (--left_ == 0)
        all_answered_.notify_one();
    });
  }

  engine& shop_;
  std::function<command(std::uint32_t)> make_;
  std::vector<bought> all_;
  std::atomic<std::uint32_t> next_{0};
  std::atomic<std::uint32_t> moment_{0};
  std::mutex mutex_;
  std::condition_variable all_answered_;
  std::uint32_t left_;
};

/// Everyone asks, and nobody waits.
std::vector<bought> all_at_once(engine& shop, std::uint32_t buyers,
                                std::function<command(std::uint32_t)> make) {
  return crowd{shop, buyers, std::move(make)}.run(buyers);
}

std::uint32_t count(const std::vector<bought>& all, outcome result, rejection why) {
  return static_cast<std::uint32_t>(std::count_if(all.begin(), all.end(), [&](const bought& one) {
    return one.result == result && one.why == why;
  }));
}

/// Every event so far, in the total order.
std::vector<event_notice> journal_of(engine& shop) {
  const auto end = shop.figures().durable_position;
  std::vector<event_notice> events;
  std::mutex mutex;
  std::condition_variable came;
  const auto feed = shop.subscribe(0, [&](const event_notice& event) {
    const std::lock_guard lock{mutex};
    events.push_back(event);
    came.notify_one();
  });
  std::unique_lock lock{mutex};
  came.wait(lock, [&] { return events.size() >= end; });
  return events;
}

/// What the journal says of the sale of one SKU.
struct sale {
  std::uint64_t last_hold = 0;       ///< its position
  std::uint64_t first_refusal = 0;   ///< of an order or a reservation; 0: none
  std::int64_t available = 0;        ///< at the end
  std::int64_t least_available = 0;  ///< ever
  std::vector<std::string> queued;   ///< who got a place in the queue, in order
  std::vector<std::string> received; ///< who got a unit, in order
};

sale sale_of(engine& shop, const std::string& sku) {
  sale made;
  const entity_ref stock{entity_kind::stock, sku};
  const auto key_in = [](const std::string& data) { // of {"owner":{"kind":"order","key":"b-7"}...
    const auto begin = data.find(R"("key":")") + 7;
    return data.substr(begin, data.find('"', begin) - begin);
  };
  for (const auto& event : journal_of(shop)) {
    const bool refused =
      event.name == "order_rejected" ||
      (event.name == "reservation_moved" && event.data.find("rejected") != std::string::npos);
    if (refused && made.first_refusal == 0)
      made.first_refusal = event.position;
    if (event.stream != stock)
      continue;
    if (event.name == "stock_received") {
      const auto digits = event.data.find(R"("quantity":)") + 11;
      made.available += std::stoll(event.data.substr(digits));
    } else if (event.name == "units_held") {
      made.available -= 1;
      made.last_hold = event.position;
      made.received.push_back(key_in(event.data));
    } else if (event.name == "backorder_queued") {
      made.queued.push_back(key_in(event.data));
    }
    made.least_available = std::min(made.least_available, made.available);
  }
  return made;
}

/// All that is promised of a sale in which `units` were there for all of these.
void check_sold_out(engine& shop, const std::vector<bought>& all, std::uint32_t units) {
  REQUIRE(shop.wait_settled(timeout_ms));
  const auto told = sale_of(shop, "lamp");
  std::uint32_t last_asked = 0;
  auto first_refused = ~std::uint32_t{0};
  for (const auto& one : all)
    if (one.result == outcome::accepted)
      last_asked = std::max(last_asked, one.asked);
    else
      first_refused = std::min(first_refused, one.answered);

  CHECK(count(all, outcome::accepted, rejection::none) == units);
  CHECK(count(all, outcome::rejected, rejection::out_of_stock) == all.size() - units);
  CHECK(stock_in(shop, "lamp").available == 0);
  CHECK(told.received.size() == units);
  CHECK(told.least_available == 0);
  CHECK(told.first_refusal > told.last_hold);
  CHECK(last_asked < first_refused);
  const auto audited = shop.audit();
  CHECK(audited.invariants.broken == 0);
  CHECK(audited.open_steps == 0);
}

} // namespace

TEST_CASE("a hot SKU is sold to its last unit, and to nobody before one who is refused") {
  auto options = without_bounds();
  const auto buyers = all_buyers();
  auto at_once = buyers;
  SUBCASE("when all ask at once") {}
  SUBCASE("when they come one after another") {
    at_once = few;
  }
  SUBCASE("while every 50th message crashes its actor") {
    at_once = few;
    options.crash_every = 50;
  }
  const auto units = buyers / 10;
  const auto shop = engine::start(options);
  shop->submit(receive("lamp", units)).get();

  crowd outside{*shop, buyers,
                [](std::uint32_t number) { return order_of(buyer(number), "lamp", 1); }};
  const auto all = outside.run(at_once);

  check_sold_out(*shop, all, units);
  CHECK(stock_in(*shop, "lamp").committed == units);
}

TEST_CASE(
  "reservations take a hot SKU's last unit, and nobody gets one before one who is refused") {
  const auto buyers = all_buyers();
  auto at_once = buyers;
  SUBCASE("when all ask at once") {}
  SUBCASE("when they come one after another") {
    at_once = few;
  }
  const auto units = buyers / 10;
  const auto shop = engine::start(without_bounds());
  shop->submit(receive("lamp", units)).get();

  crowd outside{*shop, buyers,
                [](std::uint32_t number) { return reservation_of(buyer(number), "lamp"); }};
  const auto all = outside.run(at_once);

  check_sold_out(*shop, all, units);
  CHECK(stock_in(*shop, "lamp").held == units);
}

TEST_CASE("who asks when an earlier window of buyers was answered comes after all of them") {
  constexpr std::uint32_t window = 20;
  const auto windows = all_buyers() / 10 / window;
  const auto served = windows / 2;
  const auto shop = engine::start(without_bounds());
  shop->submit(receive("lamp", served * window)).get();

  std::vector<bought> all;
  for (std::uint32_t i = 0; i < windows; ++i) {
    const auto some = all_at_once(*shop, window, [i](std::uint32_t number) {
      return reservation_of(buyer(i * window + number), "lamp");
    });
    all.insert(all.end(), some.begin(), some.end());
  }

  const auto first_refused = std::find_if(
    all.begin(), all.end(), [](const auto& one) { return one.result != outcome::accepted; });
  CHECK(first_refused - all.begin() == served * window);
  CHECK(count(all, outcome::accepted, rejection::none) == served * window);
  CHECK(count(all, outcome::rejected, rejection::out_of_stock) == (windows - served) * window);
}

TEST_CASE("Q1: who waits for a hot SKU gets what comes later in the order of arrival") {
  const auto buyers = all_buyers() / 10;
  const auto units = buyers / 4;
  auto options = without_bounds();
  options.time = engine_time::driven; // so that offers, too, can be waited for
  const auto shop = engine::start(options);
  shop->submit(receive("lamp", units)).get();
  const auto waiting = [](std::uint32_t number) {
    auto made = order_of(buyer(number), "lamp", 1);
    std::get<place_order>(made.body).allow_backorder = true;
    return made;
  };

  const auto all = all_at_once(*shop, buyers, waiting);
  REQUIRE(shop->wait_idle(timeout_ms));
  CHECK(sale_of(*shop, "lamp").received.size() == units);
  shop->submit(receive("lamp", units, "r-2")).get();
  REQUIRE(shop->wait_idle(timeout_ms));

  const auto told = sale_of(*shop, "lamp");
  CHECK(count(all, outcome::accepted, rejection::none) == buyers);
  REQUIRE(told.queued.size() == buyers - units);
  REQUIRE(told.received.size() == 2 * units);
  CHECK(std::equal(told.received.begin() + units, told.received.end(), told.queued.begin()));
  CHECK(told.least_available == 0);
  CHECK(shop->audit().invariants.broken == 0);
}
