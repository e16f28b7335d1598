// The desk on a thread of its own, with time moved by hand; and what an engine tells of it.
#include "runtime/payment_desk.hpp"
#include "runtime/system_ports.hpp"
#include "tests/runtime/engine_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace purser;
using namespace purser::tests;
using supervisors::circuit;

namespace {

/// Carries out each key once. What it does with a call is up to its mood.
class bank final : public payment_gateway {
public:
  enum class mood : std::uint8_t { well, throws, throws_after, silent };

  void submit(const payment_call& call, answer_callback reply) override {
    std::unique_lock lock{mutex_};
    calls_.push_back(call);
    if (mood_ == mood::throws)
      throw std::runtime_error("no connection");
    if (mood_ == mood::silent)
      return waiting_.push_back({call, std::move(reply)});
    const bool known = charged_.contains(call.idempotency_key);
    if (!call.ask_only && !known)
      charged_[call.idempotency_key] = 0;
    if (!call.ask_only)
      ++charged_[call.idempotency_key];
    if (mood_ == mood::throws_after)
      throw std::runtime_error("the connection broke");
    lock.unlock();
    if (call.ask_only && !known)
      return reply({payment_answer_kind::never_seen, {}, {}});
    reply({payment_answer_kind::succeeded, {}, "ref"});
  }

  void become(mood next) {
    const std::lock_guard lock{mutex_};
    mood_ = next;
  }

  /// Answers what it was silent about.
  void answer_all() {
    std::unique_lock lock{mutex_};
    const auto all = std::exchange(waiting_, {});
    lock.unlock();
    for (const auto& [call, reply] : all)
      reply({payment_answer_kind::succeeded, {}, "ref"});
  }

  std::vector<payment_call> calls() const {
    const std::lock_guard lock{mutex_};
    return calls_;
  }

  /// How often each key was asked to be carried out, and was: repeats are answered from a book.
  std::map<std::string, int> charged() const {
    const std::lock_guard lock{mutex_};
    return charged_;
  }

private:
  mutable std::mutex mutex_;
  mood mood_ = mood::well;
  std::vector<payment_call> calls_;
  std::map<std::string, int> charged_;
  std::vector<std::pair<payment_call, answer_callback>> waiting_;
};

constexpr std::int64_t deadline_ms = 1'000;
constexpr std::int64_t open_ms = 300;

class driven_desk {
public:
  explicit driven_desk(provider_policy policy) {
    router_.count(activity_);
    payment_desk::options how;
    how.provider = policy;
    how.by_machine = false;
    how.on_circuit = [this](const circuit_change& change) {
      const std::lock_guard lock{mutex_};
      changes_.push_back(change.to);
    };
    desk_.emplace(provider, router_, clock_, std::move(how));
  }

  void submit(const std::string& key, bool ask_only = false) {
    call_provider call;
    call.call.idempotency_key = key;
    call.call.ask_only = ask_only;
    call.operation_id = "authorize-1";
    desk_->submit({entity_kind::payment, key}, call, clock_.now());
    settle();
  }

  /// Until nothing can happen any more at this time.
  void settle() {
    do {
      auto replies = router_.inbox(0).take();
      while (const auto reply = replies.pop_front())
        replies_[reply->to.key].push_back(std::get<provider_reply>(reply->body).answer.kind);
    } while (!activity_.wait_idle(1));
  }

  void move_time(std::int64_t by_ms) {
    clock_.advance_to(clock_.now() + by_ms);
    desk_->time_moved();
    settle();
  }

  const auto& replies() const { return replies_; }
  payment_desk& desk() { return *desk_; }

  std::vector<circuit> changes() {
    const std::lock_guard lock{mutex_};
    return changes_;
  }

  std::shared_ptr<bank> provider = std::make_shared<bank>();

private:
  activity activity_;
  router router_{1};
  driven_clock clock_;
  std::mutex mutex_;
  std::vector<circuit> changes_;
  std::map<std::string, std::vector<payment_answer_kind>> replies_;
  std::optional<payment_desk> desk_;
};

provider_policy strict() {
  provider_policy made;
  made.deadline_ms = deadline_ms;
  made.circuit.failures_in_a_row = 3;
  made.circuit.cool_down_ms = open_ms;
  return made;
}

const std::vector<payment_answer_kind> once_succeeded{payment_answer_kind::succeeded};
const std::vector<payment_answer_kind> once_unknown{payment_answer_kind::unknown};

} // namespace

