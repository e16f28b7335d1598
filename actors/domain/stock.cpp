#include "actors/domain/stock.hpp"

#include <algorithm>

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

  void on(const book_receipt& request) {
    const auto& books = books_of(request.units.location);
    if (!checked_add(books.received, request.units.quantity) ||
        !checked_add(books.on_hand(), request.units.quantity))
      return booked(rejection::quantity_overflow);
    made_.events.emplace_back(stock_received{request.units});
    booked();
  }

  void on(const book_adjustment& request) {
    const auto& books = books_of(request.units.location);
    if (!checked_add(books.adjusted, request.units.quantity) ||
        !checked_add(books.on_hand(), request.units.quantity))
      return booked(rejection::quantity_overflow);
    if (free_at(request.units.location) + request.units.quantity < 0)
      return booked(rejection::below_promised);
    made_.events.emplace_back(stock_adjusted{request.units});
    booked();
  }

  void on(const hold_units& request) {
    if (live(context_.from) != nullptr)
      return reply(stock_step::hold, request.attempt); // a repeat: it holds already
    for (const auto& item : request.items)
      if (free_at(item.location) < item.quantity)
        return reply(stock_step::hold, request.attempt, rejection::out_of_stock);
    made_.events.emplace_back(units_held{context_.from, request.items, {request.expires_at}});
    reply(stock_step::hold, request.attempt);
  }

  void on(const commit_units& request) {
    const auto* reservation = live(context_.from);
    if (reservation == nullptr)
      return reply(stock_step::commit, request.attempt, rejection::reservation_expired);
    if (!reservation->committed)
      made_.events.emplace_back(units_committed{context_.from, left_of(*reservation)});
    reply(stock_step::commit, request.attempt);
  }

  void on(const release_units& request) {
    if (const auto* reservation = live(context_.from)) { // else: never held, or released before
      auto items = to_do(*reservation, request.items,
                         [](const reserved_units& item) { return item.released; });
      if (!items.empty())
        made_.events.emplace_back(units_released{context_.from, std::move(items)});
    }
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

  void booked(rejection refused = rejection::none) {
    made_.refused = refused; // noted under the document's key
    reply(stock_step::book, 0, refused);
  }

  void reply(stock_step step, std::uint64_t attempt, rejection refused = rejection::none) {
    made_.effects.emplace_back(
      send_message{context_.from, stock_reply{step, context_.self.key, refused, attempt}, {}});
  }

  const stock& current_;
  const decide_context& context_;
  decision<stock_event> made_;
};

/// Takes a reservation out of the books and hands it to the caller.
stock_reservation take(stock& current, const entity_ref& owner) {
  const auto found = current.reservations.find(owner);
  if (found == current.reservations.end())
    throw broken_invariant("K2: no reservation of " + to_string(owner));
  auto reservation = std::move(found->second);
  current.reservations.erase(found);
  if (!reservation.committed)
    current.expiries.erase({reservation.expires_at, owner});
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
    require_free(books);
  }

  void operator()(const units_held& event) const {
    for (const auto& item : event.items) {
      auto& books = current.locations[item.location];
      books.held += item.quantity;
      require_free(books);
    }
    const auto [at, fresh] = current.reservations.try_emplace(
      event.owner, stock_reservation{reserved(event.items), event.expires_at.ms});
    if (!fresh)
      throw broken_invariant("K5: " + to_string(event.owner) + " holds twice");
    if (event.expires_at.ms != 0)
      current.expiries.emplace(event.expires_at.ms, event.owner);
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
    current.expiries.erase({reservation.expires_at, event.owner});
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

std::vector<effect> answer_again(const message_body& request, rejection outcome,
                                 const decide_context& context) {
  stock_reply reply{stock_step::book, context.self.key, outcome};
  if (const auto* restock = std::get_if<restock_units>(&request)) {
    reply.step = stock_step::restock;
    reply.attempt = restock->attempt;
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
    if (books.held < 0 || books.committed < 0 || books.shipped < 0 || books.available() < 0)
      throw broken_invariant("K3: a negative quantity at " + location);
  }
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
