#include "actors/domain/stock.hpp"

#include "actors/domain/effects.hpp"

#include <algorithm>
#include <functional>
#include <span>

namespace purser {

namespace {

/// What is left of a reservation.
std::vector<location_units> left_of(const stock_reservation& reservation) {
  std::vector<location_units> left;
  for (const auto& item : reservation.items)
    if (item.left() > 0)
      left.push_back({item.location, item.left()});
  return left;
}

/// What is still to do of `wanted`, where `done` says how much of it was done at a location. Throws
/// broken_invariant when the reservation never had so much.
template <class Done>
std::vector<location_units> to_do(const stock_reservation& reservation,
                                  const std::vector<location_units>& wanted, Done done) {
  if (wanted.empty())
    return left_of(reservation);
  std::vector<location_units> rest;
  for (const auto& want : wanted) {
    const auto item =
      std::find_if(reservation.items.begin(), reservation.items.end(),
                   [&](const auto& candidate) { return candidate.location == want.location; });
    if (item == reservation.items.end() || want.quantity - done(*item) > item->left())
      throw broken_invariant("K8: more units at " + want.location + " than the reservation has");
    if (want.quantity > done(*item))
      rest.push_back({want.location, want.quantity - done(*item)});
  }
  return rest;
}

bool lapsed(const stock_reservation& hold, unix_millis now) {
  return !hold.committed && hold.expires_at != 0 && hold.expires_at <= now;
}

send_message offer_to(const entity_ref& owner, const std::string& sku) {
  return {owner, offer_units{sku}, {}};
}

/// The state as decide sees it: with due holds lapsed by the events gathered so far.
class stock_rules {
public:
  stock_rules(const stock& current, const decide_context& context)
      : current_(current), context_(context) {
    for (const auto& [expires_at, owner] : current.expiries) {
      if (expires_at > context.now)
        break;
      made_.events.emplace_back(
        hold_expired{owner, left_of(current.reservations.at(owner)), {expires_at}});
    }
  }

  decision<stock_event> take() && { return std::move(made_); }

  void on(const book_receipt& request) { receive({&request.units, 1}); }

  void on(const book_adjustment& request) {
    const auto& books = books_of(request.units.location);
    if (!checked_add(books.adjusted, request.units.quantity) ||
        !checked_add(books.on_hand(), request.units.quantity))
      return booked(rejection::quantity_overflow);
    const auto rest = free_at(request.units.location) + request.units.quantity;
    if (rest < 0 && request.units.quantity < 0 && !request.force)
      return booked(rejection::below_promised); // what was found is entered always (K10)
    made_.events.emplace_back(stock_adjusted{request.units, rest < 0});
    if (rest < 0)
      revoke_holds(request.units.location, -rest);
    booked();
  }

  void on(const book_batch& request) { receive(request.items, request.attempt); }

  void on(const hold_units& request) {
    if (live(context_.from) != nullptr)
      return reply(stock_step::hold, request.attempt); // a repeat: it holds already
    for (const auto& item : request.items)
      if (free_at(item.location) - set_aside_at(item.location) < item.quantity) {
        if (request.queue)
          queue_up(request);
        else
          leave(); // a forced count gave it a place, and it does not wait
        return reply(stock_step::hold, request.attempt, rejection::out_of_stock);
      }
    made_.events.emplace_back(units_held{context_.from, request.items, {request.expires_at}});
    reply(stock_step::hold, request.attempt);
  }

  void on(const commit_units& request) {
    const auto* reservation = live(context_.from);
    if (reservation == nullptr)
      return reply(stock_step::commit, request.attempt, rejection::reservation_expired);
    if (!reservation->committed)
      made_.events.emplace_back(units_committed{context_.from, left_of(*reservation)});
    leave();
    reply(stock_step::commit, request.attempt);
  }

