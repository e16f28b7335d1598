// A standalone reservation of several SKUs, all or nothing (K7). It resolves at most once.
//
//   absent -> holding -> held -> committing -> committed -> shipping -> shipped
//              |    ^     | \________________/   |
//              |    |     |         v             v
//              |    |     |     releasing --> released
//              v    |     v
//      rejected   backordered -> canceled        held, committing -> expired
//
// R1 A commit at or after `expires_at` is refused; the units are on sale again at that tick.
// R2 A forced adjustment that takes a part of it (K10) sends it to the queue: it holds nothing, and
// is tried again when stock comes, until it expires.
#pragma once

#include "actors/domain/stock_fanout.hpp"

#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

enum class reservation_status : std::uint8_t {
  absent = 0,
  holding = 1,
  held = 2,
  committing = 3,
  committed = 4,
  releasing = 5,
  released = 6,
  shipping = 7,
  shipped = 8,
  rejected = 9,
  expired = 10,
  backordered = 11,
  canceled = 12, ///< it expired while it was backordered
};
BOOST_DESCRIBE_ENUM(reservation_status, absent, holding, held, committing, committed, releasing,
                    released, shipping, shipped, rejected, expired, backordered, canceled)

struct reservation {
  reservation_status status = reservation_status::absent;
  std::vector<reservation_line> lines;
  unix_millis expires_at = 0;
  bool waits = false; ///< it was held once: when it cannot be held again it is backordered (R2)

  friend bool operator==(const reservation&, const reservation&) = default;
};
BOOST_DESCRIBE_STRUCT(reservation, (), (status, lines, expires_at, waits))

bool has_open_step(const reservation& current);

/// When it expires; nothing when it cannot any more.
std::optional<unix_millis> due(const reservation& current);

/// The legal moves, for the documentation and the tests.
std::span<const std::pair<reservation_status, reservation_status>> reservation_moves();

// -- Events ---------------------------------------------------------------------------------------

struct reservation_requested {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "reservation_requested";
  std::vector<reservation_line> lines;
  timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(reservation_requested, (), (lines, expires_at))

/// The status the reservation has reached; every other fact is in the stock's events.
struct reservation_moved {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "reservation_moved";
  reservation_status to = reservation_status::held;
};
BOOST_DESCRIBE_STRUCT(reservation_moved, (), (to))

using reservation_event = std::variant<reservation_requested, reservation_moved>;

// -- Rules ----------------------------------------------------------------------------------------

struct reservation_progress {
  stock_fanout stock;
  bool letting_go = false; ///< releasing what was granted before the reservation fails
  bool lost = false;       ///< a hold was taken while others were still being asked for
  bool offered = false;    ///< units were offered while it was trying already
};

decision<reservation_event> decide(const reservation& current, reservation_progress& progress,
                                   const message_body& request, const decide_context& context);

/// Throws broken_invariant for a move that the picture above does not have.
void evolve(reservation& current, const reservation_event& event);

} // namespace purser
