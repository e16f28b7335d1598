// Goods of many SKUs that arrived together: a delivery, or a part of a bulk feed. One document for
// all of them, so that a SKU costs what is its own. Each SKU is booked for itself and under the
// batch's key, so once, whatever crashes; what cannot be booked is told by name, and keeps nothing
// else from being booked.
//
//   absent -> open -> booked
#pragma once

#include "actors/domain/stock_fanout.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

enum class batch_status : std::uint8_t { absent = 0, open = 1, booked = 2 };
BOOST_DESCRIBE_ENUM(batch_status, absent, open, booked)

struct receipt_batch {
  batch_status status = batch_status::absent;
  std::vector<receipt_line> lines;  ///< while it is open
  std::uint64_t line_count = 0;     ///< at any time
  std::int64_t units = 0;           ///< of all lines
  std::vector<refused_sku> refused; ///< of which nothing is booked; once it is booked

  friend bool operator==(const receipt_batch&, const receipt_batch&) = default;
};
BOOST_DESCRIBE_STRUCT(receipt_batch, (), (status, lines, line_count, units, refused))

inline bool has_open_step(const receipt_batch& current) {
  return current.status == batch_status::open;
}

// -- Events ---------------------------------------------------------------------------------------

struct batch_opened {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "batch_opened";
  std::vector<receipt_line> lines;
};
BOOST_DESCRIBE_STRUCT(batch_opened, (), (lines))

/// Every SKU has answered.
struct batch_booked {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "batch_booked";
  std::vector<refused_sku> refused; ///< the others are booked
};
BOOST_DESCRIBE_STRUCT(batch_booked, (), (refused))

using batch_event = std::variant<batch_opened, batch_booked>;

// -- Rules ----------------------------------------------------------------------------------------

struct batch_progress {
  stock_fanout stock;
};

/// Throws broken_invariant for a message that no workflow sends to a batch.
decision<batch_event> decide(const receipt_batch& current, batch_progress& progress,
                             const message_body& request, const decide_context& context);

/// Throws broken_invariant for an event that cannot follow.
void evolve(receipt_batch& current, const batch_event& event);

} // namespace purser
