#include "supervisors/child_spec.hpp"

#include <set>

namespace purser::supervisors {

namespace {

void check_backoff(const child_spec& child, const backoff_policy& backoff,
                   std::vector<spec_error>& errors) {
  if (backoff.min_ms < 0)
    errors.push_back({child.id, "backoff.min_ms", "must not be negative"});
  if (backoff.max_ms < backoff.min_ms)
    errors.push_back({child.id, "backoff.max_ms", "must not be below min_ms"});
  if (!(backoff.jitter >= 0 && backoff.jitter <= 1)) // false for NaN, too
    errors.push_back({child.id, "backoff.jitter", "must be from 0 to 1"});
  if (backoff.reset_after_ms < 0)
    errors.push_back({child.id, "backoff.reset_after_ms", "must not be negative"});
}

void check_child(const child_spec& child, std::vector<spec_error>& errors) {
  if (!child.start)
    errors.push_back({child.id, "start", "must be a function"});
  const auto how = shutdown_of(child);
  const auto* within = std::get_if<std::chrono::milliseconds>(&how);
  if (child.type == child_type::supervisor && !std::holds_alternative<shutdown_unlimited>(how))
    errors.push_back({child.id, "shutdown",
                      "a supervisor's must be unlimited (its children have "
                      "their own times). Leave it out"});
  else if (within && within->count() < 0)
    errors.push_back({child.id, "shutdown", "is negative. Use 0 ms or more, or shutdown_kill"});
  if (child.backoff)
    check_backoff(child, *child.backoff, errors);
}

} // namespace

shutdown_way shutdown_of(const child_spec& child) {
  if (child.shutdown)
    return *child.shutdown;
  if (child.type == child_type::supervisor)
    return shutdown_unlimited{};
  return std::chrono::milliseconds{5'000};
}

std::vector<spec_error> check(const supervisor_spec& spec) {
  std::vector<spec_error> errors;
  if (spec.path.empty())
    errors.push_back({"", "path", "must not be empty"});
  if (spec.period.count() <= 0)
    errors.push_back({"", "period", "must be positive"});
  std::set<std::string> ids;
  for (const auto& child : spec.children) {
    if (child.id.empty())
      errors.push_back({"", "id", "must not be empty"});
    else if (child.id.find('/') != std::string::npos)
      errors.push_back({child.id, "id", "must not contain '/': paths are made of ids"});
    if (!child.id.empty() && !ids.insert(child.id).second)
      errors.push_back({child.id, "id", "is the id of another child too"});
    check_child(child, errors);
  }
  return errors;
}

} // namespace purser::supervisors
