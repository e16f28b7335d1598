#include "runtime/continuous_audit.hpp"

#include "runtime/audit_limits.hpp"
#include "runtime/journal/group_commit.hpp"
#include "runtime/thread_name.hpp"

#include <algorithm>
#include <chrono>
#include <random>

namespace purser {

namespace {

/// Of which the sums are kept in memory; about 150 bytes each.
constexpr std::size_t skus_at_once = 500'000;

/// An audit may take this part of the time, one in so many.
constexpr std::int64_t most_of_the_time = 20;

} // namespace

continuous_audit::continuous_audit(group_commit_journal& journal, std::int64_t every_ms,
                                   std::function<void(const std::string&)> on_broken)
    : journal_(journal), every_ms_(every_ms), first_round_(std::random_device{}()),
      on_broken_(std::move(on_broken)), thread_([this] { run(); }) {}

continuous_audit::~continuous_audit() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

audit_figures continuous_audit::figures() const {
  const std::lock_guard lock{mutex_};
  return figures_;
}

audit_report continuous_audit::audit_now() {
  const auto began = std::chrono::steady_clock::now();
  journal_options reading;
  reading.shards = journal_.shards();
  reading.read_only = true;
  group_commit_journal moment{journal_.disk().moment(), reading};
  audit_limits limits;
  limits.skus_at_once = skus_at_once;
  limits.stop = [this] {
    const std::lock_guard lock{mutex_};
    return stopping_;
  };
  {
    const std::lock_guard lock{mutex_};
    limits.round = first_round_ + figures_.audits / 2; // a finding counts when two in a row make it
  }
  auto report = audit_within(moment, limits);
  std::set<std::string> found{report.findings.begin(), report.findings.end()};
  std::vector<std::string> counts;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& finding : found)
      if (seen_.contains(finding) && counted_.insert(finding).second)
        counts.push_back(finding);
    seen_ = std::move(found);
    ++figures_.audits;
    figures_.position = moment.last();
    figures_.checked = report.invariants.checked;
    figures_.broken += counts.size();
    figures_.last_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::steady_clock::now() - began)
                         .count();
  }
  for (const auto& finding : counts)
    on_broken_(finding);
  return report;
}

void continuous_audit::run() {
  name_thread("audit");
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto wait = std::max(every_ms_, most_of_the_time * figures_.last_ms);
    if (changed_.wait_for(lock, std::chrono::milliseconds{wait}, [this] { return stopping_; }))
      return;
    lock.unlock();
    try {
      audit_now();
    } catch (const audit_stopped&) {
      return;
    } catch (const std::exception& error) {
      on_broken_(std::string{"the audit could not read the journal: "} + error.what());
      return;
    }
    lock.lock();
  }
}

} // namespace purser
