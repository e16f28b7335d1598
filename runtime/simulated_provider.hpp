// The payment provider that is there when the host brings none. It behaves as badly as it is told:
// by token, by rule (scenarios), by chance (settings provider.*); and it carries out each key once.
#pragma once

#include "actors/ports/payment_gateway.hpp"
#include "runtime/provider_moods.hpp"

#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace purser {

/// Tokens of an authorization or a sale: none, `tok_ok` and unknown ones are approved;
/// `tok_decline`, `tok_timeout`, `tok_timeout_after`, `tok_unknown`, `tok_late`, `tok_twice`,
/// `tok_action` do what they say. Thread-safe.
class simulated_provider final : public payment_gateway {
public:
  /// Throws std::runtime_error when the list cannot be opened or read.
  explicit simulated_provider(provider_options options = {});

  void submit(const payment_call& call, answer_callback answer) override;

  /// Unless it writes its list.
  bool prompt() const noexcept override { return !options_.list; }

  bool takes_sales() const noexcept override { return options_.sales; }

  /// How time is measured and waited for; the engine's. Called at each of its starts.
  void use_time(std::function<std::int64_t()> now_ms,
                std::function<void(std::int64_t delay_ms, std::function<void()>)> later);

  void add_rule(provider_rule rule);

  /// The customer of an order's action_required payment does what is asked.
  void act(const std::string& order_id);

  /// What was unknown is told from now on.
  void confess();

private:
  struct record {
    payment_answer_kind outcome = payment_answer_kind::succeeded;
    provider_mood mood = provider_mood::approve;
    std::int64_t ready_at_ms = 0; ///< of a late one
    bool asked = false;           ///< an answer was owed once already
  };

  /// What a call meets: an answer at once, an operation whose answer is owed, or silence.
  struct contact {
    std::optional<payment_answer_kind> said;
    record* owed = nullptr;
  };

  contact meet(const payment_call& call, std::int64_t now);
  void tell(const payment_call& call, record& owed, std::int64_t now,
            std::unique_lock<std::mutex>& lock, answer_callback answer);
  provider_mood mood_of(const payment_call& call);
  provider_mood by_chance(const payment_call& call) const;
  static bool is_hopeless(const payment_call& call);
  static payment_answer_kind outcome_of(const payment_call& call, provider_mood mood);
  void remember(const payment_call& call, const record& made);
  void load_list();

  provider_options options_;
  std::mutex mutex_;
  std::function<std::int64_t()> now_ms_;
  std::function<void(std::int64_t, std::function<void()>)> later_;
  std::vector<provider_rule> rules_;
  std::map<std::string, record> records_; ///< by key; with a list all, else those that misbehave
  std::set<std::string> acted_;           ///< orders
  std::set<std::string> timed_out_;       ///< keys
  bool confessed_ = false;
  std::ofstream list_;
};

} // namespace purser
