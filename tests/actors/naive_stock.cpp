// Stock: documents, reservations, holds and queues.
#include "tests/actors/naive_shop.hpp"

#include <algorithm>

namespace purser::tests {

namespace {

template <class Places>
auto place_of(Places& queue, const entity_ref& owner) {
  return std::find_if(queue.begin(), queue.end(),
                      [&](const auto& place) { return place.owner == owner; });
}

void leave(naive_sku& sku, const entity_ref& owner) {
  std::erase_if(sku.queue, [&](const auto& place) { return place.owner == owner; });
  if (sku.offered == owner)
    sku.offered.reset();
}

rejection resolved(reservation_status at) {
  return at == reservation_status::absent    ? rejection::reservation_unknown
         : at == reservation_status::expired ? rejection::reservation_expired
                                             : rejection::reservation_resolved;
}

} // namespace

// -- Commands -------------------------------------------------------------------------------------

rejection naive_shop::on(const std::string&, const receive_stock& command) {
  skus[command.sku].on_hand[command.location] += command.quantity;
  return rejection::none;
}

rejection naive_shop::on(const std::string&, const receive_batch& command) {
  for (const auto& line : command.lines)
    skus[line.sku].on_hand[line.location] += line.quantity;
  return rejection::none;
}

rejection naive_shop::on(const std::string&, const adjust_stock& command) {
  auto& sku = skus[command.sku];
  const auto& at = command.location;
  auto missing = -(available(command.sku, at) + command.delta);
  if (missing > 0 && command.delta < 0 && !command.force)
    return rejection::below_promised;
  sku.on_hand[at] += command.delta;
  std::vector<entity_ref> losers;
  for (auto hold = sku.holds.rbegin(); hold != sku.holds.rend() && missing > 0; ++hold)
    if (!hold->committed && hold->units.contains(at)) { // K10: the newest first
      missing -= hold->units.at(at);
      losers.push_back(hold->owner);
      if (place_of(sku.queue, hold->owner) == sku.queue.end())
        sku.queue.push_back({hold->owner, hold->units});
    }
  std::erase_if(sku.holds, [&](const auto& hold) {
    return !hold.committed && std::find(losers.begin(), losers.end(), hold.owner) != losers.end();
  });
  offer(command.sku);
  for (const auto& loser : losers)
    if (loser.kind == entity_kind::order) {
      lose_hold(loser.key);
    } else {
      auto& reservation = reservations.at(loser.key);
      reservation.status = reservation_status::backordered;
      pass(loser, sum_of(reservation.lines));
      try_again(loser.key);
    }
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const reserve_stock& command) {
  auto& reservation = reservations[id];
  reservation.lines = command.lines;
  reservation.expires_at = now + command.ttl_seconds * std::int64_t{1'000};
  reservation.status = hold({entity_kind::reservation, id}, sum_of(command.lines), false)
                         ? reservation_status::held
                         : reservation_status::rejected;
  return rejection::none;
}

rejection naive_shop::on(const std::string& id, const commit_reservation&) {
  auto& reservation = reservations[id];
  switch (reservation.status) {
  case reservation_status::held:
    reservation.status = reservation_status::committed;
    for (auto& [name, sku] : skus)
      for (auto& hold : sku.holds)
        hold.committed |= hold.owner == entity_ref{entity_kind::reservation, id};
    return rejection::none;
  case reservation_status::committed:
  case reservation_status::shipped: return rejection::none;
  case reservation_status::backordered: return rejection::out_of_stock;
  default: return resolved(reservation.status);
  }
}

rejection naive_shop::on(const std::string& id, const release_reservation&) {
  auto& reservation = reservations[id];
  switch (reservation.status) {
  case reservation_status::held:
  case reservation_status::committed:
  case reservation_status::backordered:
    reservation.status = reservation_status::released;
    release({entity_kind::reservation, id});
    return rejection::none;
  case reservation_status::released: return rejection::none;
  default: return resolved(reservation.status);
  }
}

rejection naive_shop::on(const std::string& id, const ship_reservation&) {
  auto& reservation = reservations[id];
  switch (reservation.status) {
  case reservation_status::committed:
    reservation.status = reservation_status::shipped;
    for (const auto& line : reservation.lines)
      skus[line.sku].on_hand[line.location] -= line.quantity;
    release({entity_kind::reservation, id});
    return rejection::none;
  case reservation_status::shipped: return rejection::none;
  case reservation_status::held:
  case reservation_status::backordered: return rejection::reservation_not_committed;
  default: return resolved(reservation.status);
  }
}

// -- Holds and queues -----------------------------------------------------------------------------

std::int64_t naive_shop::available(const std::string& sku, const std::string& location) const {
  const auto found = skus.find(sku);
  if (found == skus.end() || !found->second.on_hand.contains(location))
    return 0;
  auto units = found->second.on_hand.at(location);
  for (const auto& hold : found->second.holds)
    if (const auto at = hold.units.find(location); at != hold.units.end())
      units -= at->second;
  return units;
}

units_by_location naive_shop::reserved(const std::string& sku, bool committed) const {
  units_by_location sums;
  for (const auto& hold : skus.at(sku).holds)
    for (const auto& [location, units] : hold.units)
      sums[location] += hold.committed == committed ? units : 0;
  return sums;
}

/// Whether so many units are free for the taker: what is offered to another is not.
bool naive_shop::fits(const std::string& name, const units_by_location& units,
                      const entity_ref& taker) const {
  const auto& sku = skus.at(name);
  const auto offered =
    sku.offered && *sku.offered != taker ? place_of(sku.queue, *sku.offered) : sku.queue.end();
  return std::all_of(units.begin(), units.end(), [&](const auto& wanted) {
    auto free = available(name, wanted.first);
    if (offered != sku.queue.end() && offered->units.contains(wanted.first))
      free -= offered->units.at(wanted.first);
    return free >= wanted.second;
  });
}

/// K7: everything or nothing. What is short is waited for, if the owner waits at all.
bool naive_shop::hold(const entity_ref& owner, const units_by_sku& wanted, bool queue) {
  std::set<std::string> missing;
  for (const auto& [name, units] : wanted) {
    skus[name];
    if (!fits(name, units, owner))
      missing.insert(name);
  }
  for (const auto& [name, units] : wanted) {
    auto& sku = skus.at(name);
    if (missing.empty()) {
      sku.holds.push_back({owner, units});
      leave(sku, owner);
      continue;
    }
    const auto place = place_of(sku.queue, owner);
    if (!queue)
      leave(sku, owner);
    else if (place != sku.queue.end())
      place->live = missing.contains(name); // Q3
    else if (missing.contains(name))
      sku.queue.push_back({owner, units});
    if (sku.offered == owner)
      sku.offered.reset();
  }
  return missing.empty();
}

/// Lets everything go but the places in the queues; then others may be offered what is free.
void naive_shop::pass(const entity_ref& owner, const units_by_sku& wanted) {
  for (const auto& [name, units] : wanted) {
    auto& sku = skus.at(name);
    std::erase_if(sku.holds, [&](const auto& hold) { return hold.owner == owner; });
    if (const auto place = place_of(sku.queue, owner); place != sku.queue.end())
      place->live = false;
    if (sku.offered == owner)
      sku.offered.reset();
    offer(name);
  }
}

void naive_shop::release(const entity_ref& owner) {
  for (auto& [name, sku] : skus) {
    std::erase_if(sku.holds, [&](const auto& hold) { return hold.owner == owner; });
    leave(sku, owner);
  }
}

void naive_shop::take_out(const entity_ref& owner, const order_line& line, std::int64_t units) {
  auto& holds = skus.at(line.sku).holds;
  for (auto& hold : holds)
    if (hold.owner == owner && (hold.units.at(line.location) -= units) == 0)
      hold.units.erase(line.location);
  std::erase_if(holds, [](const auto& hold) { return hold.units.empty(); });
}

/// Q1, Q2. @returns whether somebody is offered something who was not before.
bool naive_shop::offer(const std::string& name) {
  auto& sku = skus.at(name);
  if (sku.offered)
    return false;
  for (const auto& place : sku.queue) {
    const bool holds = std::any_of(sku.holds.begin(), sku.holds.end(),
                                   [&](const auto& hold) { return hold.owner == place.owner; });
    if (!place.live || holds || !fits(name, place.units, place.owner))
      continue;
    sku.offered = place.owner;
    return true;
  }
  return false;
}

/// Who is offered something tries to get everything. @returns whether it could answer.
bool naive_shop::take_offer(naive_sku& sku) {
  if (!sku.offered)
    return false;
  const auto owner = *sku.offered;
  if (owner.kind == entity_kind::order) {
    if (orders.at(owner.key).lost)
      return false; // its money comes first
    if (orders.at(owner.key).phase == order_status::backordered)
      return reserve(owner.key), true;
  } else if (reservations.at(owner.key).status == reservation_status::backordered) {
    return try_again(owner.key), true;
  }
  return leave(sku, owner), true;
}

void naive_shop::try_again(const std::string& id) {
  auto& reservation = reservations.at(id);
  reservation.status = hold({entity_kind::reservation, id}, sum_of(reservation.lines), true)
                         ? reservation_status::held
                         : reservation_status::backordered;
}

bool naive_shop::serve_queues() {
  std::vector<std::string> names;
  for (const auto& [name, sku] : skus)
    names.push_back(name);
  if (mood.last_sku_first)
    std::reverse(names.begin(), names.end());
  if (mood.offers_first)
    for (const auto& name : names)
      offer(name);
  return std::any_of(names.begin(), names.end(), [this](const auto& name) {
    offer(name);
    return take_offer(skus.at(name));
  });
}

} // namespace purser::tests
