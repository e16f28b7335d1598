// What the clients of a simulated run ask for: every command, in a small shop where customers,
// clerks and counts get into each other's way.
#pragma once

#include "actors/domain/commands.hpp"
#include "runtime/simulation/dice.hpp"

#include <cstddef>
#include <vector>

namespace purser::simulation {

/// So many commands; the first ones are always the same, however many there are.
std::vector<command> make_workload(std::uint64_t seed, std::size_t count);

} // namespace purser::simulation
