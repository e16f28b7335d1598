#include "actors/domain/stock_fanout.hpp"

#include <algorithm>

namespace purser {

namespace {

message_body request_for(const stock_request& request, const stock_demand& demand,
                         std::uint64_t attempt) {
  switch (request.step) {
  case stock_step::hold:
    return hold_units{demand.items, request.expires_at, attempt, request.queue};
  case stock_step::commit: return commit_units{attempt};
  case stock_step::release: return release_units{demand.items, attempt, request.undo};
  case stock_step::ship: return ship_units{demand.items, attempt};
  case stock_step::restock: return restock_units{demand.items, attempt};
  case stock_step::book: break;
  }
  throw broken_invariant("a reservation does not book stock");
}

} // namespace

stock_fanout stock_fanout::ask(const stock_request& request, std::vector<stock_demand> demands,
                               std::vector<effect>& effects, std::uint64_t attempt) {
  stock_fanout made;
  made.attempt_ = attempt;
  made.step_ = request.step;
  made.missing_ = demands.size();
  made.answers_.assign(demands.size(), answer::missing);
  for (const auto& demand : demands)
    effects.emplace_back(send_message{
      {entity_kind::stock, demand.sku}, request_for(request, demand, attempt), request.key});
  made.demands_ = std::move(demands);
  return made;
}

stock_fanout stock_fanout::release_granted(std::vector<effect>& effects, std::uint64_t attempt,
                                           bool undo) && {
  std::vector<stock_demand> granted;
  for (std::size_t i = 0; i < demands_.size(); ++i)
    if (answers_[i] == answer::granted)
      granted.push_back({std::move(demands_[i].sku), {}});
  return ask({.step = stock_step::release, .undo = undo}, std::move(granted), effects, attempt);
}

bool stock_fanout::note(const stock_reply& reply) {
  if (reply.step != step_ || reply.attempt != attempt_ || done())
    return false;
  const auto demand = std::lower_bound(
    demands_.begin(), demands_.end(), reply.sku,
    [](const stock_demand& candidate, const std::string& sku) { return candidate.sku < sku; });
  if (demand == demands_.end() || demand->sku != reply.sku)
    return false;
  auto& noted = answers_[static_cast<std::size_t>(demand - demands_.begin())];
  if (noted != answer::missing)
    return false;
  noted = reply.refused == rejection::none ? answer::granted : answer::refused;
  if (refused_ == rejection::none)
    refused_ = reply.refused;
  return --missing_ == 0;
}

} // namespace purser
