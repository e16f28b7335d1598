#include "supervisors/tree_bounds.hpp"

#include <algorithm>
#include <limits>

namespace purser::supervisors {

namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> stop_bound(const child_rules& child, milliseconds stuck_after) {
  if (child.type == child_type::supervisor)
    return child.below ? stop_bound(*child.below) : std::nullopt;
  const auto how = shutdown_of(child);
  if (std::holds_alternative<shutdown_unlimited>(how))
    return std::nullopt;
  const auto* within = std::get_if<milliseconds>(&how);
  return (within ? *within : milliseconds{0}) + stuck_after;
}

/// The failures on the worst path below a child that its parent's failures are multiplied with.
std::optional<std::uint64_t> failures_of(const child_rules& child) {
  if (child.type == child_type::worker)
    return 1;
  if (!child.below)
    return std::nullopt;
  const auto restarts = restart_bound(*child.below);
  if (!restarts)
    return std::nullopt;
  return *restarts == std::numeric_limits<std::uint64_t>::max() ? *restarts : *restarts + 1;
}

std::uint64_t restarts_at(std::uint32_t intensity, std::uint64_t failures) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  const auto times = std::uint64_t{intensity} + 1;
  return failures > most / times ? most : failures * times - 1;
}

} // namespace

std::optional<milliseconds> stop_bound(const supervisor_spec& spec) {
  milliseconds sum{0};
  for (const auto& child : spec.children) {
    const auto bound = stop_bound(child, spec.stuck_after);
    if (!bound)
      return std::nullopt;
    sum += *bound;
  }
  return sum;
}

std::optional<milliseconds> stop_bound(const dynamic_supervisor_spec& spec) {
  return stop_bound(spec.instances, spec.stuck_after);
}

std::optional<milliseconds> stop_bound(const subtree_spec& spec) {
  return std::visit([](const auto& it) { return stop_bound(it); }, spec.spec);
}

std::optional<std::uint64_t> restart_bound(const supervisor_spec& spec) {
  std::uint64_t worst = 1;
  for (const auto& child : spec.children) {
    const auto failures = failures_of(child);
    if (!failures)
      return std::nullopt;
    worst = std::max(worst, *failures);
  }
  return restarts_at(spec.intensity, worst);
}

std::optional<std::uint64_t> restart_bound(const dynamic_supervisor_spec& spec) {
  const auto failures = failures_of(spec.instances);
  if (!failures)
    return std::nullopt;
  return restarts_at(spec.intensity, *failures);
}

std::optional<std::uint64_t> restart_bound(const subtree_spec& spec) {
  return std::visit([](const auto& it) { return restart_bound(it); }, spec.spec);
}

} // namespace purser::supervisors
