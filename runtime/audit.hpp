// Sums and invariants over all aggregates at one quiet moment (domain.md, K, M).
#pragma once

#include "actors/domain/money.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace purser {

class group_commit_journal;

struct order_totals {
  std::uint64_t placed = 0;
  std::map<std::string, std::uint64_t> by_status;
};
BOOST_DESCRIBE_STRUCT(order_totals, (), (placed, by_status))

struct money_totals {
  minor_units ordered = 0;
  minor_units authorized = 0;
  minor_units captured = 0;
  minor_units voided = 0;
  minor_units refunded = 0;
};
BOOST_DESCRIBE_STRUCT(money_totals, (), (ordered, authorized, captured, voided, refunded))

struct stock_totals {
  std::int64_t received = 0;
  std::int64_t adjusted = 0;
  std::int64_t held = 0;
  std::int64_t committed = 0;
  std::int64_t shipped = 0;
  std::int64_t restocked = 0;
  std::int64_t on_hand = 0;
};
BOOST_DESCRIBE_STRUCT(stock_totals, (),
                      (received, adjusted, held, committed, shipped, restocked, on_hand))

struct invariant_totals {
  std::uint64_t checked = 0;
  std::uint64_t broken = 0;
};
BOOST_DESCRIBE_STRUCT(invariant_totals, (), (checked, broken))

/// What a data directory holds.
struct audit_report {
  order_totals orders;
  std::uint64_t lines = 0;
  std::uint64_t units = 0;
  std::uint64_t skus = 0;
  std::map<std::string, money_totals> money; ///< by currency
  stock_totals stock;
  invariant_totals invariants;
  std::vector<std::string> findings; ///< the first hundred broken invariants, in words
  std::uint64_t open_steps = 0; ///< entities with a step under way: sums over them may not meet yet
  std::uint64_t unsettled = 0; ///< SKUs that were not compared, because such an entity touches them
};

/// Sums everything up, and checks every entity by itself and orders against their payments and
/// stock, but for what a step under way touches. The journal must be quiet, or one moment of it.
/// Throws journal_corrupt, store_error.
audit_report audit(group_commit_journal& journal);

} // namespace purser
