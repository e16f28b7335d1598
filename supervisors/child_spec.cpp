#include "supervisors/child_spec.hpp"

#include <set>

namespace purser::supervisors {

namespace {

void check_child(const child_spec& child, std::vector<spec_error>& errors) {
  if (!child.start)
    errors.push_back({child.id, "start", "must be a function"});
  if (const auto* within = std::get_if<std::chrono::milliseconds>(&child.shutdown)) {
    if (within->count() < 0)
      errors.push_back({child.id, "shutdown", "must not be negative"});
    if (child.type == child_type::supervisor)
      errors.push_back(
        {child.id, "shutdown", "a supervisor's must be unlimited: its children take theirs"});
  }
  if (child.backoff) {
    if (child.backoff->min_ms < 0 || child.backoff->min_ms > child.backoff->max_ms)
      errors.push_back({child.id, "backoff", "its minimum must be from 0 to its maximum"});
    if (child.backoff->jitter < 0 || child.backoff->jitter > 1)
      errors.push_back({child.id, "backoff", "its jitter must be from 0 to 1"});
  }
}

} // namespace

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
    if (!ids.insert(child.id).second)
      errors.push_back({child.id, "id", "is the id of another child too"});
    check_child(child, errors);
  }
  return errors;
}

} // namespace purser::supervisors
