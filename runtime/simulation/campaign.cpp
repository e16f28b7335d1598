#include "runtime/simulation/campaign.hpp"

#include "actors/aggregate.hpp"
#include "actors/domain/entity_kinds.hpp"
#include "runtime/threads.hpp"
#include "supervisors/event.hpp"

#include <atomic>
#include <chrono>
#include <mutex>

namespace purser::simulation {

namespace {

/// What no simulated run can reach.
const std::set<std::string>& unreachable() {
  static const std::set<std::string> names{
    "supervision child_ignored",   // the tree has no such child,
    "supervision child_forgotten", // none that is temporary,
    "supervision auto_shutdown",   // none that is significant,
    "supervision child_stuck",     // and none that never returns to the scheduler
    "supervision entity_released", // what is quarantined lives again in the next process
  };
  return names;
}

void add(campaign_report& sums, const run_report& run) {
  ++sums.runs;
  sums.commands += run.commands;
  sums.messages += run.messages;
  sums.steps += run.steps;
  sums.writes += run.writes;
  sums.processes += run.processes;
  for (const auto& [name, count] : run.reached)
    sums.reached[name] += count;
}

} // namespace

bool fails(const run_options& run) {
  return !simulate(run).broken.empty();
}

run_options shrink(run_options run, const std::function<bool(const run_options&)>& still_fails) {
  run.trace = nullptr;
  for (const auto each : fault_set{run.faults}) {
    auto fewer = run;
    fewer.faults.erase(each);
    if (still_fails(fewer))
      run = std::move(fewer);
  }
  if (run.workload)
    return run;
  for (auto step = run.commands / 2; step > 0; step /= 2)
    while (run.commands > step) {
      auto fewer = run;
      fewer.commands -= step;
      if (!still_fails(fewer))
        break;
      run = std::move(fewer);
    }
  return run;
}

campaign_report run_campaign(const campaign_options& options) {
  campaign_report report;
  std::mutex mutex; // of report
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> failed{false};
  const auto began = std::chrono::steady_clock::now();
  const auto threads = options.run.trace ? 1U : threads_or_cores(options.threads);
  on_threads(threads, "simulation", [&] {
    for (auto number = next++; number < options.seeds && !failed; number = next++) {
      auto run = options.run;
      run.seed = options.from + number;
      auto made = simulate(run);
      const std::lock_guard lock{mutex};
      add(report, made);
      if (!made.broken.empty() && (!report.failure || made.seed < report.failure->seed)) {
        failed = true;
        report.failure = std::move(made);
      }
      if (options.on_progress)
        options.on_progress(report.runs);
    }
  });
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (report.failure) {
    auto run = options.run;
    run.seed = report.failure->seed;
    report.smallest = shrink(std::move(run), fails);
    report.smallest_broken = simulate(*report.smallest).broken;
  }
  return report;
}

std::vector<std::string> not_reached(const campaign_report& report, const run_options& run) {
  std::vector<std::string> missing;
  const auto expect = [&](const std::string& name) {
    if (!report.reached.contains(name) && !unreachable().contains(name))
      missing.push_back(name);
  };
  for (const auto each : run.faults)
    expect("fault " + std::string{name_of(each)});
  if (run.faults != all_faults() || run.workload)
    return missing;
  expect("sale");
  for (const auto kind : entity_kinds)
    for (std::uint16_t type = 1; !event_name(kind, type).empty(); ++type)
      expect("event " + std::string{event_name(kind, type)});
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<16>>([&](auto number) {
    const auto name = supervisors::to_string(static_cast<supervisors::event_kind>(number.value));
    if (name != "unknown")
      expect("supervision " + std::string{name});
  });
  return missing;
}

} // namespace purser::simulation
