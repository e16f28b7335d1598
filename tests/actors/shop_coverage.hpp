// What a run of the property test has reached, and what it should have.
#pragma once

#include "tests/actors/shop_duel.hpp"

#include <optional>
#include <set>
#include <string>
#include <utility>

namespace purser::tests {

/// From nothing: it was not there.
using operation_move = std::pair<std::optional<operation_status>, operation_status>;

/// What was reached.
struct coverage {
  std::set<std::pair<order_status, std::uint16_t>> orders;
  std::set<std::pair<reservation_status, reservation_status>> reservations;
  std::set<operation_move> operations;
  std::set<rejection> rejections;
  std::set<std::string> tokens;
  std::size_t commands = 0, runs = 0, skipped = 0;
};

/// Notes what a finished duel went through.
void note(coverage& reached, duel& played);

/// Everything that there is and that was not reached.
std::set<std::string> missed(const coverage& reached);

/// What cannot be reached, and why.
const std::set<std::string>& unreachable();

/// What payment operations went through that they should not.
std::set<std::string> surprises(const coverage& reached);

} // namespace purser::tests
