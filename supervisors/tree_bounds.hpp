// What can be said of a tree before it runs: how long it takes to stop (B9), and how often it may
// restart below its top (S19). Pure functions of specs.
#pragma once

#include "supervisors/child_spec.hpp"
#include "supervisors/dynamic_supervisor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

namespace purser::supervisors {

/// What a child supervisor is made of (child_rules.below).
struct subtree_spec {
  std::variant<supervisor_spec, dynamic_supervisor_spec> spec;
};

/// The most time from the moment a supervisor is asked to stop until it has ended or a child has
/// been reported as stuck, beside what the scheduler takes. The children of a supervisor stop one
/// after another, those of a dynamic one together.
/// @returns nullopt if there is no bound: a worker may take unlimited time, or it is not known what
/// a child supervisor is made of.
std::optional<std::chrono::milliseconds> stop_bound(const supervisor_spec& spec);
std::optional<std::chrono::milliseconds> stop_bound(const dynamic_supervisor_spec& spec);
std::optional<std::chrono::milliseconds> stop_bound(const subtree_spec& spec);

/// The most restarts that any one worker can see before the top gives up, if all failures fall
/// within each period: a supervisor of intensity i ends with its failure i + 1, so on a path it is
/// (i1 + 1) (i2 + 1) ... - 1. Keep upper levels low. The largest number stands for "or more".
/// @returns nullopt if it is not known what a child supervisor is made of.
std::optional<std::uint64_t> restart_bound(const supervisor_spec& spec);
std::optional<std::uint64_t> restart_bound(const dynamic_supervisor_spec& spec);
std::optional<std::uint64_t> restart_bound(const subtree_spec& spec);

} // namespace purser::supervisors
