// The payment provider of a simulated run: as bad as providers are, but it carries out each key at
// most once and says the same of it for ever (domain.md, I4). Its books are what purser's are
// compared with.
#pragma once

#include "actors/domain/payment_call.hpp"
#include "runtime/simulation/dice.hpp"
#include "runtime/simulation/faults.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace purser::simulation {

class simulated_bank {
public:
  /// An answer, so many milliseconds after the call.
  struct reply {
    payment_answer answer;
    std::int64_t after_ms = 0;
  };

  /// `hit` is told of every fault that takes place.
  simulated_bank(dice& chance, fault_set faults, std::function<void(fault)> hit)
      : chance_(chance), faults_(std::move(faults)), hit_(std::move(hit)) {}

  /// None, one or two answers; none means that a deadline passes.
  std::vector<reply> submit(const payment_call& call);

  /// From now on it behaves, and tells everything.
  void heal() { healed_ = true; }

  /// Money of an order that moved. What expired counts as voided, a sale as an authorization and a
  /// capture.
  minor_units moved(const std::string& order_id, operation_kind kind) const;
  /// What an order that was sold had got back, all that it was charged, when it began to pay anew.
  minor_units given_back(const std::string& order_id) const;
  std::uint64_t sales() const { return sales_; } ///< that took effect
  minor_units open_authorization(const std::string& order_id) const;
  /// Whether an operation has taken effect. For an operator's findings.
  bool took_effect(const std::string& key) const;

private:
  enum class mood : std::uint8_t { plain, silent, forgets, late, doubles, unsure, asks };
  struct record {
    payment_answer_kind outcome = payment_answer_kind::succeeded;
    mood how = mood::plain;
    bool answered = false;
  };

  bool strikes(fault what, std::size_t once_in);
  mood mood_of(const payment_call& call);
  payment_answer_kind carry_out(const payment_call& call);
  void move(const payment_call& call);
  std::optional<std::vector<reply>> put_off(const payment_call& call, mood& how);
  static std::vector<reply> say(payment_answer_kind what);

  dice& chance_;
  fault_set faults_;
  std::function<void(fault)> hit_;
  std::map<std::string, record> records_; ///< by key: what took effect, or never will
  std::map<std::string, mood> moods_;     ///< of keys that have not taken effect
  std::map<std::string, int> asked_;      ///< of keys whose customer has to act
  std::map<std::string, int> refusals_;   ///< of reversals, by order
  std::map<std::pair<std::string, operation_kind>, minor_units> moved_;
  std::map<std::string, minor_units> given_back_;
  std::uint64_t sales_ = 0;
  bool healed_ = false;
};

} // namespace purser::simulation
