#include "actors/incarnation.hpp"

namespace purser {

namespace {

/// Numbers of attempts: those of an incarnation, and of one decision among them.
constexpr unsigned incarnation_bits = 40;
constexpr std::uint64_t attempts_of_a_decision = 4'096;

} // namespace

incarnation::incarnation(const entity_ref& ref, const shop_policy& policy, std::uint64_t number)
    : image(ref, policy), attempts_(number << incarnation_bits) {}

std::uint64_t incarnation::next_attempt() {
  return attempts_ += attempts_of_a_decision;
}

} // namespace purser
