// One step over every SKU of an order or a reservation: who was asked, who has answered. It lives
// only as long as the actor: after a crash the step is asked again, under a new attempt, and only
// replies to that count. Messages of one sender to one receiver stay in order, so such a reply
// tells of everything that was asked before.
#pragma once

#include "actors/domain/messages.hpp"

#include <boost/describe.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace purser {

/// What one SKU has to give: one entry per location, summed (K6). No entry: all that is left.
struct stock_demand {
  std::string sku;
  std::vector<location_units> items;
};

/// A SKU that did not do what it was asked to.
struct refused_sku {
  std::string sku;
  rejection why = rejection::none;

  friend bool operator==(const refused_sku&, const refused_sku&) = default;
};
BOOST_DESCRIBE_STRUCT(refused_sku, (), (sku, why))

/// What every SKU is asked to do.
struct stock_request {
  stock_step step = stock_step::hold;
  unix_millis expires_at = 0; ///< of a hold; 0: never
  std::string key = {};       ///< of a restock and of a booking: makes it happen once
  bool queue = false;         ///< of a hold: where units are short, take a place in the queue
  bool undo = false;          ///< of a release: the places in the queues are kept
};

/// The lines ({sku, location, quantity}) by SKU and location.
template <class Line>
std::vector<const Line*> by_place(const std::vector<Line>& lines) {
  std::vector<const Line*> sorted;
  sorted.reserve(lines.size());
  for (const auto& line : lines)
    sorted.push_back(&line);
  std::sort(sorted.begin(), sorted.end(), [](const Line* a, const Line* b) {
    return std::tie(a->sku, a->location) < std::tie(b->sku, b->location);
  });
  return sorted;
}

/// Sums lines per SKU and location, sorted by both.
template <class Line>
std::vector<stock_demand> demands_of(const std::vector<Line>& lines) {
  std::vector<stock_demand> demands;
  demands.reserve(lines.size());
  for (const auto* line : by_place(lines)) {
    if (demands.empty() || demands.back().sku != line->sku)
      demands.push_back({line->sku, {}});
    auto& items = demands.back().items;
    if (items.empty() || items.back().location != line->location)
      items.push_back({line->location, 0});
    items.back().quantity += line->quantity;
  }
  return demands;
}

/// Every SKU of the lines, to be asked about all that is left.
template <class Line>
std::vector<stock_demand> everything_of(const std::vector<Line>& lines) {
  std::vector<stock_demand> demands;
  demands.reserve(lines.size());
  for (const auto* line : by_place(lines))
    if (demands.empty() || demands.back().sku != line->sku)
      demands.push_back({line->sku, {}});
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
    return !asked_.empty() && reply.step == step_ && reply.attempt == attempt_;
  }

  /// Notes an answer; one to another step or attempt, or a repeat, is ignored.
  /// @returns whether it was the last one missing.
  bool note(const stock_reply& reply);

  /// The same of a SKU that will not answer.
  bool give_up(const std::string& sku, rejection why);

  bool done() const noexcept { return missing_ == 0; }
  stock_step step() const noexcept { return step_; }

  /// The first refusal, or none.
  rejection refused() const noexcept { return refused_; }

  /// All of them, by SKU.
  std::vector<refused_sku> refusals() const;

private:
  struct question {
    std::string sku;
    std::optional<rejection> answered = {};
  };

  stock_step step_ = stock_step::hold;
  std::uint64_t attempt_ = 0;
  std::vector<question> asked_; // sorted by SKU
  std::size_t missing_ = 0;
  rejection refused_ = rejection::none;
};

} // namespace purser
