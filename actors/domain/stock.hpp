// Stock of one SKU at all its locations: the only writer of its quantities (domain.md, "Stock").
//
//   free --hold--> held --commit--> committed --ship--> shipped
//    ^              |                   |
//    +---release----+------release------+          (a hold with an expiry also lapses by itself)
//
// K1 on_hand = received + restocked + adjusted - shipped    K2 held, committed = the sums over
// reservations K3 available = on_hand - held - committed >= 0    K5 a unit is in exactly one place
// K10 only a forced adjustment makes available negative: the newest holds go first, and their
// owners are in the queue again
//
// The queue (backorders): Q1 places are tried in order of arrival; one whose demand does not fit,
// or whose owner found another SKU short, is passed over and keeps its place. Q2 one place at a
// time is offered its units; they are set aside until its owner holds or refuses them. Q3 a place
// is `live` when its owner was refused here last: then this SKU owes it an offer. Q4 who lost a
// hold is told so again after a restart, until its next message shows that it knows.
#pragma once

#include "actors/domain/messages.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

/// The books of one location. Cumulative: received, adjusted (net), shipped, restocked. Now: held,
/// committed.
struct location_books {
  std::int64_t received = 0;
  std::int64_t adjusted = 0;
  std::int64_t shipped = 0;
  std::int64_t restocked = 0; ///< returned, and on sale again
  std::int64_t held = 0;
  std::int64_t committed = 0;

  std::int64_t on_hand() const noexcept { return received + restocked + adjusted - shipped; }
  std::int64_t available() const noexcept { return on_hand() - held - committed; }
  friend bool operator==(const location_books&, const location_books&) = default;
};
BOOST_DESCRIBE_STRUCT(location_books, (), (received, adjusted, shipped, restocked, held, committed))

/// Units that a reservation has at one location.
struct reserved_units {
  std::string location;
  std::int64_t quantity = 0; ///< as held
  std::int64_t shipped = 0;
  std::int64_t released = 0;

  std::int64_t left() const noexcept { return quantity - shipped - released; }
  friend bool operator==(const reserved_units&, const reserved_units&) = default;
};
BOOST_DESCRIBE_STRUCT(reserved_units, (), (location, quantity, shipped, released))

/// A live reservation's share of this SKU. It is forgotten once all of it is released or shipped.
struct stock_reservation {
  std::vector<reserved_units> items;
  unix_millis expires_at = 0; ///< 0: never
  bool committed = false;
  std::uint64_t number = 0; ///< holds of the SKU are counted: the newest has the largest

  friend bool operator==(const stock_reservation&, const stock_reservation&) = default;
};
BOOST_DESCRIBE_STRUCT(stock_reservation, (), (items, expires_at, committed, number))

/// A place in the queue.
struct queue_place {
  entity_ref owner;
  std::vector<location_units> items; ///< what it needs, all or nothing
  unix_millis expires_at = 0;        ///< then the owner has stopped waiting; 0: never
  bool live = true;                  ///< Q3

  bool lapsed(unix_millis now) const noexcept { return expires_at != 0 && expires_at <= now; }

  friend bool operator==(const queue_place&, const queue_place&) = default;
};
BOOST_DESCRIBE_STRUCT(queue_place, (), (owner, items, expires_at, live))

struct stock_queue {
  std::map<std::uint64_t, queue_place> places; ///< by arrival: 1, 2, 3...
  std::uint64_t arrivals = 0;                  ///< so far
  std::uint64_t offered = 0;                   ///< the arrival of the place of Q2; 0: none
  std::vector<entity_ref> revoked; ///< who lost a hold (K10) and has not acted on it: Q4
  std::unordered_map<entity_ref, std::uint64_t, entity_ref_hash> by_owner; ///< Derived.

  friend bool operator==(const stock_queue&, const stock_queue&) = default;
};
BOOST_DESCRIBE_STRUCT(stock_queue, (), (places, arrivals, offered, revoked))

struct stock {
  std::map<std::string, location_books> locations;
  boost::unordered_flat_map<entity_ref, stock_reservation, entity_ref_hash>
    reservations;          ///< by owner
  std::uint64_t holds = 0; ///< so far
  stock_queue queue;
  std::set<std::pair<unix_millis, entity_ref>> expiries; ///< of the holds that can lapse. Derived.

  friend bool operator==(const stock&, const stock&) = default;
};

// -- Events ---------------------------------------------------------------------------------------

struct stock_received {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "stock_received";
  location_units units;
};
BOOST_DESCRIBE_STRUCT(stock_received, (), (units))

struct stock_adjusted {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "stock_adjusted";
  location_units units; ///< signed
  bool forced = false;  ///< available may be negative after it
};
BOOST_DESCRIBE_STRUCT(stock_adjusted, (), (units, forced))