TEST_CASE("calls that were held back are made when the provider is well, and each once") {
  driven_desk d{strict()};
  d.provider->become(bank::mood::throws);
  for (auto i = 0; i < 3; ++i)
    d.submit("early-" + std::to_string(i));
  for (auto i = 0; i < 5; ++i)
    d.submit("o-" + std::to_string(i));
  CHECK(d.provider->calls().size() == 3);
  CHECK(d.desk().figures().waiting == 5);

  d.provider->become(bank::mood::well);
  d.move_time(open_ms - 1);
  CHECK(d.provider->calls().size() == 3);
  CHECK(d.desk().next_due() == open_ms);
  d.move_time(1);

  CHECK(d.changes() == std::vector{circuit::open, circuit::half_open, circuit::closed});
  for (auto i = 0; i < 5; ++i) {
    const auto key = "o-" + std::to_string(i);
    CHECK(d.provider->charged()[key] == 1);
    CHECK(d.replies().at(key) == once_succeeded);
  }
  d.move_time(10 * deadline_ms);
  CHECK(d.provider->calls().size() == 8);
  CHECK_FALSE(d.desk().next_due());
}

TEST_CASE("a call that was held back for too long is unknown, and not made when the provider is "
          "well again") {
  auto policy = strict();
  policy.circuit.cool_down_ms = 3 * deadline_ms / 2;
  driven_desk d{policy};
  d.provider->become(bank::mood::throws);
  for (auto i = 0; i < 3; ++i)
    d.submit("early-" + std::to_string(i));
  d.submit("o-1");
  d.provider->become(bank::mood::well);

  d.move_time(deadline_ms);
  CHECK(d.replies().at("o-1") == once_unknown);
  d.submit("o-1", true); // the payment asks
  d.move_time(deadline_ms / 2);

  CHECK(d.replies().at("o-1") ==
        std::vector{payment_answer_kind::unknown, payment_answer_kind::never_seen});
  CHECK(d.provider->charged().empty());
}

TEST_CASE("what took effect before the provider threw is tried again under the same key alone") {
  auto policy = strict();
  policy.retries.attempts = 4;
  policy.retries.backoff.min_ms = 100;
  driven_desk d{policy};
  d.provider->become(bank::mood::throws_after);
  d.submit("o-1");
  d.provider->become(bank::mood::well);
  CHECK(d.replies().empty());

  d.move_time(100);

  CHECK(d.replies().at("o-1") == once_succeeded);
  REQUIRE(d.provider->calls().size() == 2);
  CHECK(d.provider->calls()[0].idempotency_key == d.provider->calls()[1].idempotency_key);
}

