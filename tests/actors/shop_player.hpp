// Chooses what to do next: at random, and so that what is interesting happens often.
#pragma once

#include "tests/actors/shop_duel.hpp"

#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace purser::tests {

/// How providers behave (moody_provider), the ones that behave well more often.
inline constexpr std::array tokens{"tok_ok",         "tok_ok",      "tok_ok",
                                   "tok_ok",         "tok_decline", "tok_late",
                                   "tok_twice",      "tok_timeout", "tok_timeout_after",
                                   "tok_unknown",    "tok_action",  "tok_action",
                                   "tok_no_capture", "tok_expires"};

/// Picks moves that the model's state makes interesting.
class player {
public:
  player(std::uint32_t seed, bool crashes) : random_(seed), crashes_(crashes) {}

  move next(const naive_shop& shop);

private:
  std::uint32_t any_of(std::size_t size) { return static_cast<std::uint32_t>(random_() % size); }
  bool one_in(std::uint32_t times) { return any_of(times) == 0; }
  template <class Choices>
  auto one_of(const Choices& choices) {
    return choices.at(any_of(choices.size()));
  }
  std::string small_id() { return std::to_string(1 + any_of(8)); }

  move command(entity_kind kind, const std::string& id, std::string key, command_body body);
  move command(const std::string& order, command_body body);
  move about_an_order(const naive_shop& shop);
  move about_a_reservation(const naive_shop& shop);
  move about_stock(const naive_shop& shop);
  move about_the_world(const naive_shop& shop);
  std::optional<move> about_unfinished_money(const naive_shop& shop);
  std::optional<move> about_a_late_success(const naive_shop& shop);
  move received(const std::string& location, const std::string& sku);
  move placed(const naive_shop& shop);
  move shipped(const naive_shop& shop);
  move returned(const naive_shop& shop);
  move canceled(const naive_shop& shop);
  move resolved(const naive_shop& shop);
  template <class Like>
  std::string order_like(const naive_shop& shop, Like like);
  std::vector<line_quantity> part_of(const naive_shop& shop, const std::string& order);

  std::mt19937 random_;
  bool crashes_;
  int made_ = 0;
  std::vector<move> made_before_;
};

} // namespace purser::tests