struct units_held {
  static constexpr std::uint16_t type = 3, schema = 1;
  static constexpr std::string_view name = "units_held";
  entity_ref owner;
  std::vector<location_units> items;
  timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(units_held, (), (owner, items, expires_at))

struct units_committed {
  static constexpr std::uint16_t type = 4, schema = 1;
  static constexpr std::string_view name = "units_committed";
  entity_ref owner;
  std::vector<location_units> items;
};
BOOST_DESCRIBE_STRUCT(units_committed, (), (owner, items))

struct units_released {
  static constexpr std::uint16_t type = 5, schema = 1;
  static constexpr std::string_view name = "units_released";
  entity_ref owner;
  std::vector<location_units> items;
};
BOOST_DESCRIBE_STRUCT(units_released, (), (owner, items))

struct units_shipped {
  static constexpr std::uint16_t type = 6, schema = 1;
  static constexpr std::string_view name = "units_shipped";
  entity_ref owner;
  std::vector<location_units> items;
};
BOOST_DESCRIBE_STRUCT(units_shipped, (), (owner, items))

struct units_restocked {
  static constexpr std::uint16_t type = 8, schema = 1;
  static constexpr std::string_view name = "units_restocked";
  entity_ref owner;
  std::vector<location_units> items;
};
BOOST_DESCRIBE_STRUCT(units_restocked, (), (owner, items))

struct hold_expired {
  static constexpr std::uint16_t type = 7, schema = 1;
  static constexpr std::string_view name = "hold_expired";
  entity_ref owner;
  std::vector<location_units> items;
  timestamp expired_at;
};
BOOST_DESCRIBE_STRUCT(hold_expired, (), (owner, items, expired_at))

/// A forced adjustment took the hold: the owner is in the queue.
struct hold_revoked {
  static constexpr std::uint16_t type = 9, schema = 1;
  static constexpr std::string_view name = "hold_revoked";
  entity_ref owner;
  std::vector<location_units> items;
};
BOOST_DESCRIBE_STRUCT(hold_revoked, (), (owner, items))

/// The units were short: the owner has a place in the queue.
struct backorder_queued {
  static constexpr std::uint16_t type = 10, schema = 1;
  static constexpr std::string_view name = "backorder_queued";
  entity_ref owner;
  std::vector<location_units> items;
  timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(backorder_queued, (), (owner, items, expires_at))

/// They were short again: the place is live.
struct backorder_missed {
  static constexpr std::uint16_t type = 11, schema = 1;
  static constexpr std::string_view name = "backorder_missed";
  entity_ref owner;
};
BOOST_DESCRIBE_STRUCT(backorder_missed, (), (owner))

/// The units that the owner needs are set aside for it (Q2).
struct backorder_offered {
  static constexpr std::uint16_t type = 12, schema = 1;
  static constexpr std::string_view name = "backorder_offered";
  entity_ref owner;
};
BOOST_DESCRIBE_STRUCT(backorder_offered, (), (owner))

/// The owner is short elsewhere: it keeps its place, and the next one gets its turn.
struct backorder_passed {
  static constexpr std::uint16_t type = 13, schema = 1;
  static constexpr std::string_view name = "backorder_passed";
  entity_ref owner;
};
BOOST_DESCRIBE_STRUCT(backorder_passed, (), (owner))

/// The owner needs its place no more.
struct backorder_left {
  static constexpr std::uint16_t type = 14, schema = 1;
  static constexpr std::string_view name = "backorder_left";
  entity_ref owner;
};
BOOST_DESCRIBE_STRUCT(backorder_left, (), (owner))

using stock_event =
  std::variant<stock_received, stock_adjusted, units_held, units_committed, units_released,
               units_shipped, units_restocked, hold_expired, hold_revoked, backorder_queued,
               backorder_missed, backorder_offered, backorder_passed, backorder_left>;

// -- Rules ----------------------------------------------------------------------------------------

/// Holds that are due lapse first; then the message is decided. The sender gets a stock_reply.
/// Throws broken_invariant for a message that no workflow sends to stock.
decision<stock_event> decide(const stock& current, const message_body& request,
                             const decide_context& context);

/// To be asked for after every decision's events: the next place in the queue gets its offer (Q1).
decision<stock_event> offer_next(const stock& current, const decide_context& context);

/// When the next hold lapses; nothing when none can.
std::optional<unix_millis> due(const stock& current);

/// Whether a restart must be told to the stock: somebody has an offer, or was told of a lost hold,
/// that may not have come through.
bool must_resume(const stock& current);

/// The reply to a receipt or an adjustment that was booked, or refused, before.
std::vector<effect> answer_again(const message_body& request, rejection outcome,
                                 const decide_context& context);

/// Throws broken_invariant (K1 to K5) when the event does not fit the state.
void evolve(stock& current, const stock_event& event);

/// Whether more is promised at a location than is there (K10).
bool is_oversold(const stock& current);

/// Sums over reservations equal the books, nothing is negative (K1 to K3) but what is available of
/// an oversold SKU. Throws broken_invariant.
void check_invariants(const stock& current);

/// What is free to promise at a location at a time: lapsed holds count as free.
std::int64_t available(const stock& current, const std::string& location, unix_millis now);

} // namespace purser
