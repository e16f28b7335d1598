// `purser run SCENARIO.json`.
#include "config/json_writer.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/scenario_run.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <iostream>

namespace purser::tools {

namespace {

struct run_options {
  std::string file;
  std::string data;
  std::uint64_t crash_every = 0;
  bool json = false;
  bool quiet = false;
  std::string log_level = "off";
  std::int64_t stop_within_ms = default_stop_within_ms;
};

int run(const run_options& options) {
  auto story = load_scenario(options.file);
  interruption interrupted{options.stop_within_ms, !options.quiet};
  scenario_options how;
  how.interrupted = &interrupted;
  if (!options.data.empty())
    how.data = options.data;
  how.crash_every = options.crash_every;
  how.log_level = options.log_level;
  if (!options.quiet)
    how.timeline = options.json ? &std::cerr : &std::cout;
  const auto name = story.name;
  scenario_run running{std::move(story), how};
  const auto result = running.run();
  if (options.json) {
    auto summary = to_json(result.summary);
    summary["scenario"] = boost::json::object{{"name", name},
                                              {"passed", result.failures.empty()},
                                              {"expectations", result.expectations},
                                              {"failures", config::to_json(result.failures)}};
    std::cout << boost::json::serialize(summary) << '\n';
  } else {
    for (const auto& failure : result.failures)
      std::cerr << options.file << ": step " << failure.step << ": " << failure.text << '\n';
    std::cout << name << ": " << result.expectations << " expectations, "
              << (result.failures.empty() ? "all of them hold"
                                          : std::to_string(result.failures.size()) + " failed")
              << "; " << result.summary.supervision.crashes << " crashes healed\n";
  }
  if (interrupted.happened()) {
    if (!options.quiet)
      complain(interrupted.name() + ": stopped before the end of the scenario");
    return interrupted.exit_code();
  }
  return result.failures.empty() ? exit_ok : exit_findings;
}

} // namespace

void add_run(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<run_options>();
  auto* sub = app.add_subcommand("run", "Drive a scenario: stock, orders, faults, expectations");
  sub->add_option("SCENARIO", options->file, "the scenario, as JSON")->required();
  sub->add_option(
    "--data", options->data,
    "keep everything here, and take up a run that was killed [a temporary directory]");
  sub->add_option("--crash-every", options->crash_every,
                  "crash the actor that handles every N-th command, to see it heal");
  add_stop_within(*sub, options->stop_within_ms);
  sub->add_flag("--json", options->json, "print the summary as one JSON document");
  sub->add_flag("--quiet", options->quiet, "no timeline");
  sub->add_option("--log-level", options->log_level, "trace, debug, info, warn, error or off");
  sub->footer("Example:\n  purser run config/scenarios/card-declined.json\n"
              "  purser run config/scenarios/last-unit.json --crash-every 10 --json\n"
              "The format: `purser config schema`, docs/formats/scenario.md.\n"
              "Exit code: 0 every expectation held, 1 one did not, 2 it could not be run;\n"
              "130 or 143 interrupted by SIGINT or SIGTERM, 124 not stopped within --stop-within.");
  sub->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

} // namespace purser::tools
