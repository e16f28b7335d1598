// One step over every SKU of an order or a reservation: who was asked, who has answered. It lives
// only as long as the actor: after a crash the step is asked again, under a new attempt, and only
// replies to that count. Messages of one sender to one receiver stay in order, so such a reply
// tells of everything that was asked before.
#pragma once

#include "actors/domain/messages.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace purser {

/// What one SKU has to give: one entry per location, summed (K6). No entry: all that is left.
struct stock_demand {
  std::string sku;
  std::vector<location_units> items;
};

/// What every SKU is asked to do.
struct stock_request {
  stock_step step = stock_step::hold;
  unix_millis expires_at = 0; ///< of a hold; 0: never
  std::string key = {};       ///< of a restock: makes it happen once
  bool queue = false;         ///< of a hold: where units are short, take a place in the queue
  bool undo = false;          ///< of a release: the places in the queues are kept
};

/// Sums lines ({sku, location, quantity}) per SKU and location, sorted by SKU.
template <class Lines>
std::vector<stock_demand> demands_of(const Lines& lines) {
  std::map<std::string, std::map<std::string, std::int64_t>> sums;
  for (const auto& line : lines)
    sums[line.sku][line.location] += line.quantity;
  std::vector<stock_demand> demands;
  demands.reserve(sums.size());
  for (auto& [sku, locations] : sums) {
    stock_demand demand{sku, {}};
    for (auto& [location, quantity] : locations)
      demand.items.push_back({location, quantity});
    demands.push_back(std::move(demand));
  }
  return demands;
}

/// Every SKU of the lines, to be asked about all that is left.
template <class Lines>
std::vector<stock_demand> everything_of(const Lines& lines) {
  auto demands = demands_of(lines);
  for (auto& demand : demands)
    demand.items.clear();
  return demands;
}

class stock_fanout {
public:
  /// Asks every SKU. `attempt` is one that was never used before (decide_context).
  static stock_fanout ask(const stock_request& request, std::vector<stock_demand> demands,
                          std::vector<effect>& effects, std::uint64_t attempt);

  /// Asks those that granted the step before to release; `undo`: places in queues are kept.
  /// @returns a fanout that is done when none did.
  stock_fanout release_granted(std::vector<effect>& effects, std::uint64_t attempt, bool undo) &&;

  /// Whether a reply is to this asking.
  bool asked(const stock_reply& reply) const noexcept {
    return !demands_.empty() && reply.step == step_ && reply.attempt == attempt_;
  }

  /// Notes an answer; one to another step or attempt, or a repeat, is ignored.
  /// @returns whether it was the last one missing.
  bool note(const stock_reply& reply);

  bool done() const noexcept { return missing_ == 0; }
  stock_step step() const noexcept { return step_; }

  /// The first refusal, or none.
  rejection refused() const noexcept { return refused_; }

private:
  enum class answer : std::uint8_t { missing, granted, refused };

  stock_step step_ = stock_step::hold;
  std::uint64_t attempt_ = 0;
  std::vector<stock_demand> demands_;
  std::vector<answer> answers_;
  std::size_t missing_ = 0;
  rejection refused_ = rejection::none;
};

} // namespace purser