TEST_CASE("a call that is withdrawn while it waits is never made, and others are") {
  driven_desk d{{}};
  const auto later = [&d](const std::string& key, bool withdraw) {
    call_provider call;
    call.call.idempotency_key = key;
    call.delay_ms = 60'000;
    call.withdraw = withdraw;
    d.desk().submit({entity_kind::payment, key}, call, 0);
  };
  later("by hand", false);
  later("by us", false);
  later("by hand", true);

  d.move_time(120'000);

  CHECK(d.provider->charged() == std::map<std::string, int>{{"by us", 1}});
  CHECK(d.replies().count("by hand") == 0);
}

TEST_CASE("no more calls are with the provider at once than may be, and the others follow") {
  auto policy = strict();
  policy.at_once = 2;
  driven_desk d{policy};
  d.provider->become(bank::mood::silent);
  for (auto i = 0; i < 5; ++i)
    d.submit("o-" + std::to_string(i));
  CHECK(d.provider->calls().size() == 2);

  d.provider->answer_all();
  d.settle();
  CHECK(d.provider->calls().size() == 4);
  d.provider->answer_all();
  d.settle();
  CHECK(d.provider->calls().size() == 5);
  d.provider->answer_all();
  d.settle();

  CHECK(d.replies().size() == 5);
  for (const auto& [key, answers] : d.replies())
    CHECK(answers == once_succeeded);
}

TEST_CASE("an engine whose provider throws is degraded and says why, and heals when it is well") {
  const auto provider = std::make_shared<bank>();
  provider->become(bank::mood::throws_after); // the worst: it took effect, and nobody knows
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string> told;
  const auto tell = [&](const std::string& what) {
    const std::lock_guard lock{mutex};
    told.insert(what);
    changed.notify_all();
  };
  const auto wait_for = [&](const std::string& what) {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return told.contains(what); });
  };
  engine_options options;
  options.provider = provider;
  options.payment_circuit_failures = 3;
  options.payment_circuit_open_ms = 20;
  options.payment_deadline_ms = 60'000;
  options.payment_retries_permille = 0;
  options.shop.payments.ask_again_ms = 1;
  options.shop.payments.asks_before_alarm = 1'000;
  options.hang_ms = 0;
  options.on_alarm = tell;
  options.on_supervision = [&](const supervision_notice& notice) {
    tell(notice.what + " " + notice.path + " " + notice.cause);
  };
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 50)).get();
  std::vector<std::future<answer>> answers;
  for (auto i = 0; i < 10; ++i)
    answers.push_back(shop->submit(order_of("o-" + std::to_string(i), "mug", 1)));

  wait_for("payment_circuit_open cause=the connection broke");
  wait_for("circuit_opened payment_desk the connection broke");
  const auto sick = shop->health();
  const auto figures = shop->figures();
  CHECK(sick.degraded);
  CHECK(sick.ready);
  CHECK(std::ranges::any_of(sick.reasons, [](const std::string& reason) {
    return reason.starts_with("payment_desk holds calls back: the circuit to the provider is open "
                              "(the connection broke), ");
  }));
  CHECK(figures.payment_circuit != 0);
  CHECK(figures.payment_failures >= 3);
  CHECK(stock_in(*shop, "mug").committed == 0);
  provider->become(bank::mood::well);

  for (auto& each : answers)
    CHECK(each.get().result == outcome::accepted);

  wait_for("circuit_closed payment_desk ");
  CHECK_FALSE(shop->health().degraded);
  CHECK(shop->figures().payment_circuit == 0);
  CHECK(shop->figures().payment_held_back > 0);
  CHECK(provider->charged().size() == 20); // ten authorizations and ten captures
  for (auto i = 0; i < 10; ++i)
    CHECK(order_in(*shop, "o-" + std::to_string(i)).status == order_status::confirmed);
  CHECK(shop->wait_settled(10'000));
  CHECK(shop->audit().findings.empty());
}

TEST_CASE("a hiccup of the provider is tried again, and no payment becomes unknown") {
  struct hiccups final : payment_gateway {
    std::mutex mutex;
    std::map<std::string, int> seen;
    void submit(const payment_call& call, answer_callback reply) override {
      {
        const std::lock_guard lock{mutex};
        if (seen[call.idempotency_key]++ == 0)
          throw std::runtime_error("no connection");
      }
      reply({payment_answer_kind::succeeded, {}, "ref"});
    }
  };
  const auto provider = std::make_shared<hiccups>();
  engine_options options;
  options.provider = provider;
  const auto shop = engine::start(options);
  shop->submit(receive("mug", 5)).get();

  CHECK(shop->submit(order_of("o-1", "mug", 1)).get().result == outcome::accepted);

  CHECK(order_in(*shop, "o-1").status == order_status::confirmed);
  CHECK(shop->figures().payment_retries == 2);
  const std::lock_guard lock{provider->mutex};
  CHECK(provider->seen == std::map<std::string, int>{{"o-1:authorize-1", 2}, {"o-1:capture-1", 2}});
}

namespace {

/// Notes who calls, and how many do at once.
class noting_bank final : public payment_gateway {
public:
  explicit noting_bank(bool prompt) : prompt_(prompt) {}

  void submit(const payment_call& call, answer_callback reply) override {
    most_at_once = std::max<int>(most_at_once, ++at_once_);
    ++calls;
    if (std::this_thread::get_id() == letting)
      ++by_who_lets;
    if (call.idempotency_key == "blocks") {
      blocked = true;
      opened.get_future().wait();
    }
    if (call.idempotency_key.starts_with("slow"))
      for (int i = 0; i < 20; ++i)
        std::this_thread::yield(); // the other thread finds us at it
    if (call.idempotency_key != "silent")
      reply({payment_answer_kind::succeeded, {}, "ref"});
    --at_once_;
  }

  bool prompt() const noexcept override { return prompt_; }

  const std::thread::id letting = std::this_thread::get_id();
  std::atomic<std::size_t> calls{0};
  std::atomic<std::size_t> by_who_lets{0};
  std::atomic<int> most_at_once{0};
  std::atomic<bool> blocked{false}; ///< in the call named so
  std::promise<void> opened;

private:
  bool prompt_;
  std::atomic<int> at_once_{0};
};

/// A desk in the machine's time whose calls the test lets go.
struct held_desk {
  explicit held_desk(bool prompt) : provider(std::make_shared<noting_bank>(prompt)) {
    payment_desk::options how;
    how.provider.deadline_ms = 20;
    how.at_once_if_prompt = true;
    desk.emplace(provider, to, time, std::move(how));
  }

  void submit(const std::string& key) {
    call_provider call;
    call.call.idempotency_key = key;
    desk->submit({entity_kind::payment, key}, call, time.now());
  }

  std::size_t replies() {
    auto found = to.inbox(0).take();
    while (const auto reply = found.pop_front())
      ++replies_;
    return replies_;
  }

  void wait_replies(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (replies() < count && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    CHECK(replies() == count);
  }

  system_clock time;
  router to{1};
  std::shared_ptr<noting_bank> provider;
  std::optional<payment_desk> desk;

private:
  std::size_t replies_ = 0;
};

} // namespace

TEST_CASE("a prompt provider is called by who lets calls go, any other by the desk's thread") {
  for (const bool prompt : {true, false}) {
    CAPTURE(prompt);
    held_desk bench{prompt};
    bench.desk->hold();
    for (int i = 0; i < 10; ++i)
      bench.submit("k-" + std::to_string(i));
    bench.desk->let_go();
    if (prompt)
      CHECK(bench.replies() == 10); // already
    bench.wait_replies(10);
    CHECK(bench.provider->by_who_lets == (prompt ? 10U : 0U));
  }
}

TEST_CASE("D3: a prompt provider that says nothing is given its deadline by the desk's thread") {
  held_desk bench{true};
  bench.desk->hold();
  bench.submit("silent");
  bench.desk->let_go();
  CHECK(bench.provider->by_who_lets == 1U);
  CHECK(bench.replies() == 0);
  bench.wait_replies(1); // unknown
}

TEST_CASE(
  "who lets calls go leaves them to the desk's thread while that one is with the provider") {
  held_desk bench{true};
  bench.submit("blocks"); // not held: the desk's thread makes it
  while (!bench.provider->blocked)
    std::this_thread::yield();
  bench.desk->hold();
  bench.submit("k");
  bench.desk->let_go();
  CHECK(bench.provider->calls == 1U);
  bench.provider->opened.set_value();
  bench.wait_replies(2);
  CHECK(bench.provider->by_who_lets == 0U);
  CHECK(bench.provider->most_at_once == 1);
}

TEST_CASE("a prompt provider is called by one thread at a time, whoever lets go and submits") {
  held_desk bench{true};
  constexpr std::size_t each = 2'000;
  std::thread other{[&] { // not held: the desk's thread makes these
    for (std::size_t i = 0; i < each; ++i)
      bench.submit("slow-" + std::to_string(i));
  }};
  for (std::size_t i = 0; i < each; ++i) {
    bench.desk->hold();
    bench.submit("b-" + std::to_string(i));
    bench.desk->let_go();
    for (int pause = 0; pause < 20; ++pause)
      std::this_thread::yield();
  }
  other.join();
  bench.wait_replies(2 * each);
  CHECK(bench.provider->calls == 2 * each);
  CHECK(bench.provider->most_at_once == 1);
}
