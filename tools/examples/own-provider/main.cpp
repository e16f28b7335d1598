// A payment provider of your own: a bank that answers late on its own thread, declines, and once
// does not answer at all. purser then asks with the same idempotency key, and the bank, which keeps
// a book by key, moves the money once.
#include <purser/purser.hpp>

#include <condition_variable>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

namespace {

const char* name_of(purser::operation_kind kind) {
  switch (kind) {
  case purser::operation_kind::authorize: return "authorize";
  case purser::operation_kind::capture: return "capture";
  case purser::operation_kind::void_authorization: return "void";
  case purser::operation_kind::refund: return "refund";
  case purser::operation_kind::sale: return "sale";
  }
  return "unknown";
}

class bank final : public purser::payment_gateway {
public:
  bank() : thread_([this] { run(); }) {}
  ~bank() override {
    {
      const std::lock_guard lock{mutex_};
      closing_ = true;
      changed_.notify_one();
    }
    thread_.join();
  }

  // Called on purser's payment thread, one call at a time: put it in the queue and return at once.
  void submit(const purser::payment_call& call, answer_callback answer) override {
    const std::lock_guard lock{mutex_};
    waiting_.push_back({call, std::move(answer)});
    changed_.notify_one();
  }

  purser::minor_units balance() const {
    const std::lock_guard lock{mutex_};
    return balance_;
  }

private:
  struct request {
    purser::payment_call call;
    answer_callback answer;
  };

  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_)
        return;
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      const auto result = look_up_or_carry_out(next.call);
      // The first capture is carried out, and its answer gets lost on the way.
      const bool lost =
        next.call.kind == purser::operation_kind::capture && !std::exchange(lost_one_, true);
      std::ostringstream line;
      line << "bank: " << (next.call.ask_only ? "asked about " : name_of(next.call.kind))
           << (next.call.ask_only ? "" : " ") << next.call.idempotency_key << ' '
           << next.call.amount << ' ' << next.call.currency << ": " << word_for(result)
           << (lost ? " (the answer gets lost)" : "") << '\n';
      std::cout << line.str() << std::flush;
      if (lost)
        continue;
      lock.unlock(); // purser may take its time
      next.answer(result);
      lock.lock();
    }
  }

  /// Each key takes effect at most once, and is answered the same for ever. A real bank keeps this
  /// book on its disk.
  purser::payment_answer look_up_or_carry_out(const purser::payment_call& call) {
    if (const auto known = book_.find(call.idempotency_key); known != book_.end())
      return known->second;
    if (call.ask_only) // not carried out: purser decides whether to send it again, with this key
      return {purser::payment_answer_kind::never_seen, {}, {}};
    purser::payment_answer result{
      purser::payment_answer_kind::succeeded, {}, "bank-" + std::to_string(book_.size())};
    if (call.kind == purser::operation_kind::authorize && call.amount > 10'000)
      result = {
        purser::payment_answer_kind::refused, "over the limit", {}}; // refused: no money has moved
    else if (call.kind == purser::operation_kind::capture)
      balance_ += call.amount;
    else if (call.kind == purser::operation_kind::refund)
      balance_ -= call.amount;
    return book_[call.idempotency_key] = result;
  }

  static std::string word_for(const purser::payment_answer& result) {
    switch (result.kind) {
    case purser::payment_answer_kind::succeeded: return "done, " + result.reference;
    case purser::payment_answer_kind::refused: return "refused, " + result.reason;
    case purser::payment_answer_kind::never_seen: return "never seen";
    default: return "unknown";
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<request> waiting_;
  std::map<std::string, purser::payment_answer> book_;
  purser::minor_units balance_ = 0;
  bool lost_one_ = false;
  bool closing_ = false;
  std::thread thread_;
};

purser::command receive_mugs() {
  purser::receive_stock goods;
  goods.receipt_id = "r-1";
  goods.sku = "mug";
  goods.quantity = 100;
  return {.command_id = {}, .at = {}, .body = goods};
}

purser::command order(const std::string& id, std::uint32_t mugs) {
  purser::order_line line;
  line.sku = "mug";
  line.quantity = mugs;
  line.unit_price = 750;
  purser::place_order placed;
  placed.order_id = id;
  placed.customer_id = "ada";
  placed.currency = "EUR";
  placed.lines = {line};
  placed.payment.method = "account";
  return {.command_id = {}, .at = {}, .body = placed};
}

} // namespace

int main() {
  const auto provider = std::make_shared<bank>();
  purser::engine_options options; // without a data_dir: in memory
  options.provider = provider;
  options.payment_deadline_ms = 300; // how long an answer may take before it counts as unknown
  options.shop.payments.ask_again_ms = 10;
  const auto shop = purser::engine::start(options);
  shop->submit(receive_mugs()).get();

  purser::minor_units captured = 0;
  for (const auto& [id, mugs] : {std::pair{"o-1", 2U}, {"o-2", 20U}, {"o-3", 1U}}) {
    shop->submit(order(id, mugs)).get();
    const auto found = shop->query({purser::entity_kind::order, id}).get();
    const auto& view = std::get<purser::order_view>(found.view);
    captured += view.captured;
    std::cout << "order " << id << ": " << to_string(view.status) << ' ' << view.reason.value_or("")
              << '\n';
  }
  shop->stop();

  std::cout << "the bank holds " << provider->balance() << ", the orders say " << captured << '\n';
  return provider->balance() == captured ? 0 : 1;
}
