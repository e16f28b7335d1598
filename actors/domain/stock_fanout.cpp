#include "actors/domain/stock_fanout.hpp"

#include "actors/domain/effects.hpp"

#include <algorithm>

namespace purser {

namespace {

message_body request_for(const stock_request& request, std::vector<location_units> items,
                         std::uint64_t attempt) {
  switch (request.step) {
  case stock_step::hold:
    return hold_units{std::move(items), request.expires_at, attempt, request.queue};
  case stock_step::commit: return commit_units{attempt};
  case stock_step::release: return release_units{std::move(items), attempt, request.undo};
  case stock_step::ship: return ship_units{std::move(items), attempt};
  case stock_step::restock: return restock_units{std::move(items), attempt};
  case stock_step::book: return book_batch{std::move(items), attempt};
  }
  throw broken_invariant("there is no such step of stock");
}

} // namespace

stock_fanout stock_fanout::ask(const stock_request& request, std::vector<stock_demand> demands,
                               std::vector<effect>& effects, std::uint64_t attempt) {
  stock_fanout made;
  made.attempt_ = attempt;
  made.step_ = request.step;
  made.missing_ = demands.size();
  made.asked_.reserve(demands.size());
  effects.reserve(effects.size() + demands.size());
  for (auto& demand : demands) {
    tell(effects, entity_kind::stock, demand.sku,
         request_for(request, std::move(demand.items), attempt))
      .key = request.key;
    made.asked_.push_back({std::move(demand.sku)});
  }
  return made;
}

stock_fanout stock_fanout::release_granted(std::vector<effect>& effects, std::uint64_t attempt,
                                           bool undo) && {
  std::vector<stock_demand> granted;
  for (auto& [sku, answered] : asked_)
    if (answered == rejection::none)
      granted.push_back({std::move(sku), {}});
  return ask({.step = stock_step::release, .undo = undo}, std::move(granted), effects, attempt);
}

bool stock_fanout::note(const stock_reply& reply) {
  if (reply.step != step_ || reply.attempt != attempt_ || done())
    return false;
  const auto about = std::lower_bound(
    asked_.begin(), asked_.end(), reply.sku,
    [](const question& candidate, const std::string& sku) { return candidate.sku < sku; });
  if (about == asked_.end() || about->sku != reply.sku || about->answered)
    return false;
  about->answered = reply.refused;
  if (refused_ == rejection::none)
    refused_ = reply.refused;
  return --missing_ == 0;
}

bool stock_fanout::give_up(const std::string& sku, rejection why) {
  return note({step_, sku, why, attempt_});
}

std::vector<refused_sku> stock_fanout::refusals() const {
  std::vector<refused_sku> found;
  for (const auto& [sku, answered] : asked_)
    if (answered && *answered != rejection::none)
      found.push_back({sku, *answered});
  return found;
}

} // namespace purser
