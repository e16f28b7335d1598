// Stock of one SKU at all its locations: the only writer of its quantities (domain.md, "Stock").
//
//   free --hold--> held --commit--> committed --ship--> shipped
//    ^              |                   |
//    +---release----+------release------+          (a hold with an expiry also lapses by itself)
//
// K1 on_hand = received + restocked + adjusted - shipped    K2 held, committed = the sums over
// reservations K3 available = on_hand - held - committed >= 0    K5 a unit is in exactly one place
#pragma once

#include "actors/domain/messages.hpp"

#include <map>
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

  friend bool operator==(const stock_reservation&, const stock_reservation&) = default;
};
BOOST_DESCRIBE_STRUCT(stock_reservation, (), (items, expires_at, committed))

struct stock {
  std::map<std::string, location_books> locations;
  std::unordered_map<entity_ref, stock_reservation, entity_ref_hash> reservations; ///< by owner
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
};
BOOST_DESCRIBE_STRUCT(stock_adjusted, (), (units))

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

using stock_event = std::variant<stock_received, stock_adjusted, units_held, units_committed,
                                 units_released, units_shipped, units_restocked, hold_expired>;

// -- Rules ----------------------------------------------------------------------------------------

/// Holds that are due lapse first; then the message is decided. The sender gets a stock_reply.
/// Throws broken_invariant for a message that no workflow sends to stock.
decision<stock_event> decide(const stock& current, const message_body& request,
                             const decide_context& context);

/// The reply to a receipt or an adjustment that was booked, or refused, before.
std::vector<effect> answer_again(const message_body& request, rejection outcome,
                                 const decide_context& context);

/// Throws broken_invariant (K1 to K5) when the event does not fit the state.
void evolve(stock& current, const stock_event& event);

/// Sums over reservations equal the books, nothing is negative (K1 to K3). Throws broken_invariant.
void check_invariants(const stock& current);

/// What is free to promise at a location at a time: lapsed holds count as free.
std::int64_t available(const stock& current, const std::string& location, unix_millis now);

} // namespace purser
