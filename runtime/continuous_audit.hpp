// Audits one moment of a running journal after another, in the background (domain.md, K and M over
// all entities). A moment is a cut of the one total order, so sums that a workflow under way does
// not touch must meet; what a message under way explains is gone by the next audit, so a finding
// counts when two audits in a row make it.
#pragma once

#include "runtime/audit.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace purser {

class group_commit_journal;

/// Figures of the audits so far.
struct audit_figures {
  std::uint64_t audits = 0;
  std::uint64_t position = 0; ///< of the last moment that was audited
  std::uint64_t checked = 0;  ///< invariants, in the last audit
  std::uint64_t broken = 0;   ///< findings that two audits in a row have made
  std::int64_t last_ms = 0;   ///< how long the last one took
};

class continuous_audit {
public:
  /// `every_ms`: between two audits, and never less than 20 times what the last one took.
  /// `on_broken` gets each finding that counts, once.
  continuous_audit(group_commit_journal& journal, std::int64_t every_ms,
                   std::function<void(const std::string&)> on_broken);
  ~continuous_audit();

  /// Audits now. Throws what the journal throws.
  audit_report audit_now();

  audit_figures figures() const;

private:
  void run();

  group_commit_journal& journal_;
  std::int64_t every_ms_;
  std::uint64_t first_round_; ///< of each engine another one: none may live for all of them
  std::function<void(const std::string&)> on_broken_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  audit_figures figures_;
  std::set<std::string> seen_;    ///< by the last audit
  std::set<std::string> counted_; ///< told
  std::thread thread_;
};

} // namespace purser