  void on(const release_units& request) {
    if (const auto* reservation = live(context_.from)) { // else: never held, or released before
      auto items = to_do(*reservation, request.items,
                         [](const reserved_units& item) { return item.released; });
      if (!items.empty())
        made_.events.emplace_back(units_released{context_.from, std::move(items)});
    }
    if (request.undo)
      pass();
    else if (request.items.empty())
      leave();
    reply(stock_step::release, request.attempt);
  }

  void on(const ship_units& request) {
    if (const auto* reservation = live(context_.from)) { // else: shipped before
      if (!reservation->committed)
        throw broken_invariant("K5: units ship that are held and not committed, owner " +
                               to_string(context_.from));
      auto items =
        to_do(*reservation, request.items, [](const reserved_units& item) { return item.shipped; });
      if (!items.empty())
        made_.events.emplace_back(units_shipped{context_.from, std::move(items)});
    }
    reply(stock_step::ship, request.attempt);
  }

  void on(const restock_units& request) {
    made_.events.emplace_back(units_restocked{context_.from, request.items});
    reply(stock_step::restock, request.attempt);
  }

  void on(const leave_queue& request) {
    if (!request.holds || !is_revoked(context_.from)) // Q4: else it needs the place, and is told
      leave();
  }

  void on(const timer_due&) {} // the holds that are due have lapsed already

  void on(const resume_step&) {
    for (const auto& owner : current_.queue.revoked) // first: who believes to hold takes no offer
      made_.effects.emplace_back(send_message{owner, hold_lost{context_.self.key, true}, {}});
    if (const auto offered = current_.queue.places.find(current_.queue.offered);
        offered != current_.queue.places.end())
      made_.effects.emplace_back(offer_to(offered->second.owner, context_.self.key));
  }

  void on(const undeliverable&) { pass(); } // an offer that its owner could not take

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("stock was sent a message that is not for stock");
  }

private:
  const stock_reservation* live(const entity_ref& owner) const {
    const auto found = current_.reservations.find(owner);
    if (found == current_.reservations.end() || lapsed(found->second, context_.now))
      return nullptr;
    return &found->second;
  }

  const location_books& books_of(const std::string& location) const {
    static const location_books none;
    const auto found = current_.locations.find(location);
    return found == current_.locations.end() ? none : found->second;
  }

  std::int64_t free_at(const std::string& location) const {
    return available(current_, location, context_.now);
  }

  // -- The queue ----------------------------------------------------------------------------------

  /// What is offered to somebody else than the sender (Q2).
  std::int64_t set_aside_at(const std::string& location) const {
    const auto offered = current_.queue.places.find(current_.queue.offered);
    if (offered == current_.queue.places.end() || offered->second.owner == context_.from)
      return 0;
    std::int64_t units = 0;
    for (const auto& item : offered->second.items)
      if (item.location == location)
        units += item.quantity;
    return units;
  }

  const queue_place* place_of(const entity_ref& owner) const {
    const auto at = current_.queue.by_owner.find(owner);
    return at == current_.queue.by_owner.end() ? nullptr : &current_.queue.places.at(at->second);
  }

  bool is_offered(const entity_ref& owner) const {
    const auto at = current_.queue.by_owner.find(owner);
    return at != current_.queue.by_owner.end() && at->second == current_.queue.offered;
  }

  bool is_revoked(const entity_ref& owner) const {
    const auto& revoked = current_.queue.revoked;
    return std::find(revoked.begin(), revoked.end(), owner) != revoked.end();
  }

  void queue_up(const hold_units& request) {
    const auto* place = place_of(context_.from);
    if (place == nullptr)
      made_.events.emplace_back(
        backorder_queued{context_.from, request.items, {request.expires_at}});
    else if (!place->live || is_offered(context_.from) || is_revoked(context_.from))
      made_.events.emplace_back(backorder_missed{context_.from});
  }

  void pass() {
    const auto* place = place_of(context_.from);
    if (place != nullptr && (place->live || is_offered(context_.from) || is_revoked(context_.from)))
      made_.events.emplace_back(backorder_passed{context_.from});
  }

  void leave() {
    if (place_of(context_.from) != nullptr || is_revoked(context_.from))
      made_.events.emplace_back(backorder_left{context_.from});
  }

