// `purser simulate`: the real actors in simulated worlds, each decided by one seed.
#include "config/json_writer.hpp"
#include "runtime/json/command_json.hpp"
#include "runtime/simulation/campaign.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/scenario.hpp"
#include "tools/purser/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <iostream>

namespace purser::tools {

namespace {

using namespace simulation;

/// Fewer runs may miss a rare fault without anything being wrong.
constexpr std::uint64_t runs_that_reach_everything = 1'000;

struct simulate_options {
  std::uint64_t seeds = 100;
  std::uint64_t from = 1;
  std::size_t commands = simulation::run_options{}.commands;
  std::string faults = "all";
  std::string scenario;
  unsigned jobs = 0;
  bool every_write = false;
  bool trace = false;
  bool coverage = false;
  bool json = false;
  bool quiet = false;
};

/// What clients ask for in a scenario, without its times and faults.
std::vector<command> commands_of(const scenario& story) {
  std::vector<command> commands;
  const auto add = [&](command request) {
    if (request.command_id.empty())
      request.command_id = "c-" + std::to_string(commands.size() + 1);
    fill_ids(request);
    commands.push_back(std::move(request));
  };
  for (const auto& goods : story.stock)
    add({{}, {}, receive_stock{"", goods.sku, goods.location, goods.quantity}});
  const auto parse = [&](const boost::json::value& text) {
    auto parsed = parse_command(boost::json::serialize(text));
    if (const auto* mistake = std::get_if<command_error>(&parsed))
      throw scenario_error(mistake->pointer + ": " + mistake->message);
    add(std::get<command>(std::move(parsed)));
  };
  for (const auto& step : story.steps) {
    if (step.command)
      for (std::uint32_t n = 1; n <= step.repeat.value_or(1); ++n)
        parse(with_number(*step.command, n));
    for (const auto& each : step.together)
      parse(each);
  }
  return commands;
}

/// The one command that does the same again.
std::string command_line(const simulation::run_options& run, const std::string& scenario) {
  auto line = "purser simulate --seeds 1 --from " + std::to_string(run.seed);
  if (scenario.empty())
    line += " --commands " + std::to_string(run.commands);
  else
    line += " --scenario " + scenario;
  return line + " --faults " + simulation::to_string(run.faults) + " --trace";
}

void print_json(const campaign_report& report, const std::vector<std::string>& missing,
                const std::string& scenario) {
  using config::to_json;
  boost::json::object out{{"runs", report.runs},
                          {"commands", report.commands},
                          {"messages", report.messages},
                          {"messages_per_second", report.messages / std::max(report.seconds, 1e-9)},
                          {"processes", report.processes},
                          {"writes", report.writes},
                          {"seconds", report.seconds},
                          {"reached", to_json(report.reached)},
                          {"not_reached", to_json(missing)},
                          {"failure", nullptr}};
  if (report.failure)
    out["failure"] = {{"seed", report.failure->seed},
                      {"broken", report.failure->broken},
                      {"smallest", report.smallest_broken},
                      {"repeat", command_line(*report.smallest, scenario)}};
  std::cout << boost::json::serialize(out) << '\n';
}

void print(const campaign_report& report, const std::vector<std::string>& missing,
           const simulate_options& options) {
  const auto count = [](auto value) { return grouped(static_cast<std::int64_t>(value)); };
  table out;
  out.heading("simulate");
  out.row("runs", count(report.runs));
  out.row("commands", count(report.commands));
  out.row("messages", count(report.messages));
  out.row("messages/s", count(report.messages / std::max(report.seconds, 1e-9)));
  out.row("processes", count(report.processes));
  out.row("appends and syncs", count(report.writes));
  out.row("seconds", decimal(report.seconds));
  if (options.coverage) {
    out.heading("reached");
    for (const auto& [name, times] : report.reached)
      out.row(name, count(times));
  }
  std::cout << out.text();
  for (const auto& name : missing)
    std::cout << "never reached: " << name << '\n';
  if (!report.failure)
    return;
  std::cout << "seed " << report.failure->seed << " failed: " << report.failure->broken
            << "\nsmallest run that fails: " << report.smallest_broken
            << "\nrepeat it: " << command_line(*report.smallest, options.scenario) << '\n';
}

int trace_one(simulation::run_options run) {
  run.trace = [](const std::string& line) { std::cout << line << '\n'; };
  const auto report = simulation::simulate(run);
  if (!report.broken.empty())
    std::cout << "failed: " << report.broken << '\n';
  return report.broken.empty() ? exit_ok : exit_findings;
}

/// One run without faults, and again for each of its writes with the process ending at it.
int end_at_every_write(simulation::run_options run, const simulate_options& options) {
  using crash = simulation::run_options::crash_at_write;
  constexpr std::array ways{crash::way::clean, crash::way::torn, crash::way::not_synced};
  constexpr std::array names{"clean", "torn", "not synced"};
  run.crash = crash{};
  const auto writes = simulation::simulate(run).writes;
  progress_bar bar{"simulate", writes, !options.quiet};
  std::uint64_t runs = 0;
  for (std::uint64_t number = 1; number <= writes; ++number) {
    for (std::size_t way = 0; way < ways.size(); ++way) {
      run.crash = {number, ways.at(way)};
      ++runs;
      const auto report = simulation::simulate(run);
      if (report.broken.empty())
        continue;
      bar.clear();
      std::cout << "seed " << run.seed << ", ended at write " << number << " (" << names.at(way)
                << "): " << report.broken << '\n';
      return exit_findings;
    }
    bar.show(number, std::to_string(number) + " of " + std::to_string(writes) + " writes");
  }
  bar.clear();
  std::cout << "ended at each of " << writes << " writes, clean, torn and not synced: " << runs
            << " runs, all invariants hold\n";
  return exit_ok;
}

int simulate(const simulate_options& options) {
  campaign_options campaign;
  campaign.from = options.from;
  campaign.seeds = options.seeds;
  campaign.threads = options.jobs;
  campaign.run.seed = options.from;
  campaign.run.commands = options.commands;
  try {
    campaign.run.faults = parse_faults(options.faults);
    if (!options.scenario.empty())
      campaign.run.workload = commands_of(load_scenario(options.scenario));
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_could_not;
  }
  if (options.trace)
    return trace_one(campaign.run);
  if (options.every_write)
    return end_at_every_write(campaign.run, options);
  campaign_report report;
  {
    progress_bar bar{"simulate", options.seeds, !options.quiet};
    campaign.on_progress = [&](std::uint64_t done) {
      bar.show(done, grouped(static_cast<std::int64_t>(done)) + " runs");
    };
    report = run_campaign(campaign);
  }
  std::vector<std::string> missing;
  if (report.runs >= runs_that_reach_everything)
    missing = not_reached(report, campaign.run);
  if (options.json)
    print_json(report, missing, options.scenario);
  else
    print(report, missing, options);
  return report.failure || !missing.empty() ? exit_findings : exit_ok;
}

} // namespace

void add_simulate(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<simulate_options>();
  auto* sub = app.add_subcommand(
    "simulate", "Run the real actors in simulated worlds where everything goes wrong");
  sub->add_option("--seeds", options->seeds, "runs; each is decided by its seed [100]")
    ->check(CLI::PositiveNumber);
  sub->add_option("--from", options->from, "the first seed [1]");
  sub->add_option("--commands", options->commands, "of the clients, in a run [40]");
  sub->add_option("--faults", options->faults,
                  "what may go wrong: a list (kill,poison,provider_late,...), all or none [all]");
  sub->add_option("--scenario", options->scenario,
                  "the clients send the commands of this scenario, in its order");
  sub->add_option("--jobs", options->jobs, "runs at once [one per core]");
  sub->add_flag("--every-write", options->every_write,
                "one seed: end the process at each of its appends and syncs in turn, three ways");
  sub->add_flag("--trace", options->trace, "one seed: print every step");
  sub->add_flag("--coverage", options->coverage, "print how often each thing was reached");
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no progress");
  sub->footer(
    "Examples:\n  purser simulate --seeds 1000\n"
    "  purser simulate --seeds 200 --scenario config/scenarios/last-unit.json\n"
    "  purser simulate --from 38 --seeds 1 --trace\n"
    "  purser simulate --from 7 --every-write --faults none\n"
    "A run of 1,000 seeds or more also fails when something was never reached.\n"
    "Exit code: 0 every run held, 1 one did not (the command that repeats it is printed), 2 it\n"
    "could not be run. What is simulated, and how it is judged: docs/simulation.md.");
  sub->callback([&chosen, options] { chosen = [options] { return simulate(*options); }; });
}

} // namespace purser::tools
