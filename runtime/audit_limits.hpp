// How much of an audit is done at a time.
#pragma once

#include "runtime/audit.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>

namespace purser {

struct audit_limits {
  /// Orders and stock are compared for at most so many SKUs, whose sums are kept in memory: when
  /// there are more, for a part of them, another one in each `round`. 0: all.
  std::size_t skus_at_once = 0;
  std::uint64_t round = 0;
  std::function<bool()> stop; ///< asked now and then; may be empty
};

/// It was told to stop.
struct audit_stopped : std::runtime_error {
  audit_stopped() : std::runtime_error("the audit was stopped") {}
};

/// As `audit` does. Throws audit_stopped, too.
audit_report audit_within(group_commit_journal& journal, const audit_limits& limits);

} // namespace purser