  /// K10: the newest holds at a location go back to the queue until so many units are free.
  void revoke_holds(const std::string& location, std::int64_t missing) {
    std::map<std::uint64_t, const entity_ref*, std::greater<>> newest;
    for (const auto& [owner, hold] : current_.reservations)
      if (!hold.committed && !lapsed(hold, context_.now) && units_at(hold, location) > 0)
        newest.emplace(hold.number, &owner);
    for (const auto& [number, owner] : newest) {
      if (missing <= 0)
        break;
      const auto& hold = current_.reservations.at(*owner);
      missing -= units_at(hold, location);
      if (place_of(*owner) == nullptr)
        made_.events.emplace_back(backorder_queued{*owner, left_of(hold), {hold.expires_at}});
      made_.events.emplace_back(hold_revoked{*owner, left_of(hold)});
      made_.effects.emplace_back(send_message{*owner, hold_lost{context_.self.key}, {}});
    }
    made_.effects.emplace_back(
      raise_alarm{"stock_oversold sku=" + context_.self.key + " location=" + location +
                  " missing=" + std::to_string(std::max<std::int64_t>(missing, 0))});
  }

  static std::int64_t units_at(const stock_reservation& hold, const std::string& location) {
    std::int64_t units = 0;
    for (const auto& item : hold.items)
      if (item.location == location)
        units += item.left();
    return units;
  }

  /// All or nothing; one entry per location.
  void receive(std::span<const location_units> items, std::uint64_t attempt = 0) {
    for (const auto& item : items) {
      const auto& books = books_of(item.location);
      if (!checked_add(books.received, item.quantity) ||
          !checked_add(books.on_hand(), item.quantity))
        return booked(rejection::quantity_overflow, attempt);
    }
    for (const auto& item : items)
      made_.events.emplace_back(stock_received{item});
    booked(rejection::none, attempt);
  }

  // -- Replies ------------------------------------------------------------------------------------

  void booked(rejection refused = rejection::none, std::uint64_t attempt = 0) {
    made_.refused = refused; // noted under the document's key
    reply(stock_step::book, attempt, refused);
  }

  void reply(stock_step step, std::uint64_t attempt, rejection refused = rejection::none) {
    tell(made_.effects, context_.from.kind, context_.from.key,
         stock_reply{step, context_.self.key, refused, attempt});
  }

  const stock& current_;
  const decide_context& context_;
  decision<stock_event> made_;
};

void forget_expiry(stock& current, const stock_reservation& reservation, const entity_ref& owner) {
  if (reservation.expires_at != 0)
    current.expiries.erase({reservation.expires_at, owner});
}

/// Takes a reservation out of the books and hands it to the caller.
stock_reservation take(stock& current, const entity_ref& owner) {
  const auto found = current.reservations.find(owner);
  if (found == current.reservations.end())
    throw broken_invariant("K2: no reservation of " + to_string(owner));
  auto reservation = std::move(found->second);
  current.reservations.erase(found);
  if (!reservation.committed)
    forget_expiry(current, reservation, owner);
  for (const auto& item : reservation.items) {
    auto& books = current.locations.at(item.location);
    (reservation.committed ? books.committed : books.held) -= item.left();
  }
  return reservation;
}

/// Takes some units out of a reservation: they count as `counter` of it. Forgets it when it is
/// empty.
void take(stock& current, const entity_ref& owner, const std::vector<location_units>& items,
          std::int64_t reserved_units::*counter) {
  const auto found = current.reservations.find(owner);
  if (found == current.reservations.end())
    throw broken_invariant("K2: no reservation of " + to_string(owner));
  auto& reservation = found->second;
  for (const auto& taken : items) {
    const auto item =
      std::find_if(reservation.items.begin(), reservation.items.end(),
                   [&](const auto& candidate) { return candidate.location == taken.location; });
    if (item == reservation.items.end() || taken.quantity > item->left())
      throw broken_invariant("K8: " + to_string(owner) + " has not so many units at " +
                             taken.location);
    (*item).*counter += taken.quantity;
    auto& books = current.locations.at(taken.location);
    (reservation.committed ? books.committed : books.held) -= taken.quantity;
  }
  if (left_of(reservation).empty())
    take(current, owner);
}

struct stock_evolution {
  stock& current;

