#include "supervisors/child_spec.hpp"

#include <caf/error.hpp>

#include <set>
#include <stdexcept>
#include <utility>

namespace purser::supervisors {

namespace {

void check_backoff(const std::string& id, const backoff_policy& backoff,
                   std::vector<spec_error>& errors) {
  if (backoff.min_ms < 0)
    errors.push_back({id, "backoff.min_ms", "must not be negative"});
  if (backoff.max_ms < backoff.min_ms)
    errors.push_back({id, "backoff.max_ms", "must not be below min_ms"});
  if (!(backoff.jitter >= 0 && backoff.jitter <= 1)) // false for NaN, too
    errors.push_back({id, "backoff.jitter", "must be from 0 to 1"});
  if (backoff.reset_after_ms < 0)
    errors.push_back({id, "backoff.reset_after_ms", "must not be negative"});
}

void check_significant(const child_rules& child, const std::string& id, auto_shutdown end,
                       std::vector<spec_error>& errors) {
  if (!child.significant)
    return;
  if (child.restart == restart_type::permanent)
    errors.push_back(
      {id, "significant", "a permanent child always runs again. Make it transient or temporary"});
  if (end == auto_shutdown::never)
    errors.push_back({id, "significant", "means nothing while auto_shutdown is never"});
}

void check_failure_rules(const child_rules& child, const std::string& id,
                         std::vector<spec_error>& errors) {
  for (std::size_t i = 0; i < child.on_failure.size(); ++i) {
    const auto field = "on_failure[" + std::to_string(i) + "]";
    if (!child.on_failure[i].matches)
      errors.push_back({id, field + ".matches", "must be a function"});
    if (child.on_failure[i].then == directive::resume)
      errors.push_back({id, field + ".then",
                        "an actor that has ended cannot resume. Use restart, stop or escalate"});
  }
}

} // namespace

failure_rule on_failure(caf::error cause, directive then) {
  return {[like = std::move(cause)](const caf::error& seen) { return seen == like; }, then};
}

shutdown_way shutdown_of(const child_rules& child) {
  if (child.shutdown)
    return *child.shutdown;
  if (child.type == child_type::supervisor)
    return shutdown_unlimited{};
  return std::chrono::milliseconds{5'000};
}

void check_limits(const std::string& path, std::chrono::milliseconds period,
                  std::chrono::milliseconds stuck_after, std::vector<spec_error>& errors) {
  if (path.empty())
    errors.push_back({"", "path", "must not be empty"});
  if (period.count() <= 0)
    errors.push_back({"", "period", "must be positive"});
  if (stuck_after.count() <= 0)
    errors.push_back({"", "stuck_after", "must be positive"});
}

void check_rules(const child_rules& child, const std::string& id, auto_shutdown end,
                 std::vector<spec_error>& errors) {
  const auto how = shutdown_of(child);
  const auto* within = std::get_if<std::chrono::milliseconds>(&how);
  if (child.type == child_type::supervisor && !std::holds_alternative<shutdown_unlimited>(how))
    errors.push_back({id, "shutdown",
                      "a supervisor's must be unlimited (its children have "
                      "their own times). Leave it out"});
  else if (within && within->count() < 0)
    errors.push_back({id, "shutdown", "is negative. Use 0 ms or more, or shutdown_kill"});
  if (child.type == child_type::worker && child.below)
    errors.push_back({id, "below", "is for a supervisor. Leave it out, or set the type"});
  check_significant(child, id, end, errors);
  check_failure_rules(child, id, errors);
  if (child.backoff)
    check_backoff(id, *child.backoff, errors);
}

std::vector<spec_error> check(const supervisor_spec& spec) {
  std::vector<spec_error> errors;
  check_limits(spec.path, spec.period, spec.stuck_after, errors);
  std::set<std::string> ids;
  for (const auto& child : spec.children) {
    if (child.id.empty())
      errors.push_back({"", "id", "must not be empty"});
    else if (child.id.find('/') != std::string::npos)
      errors.push_back({child.id, "id", "must not contain '/': paths are made of ids"});
    if (!child.id.empty() && !ids.insert(child.id).second)
      errors.push_back({child.id, "id", "is the id of another child too"});
    if (!child.start)
      errors.push_back({child.id, "start", "must be a function"});
    check_rules(child, child.id, spec.auto_shutdown, errors);
  }
  return errors;
}

void require_none(const std::string& path, const std::vector<spec_error>& errors) {
  std::string text;
  for (const auto& error : errors)
    text += (text.empty() ? "" : "; ") + error.child + (error.child.empty() ? "" : ".") +
            error.field + " " + error.message;
  if (!text.empty())
    throw std::invalid_argument("supervisor " + path + ": " + text);
}

} // namespace purser::supervisors