  void operator()(const stock_received& event) const {
    current.locations[event.units.location].received += event.units.quantity;
  }

  void operator()(const stock_adjusted& event) const {
    auto& books = current.locations[event.units.location];
    books.adjusted += event.units.quantity;
    if (!event.forced && event.units.quantity < 0)
      require_free(books);
  }

  void operator()(const units_held& event) const {
    for (const auto& item : event.items) {
      auto& books = current.locations[item.location];
      books.held += item.quantity;
      require_free(books);
    }
    const auto [at, fresh] = current.reservations.try_emplace(
      event.owner,
      stock_reservation{reserved(event.items), event.expires_at.ms, false, ++current.holds});
    if (!fresh)
      throw broken_invariant("K5: " + to_string(event.owner) + " holds twice");
    if (event.expires_at.ms != 0)
      current.expiries.emplace(event.expires_at.ms, event.owner);
    has_acted(event.owner);
  }

  void operator()(const units_committed& event) const {
    auto& reservation = current.reservations.at(event.owner);
    if (reservation.committed)
      throw broken_invariant("K5: " + to_string(event.owner) + " commits twice");
    for (const auto& item : reservation.items) {
      auto& books = current.locations.at(item.location);
      books.held -= item.left();
      books.committed += item.left();
    }
    forget_expiry(current, reservation, event.owner);
    reservation.committed = true;
  }

  void operator()(const units_released& event) const {
    take(current, event.owner, event.items, &reserved_units::released);
  }

  void operator()(const units_shipped& event) const {
    take(current, event.owner, event.items, &reserved_units::shipped);
    for (const auto& item : event.items)
      current.locations.at(item.location).shipped += item.quantity;
  }

  void operator()(const units_restocked& event) const {
    for (const auto& item : event.items)
      current.locations[item.location].restocked += item.quantity;
  }

  void operator()(const hold_expired& event) const { take(current, event.owner); }
  void operator()(const hold_revoked& event) const {
    take(current, event.owner);
    current.queue.revoked.push_back(event.owner);
  }

  // -- The queue ----------------------------------------------------------------------------------

  void operator()(const backorder_queued& event) const {
    auto& queue = current.queue;
    if (!queue.by_owner.emplace(event.owner, queue.arrivals + 1).second)
      throw broken_invariant("Q1: " + to_string(event.owner) + " has two places");
    queue.places.emplace(++queue.arrivals,
                         queue_place{event.owner, event.items, event.expires_at.ms});
    has_acted(event.owner);
  }
  void operator()(const backorder_missed& event) const {
    const auto arrival = arrival_of(event.owner);
    current.queue.places.at(arrival).live = true;
    forget_offer(arrival);
    has_acted(event.owner);
  }
  void operator()(const backorder_offered& event) const {
    if (current.queue.offered != 0)
      throw broken_invariant("Q2: two offers at once");
    current.queue.offered = arrival_of(event.owner);
  }
  void operator()(const backorder_passed& event) const {
    const auto arrival = arrival_of(event.owner);
    current.queue.places.at(arrival).live = false;
    forget_offer(arrival);
    has_acted(event.owner);
  }
  void operator()(const backorder_left& event) const {
    if (has_acted(event.owner) && !current.queue.by_owner.contains(event.owner))
      return; // its place was gone before
    const auto arrival = arrival_of(event.owner);
    current.queue.places.erase(arrival);
    current.queue.by_owner.erase(event.owner);
    forget_offer(arrival);
  }

  std::uint64_t arrival_of(const entity_ref& owner) const {
    const auto found = current.queue.by_owner.find(owner);
    if (found == current.queue.by_owner.end())
      throw broken_invariant("Q1: " + to_string(owner) + " has no place");
    return found->second;
  }

  /// Q4. @returns whether that is news.
  bool has_acted(const entity_ref& owner) const {
    return std::erase(current.queue.revoked, owner) > 0;
  }

  void forget_offer(std::uint64_t arrival) const {
    if (current.queue.offered == arrival)
      current.queue.offered = 0;
  }

  static std::vector<reserved_units> reserved(const std::vector<location_units>& items) {
    std::vector<reserved_units> all;
    all.reserve(items.size());
    for (const auto& item : items)
      all.push_back({item.location, item.quantity});
    return all;
  }

  static void require_free(const location_books& books) {
    if (books.available() < 0)
      throw broken_invariant("K3: available would be " + std::to_string(books.available()));
  }
};

} // namespace

decision<stock_event> decide(const stock& current, const message_body& request,
                             const decide_context& context) {
  stock_rules rules{current, context};
  std::visit([&rules](const auto& body) { rules.on(body); }, request);
  return std::move(rules).take();
}

decision<stock_event> offer_next(const stock& current, const decide_context& context) {
  decision<stock_event> made;
  const auto& queue = current.queue;
  if (queue.places.empty() || queue.offered != 0)
    return made;
  const auto fits = [&](const queue_place& place) {
    return std::all_of(place.items.begin(), place.items.end(), [&](const auto& item) {
      return available(current, item.location, context.now) >= item.quantity;
    });
  };
  for (const auto& [arrival, place] : queue.places) {
    if (place.lapsed(context.now)) {
      made.events.emplace_back(backorder_left{place.owner});
      continue;
    }
    if (!place.live || current.reservations.contains(place.owner) || !fits(place))
      continue;
    made.events.emplace_back(backorder_offered{place.owner});
    made.effects.emplace_back(offer_to(place.owner, context.self.key));
    break;
  }
  return made;
}

std::optional<unix_millis> due(const stock& current) {
  if (current.expiries.empty())
    return std::nullopt;
  return current.expiries.begin()->first;
}

bool must_resume(const stock& current) {
  return current.queue.offered != 0 || !current.queue.revoked.empty();
}

std::vector<effect> answer_again(const message_body& request, rejection outcome,
                                 const decide_context& context) {
  stock_reply reply{stock_step::book, context.self.key, outcome};
  if (const auto* restock = std::get_if<restock_units>(&request)) {
    reply.step = stock_step::restock;
    reply.attempt = restock->attempt;
  } else if (const auto* batch = std::get_if<book_batch>(&request)) {
    reply.attempt = batch->attempt;
  }
  return {send_message{context.from, std::move(reply), {}}};
}

void evolve(stock& current, const stock_event& event) {
  std::visit(stock_evolution{current}, event);
}

void check_invariants(const stock& current) {
  std::map<std::string, location_books> sums;
  for (const auto& [owner, reservation] : current.reservations)
    for (const auto& item : reservation.items)
      (reservation.committed ? sums[item.location].committed : sums[item.location].held) +=
        item.left();
  for (const auto& [location, books] : current.locations) {
    const auto& sum = sums[location];
    if (sum.held != books.held || sum.committed != books.committed)
      throw broken_invariant("K2: held or committed at " + location +
                             " is not the sum over reservations");
    if (books.held < 0 || books.committed < 0 || books.shipped < 0)
      throw broken_invariant("K3: a negative quantity at " + location);
  }
}

bool is_oversold(const stock& current) {
  return std::any_of(current.locations.begin(), current.locations.end(),
                     [](const auto& entry) { return entry.second.available() < 0; });
}

std::int64_t available(const stock& current, const std::string& location, unix_millis now) {
  const auto books = current.locations.find(location);
  if (books == current.locations.end())
    return 0;
  auto units = books->second.available();
  for (const auto& [expires_at, owner] : current.expiries) {
    if (expires_at > now)
      break;
    for (const auto& item : current.reservations.at(owner).items)
      if (item.location == location)
        units += item.left();
  }
  return units;
}

} // namespace purser
