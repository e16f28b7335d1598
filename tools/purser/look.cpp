// `purser tree`, `purser health`: what a running engine tells of itself.
#include "runtime/engine.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/terminal.hpp"
#include "tools/purser/top_frame.hpp"

#include <boost/json/serialize.hpp>
#include <poll.h>

#include <iostream>
#include <memory>

namespace purser::tools {

namespace {

/// How often a watch asks for events.
constexpr int watch_interval_ms = 200;

struct look_options {
  std::string data;
  bool json = false;
  bool watch = false;
  bool quiet = false;
};

/// Supervision events as JSON Lines, until a signal or the engine's end.
int watch(const look_options& options) {
  interruption stop{default_stop_within_ms, false};
  control_client engine{options.data};
  auto known = number_in(ask(engine, "events 0"), "newest");
  while (!stop.happened()) {
    boost::json::object answer;
    try {
      answer = ask(engine, "events " + std::to_string(known));
    } catch (const engine_error& error) {
      if (!options.quiet)
        complain(error.what());
      return exit_ok;
    }
    for (const auto& event : list_in(answer, "events")) {
      const auto number = number_in(event.as_object(), "number");
      if (number > known + 1)
        std::cout << boost::json::serialize(
                       boost::json::object{{"what", "missed"}, {"events", number - known - 1}})
                  << '\n';
      known = number;
      std::cout << boost::json::serialize(event) << '\n';
    }
    if (!std::cout.flush())
      return exit_ok; // nobody reads any more
    pollfd file{stop.file(), POLLIN, 0};
    ::poll(&file, 1, watch_interval_ms);
  }
  return exit_ok;
}

int show_tree(const look_options& options) {
  if (options.watch)
    return watch(options);
  control_client engine{options.data};
  const auto tree = ask(engine, "tree");
  std::cout << (options.json ? boost::json::serialize(tree) + "\n" : tree_table(tree));
  return exit_ok;
}

int show_health(const look_options& options) {
  control_client engine{options.data};
  const auto health = ask(engine, "health");
  const auto status = status_of(health);
  if (options.json) {
    auto made = health;
    made["status"] = status;
    std::cout << boost::json::serialize(made) << '\n';
  } else {
    std::cout << status << '\n';
    for (const auto& reason : list_in(health, "reasons"))
      if (reason.is_string())
        std::cout << "  " << std::string_view{reason.get_string()} << '\n';
  }
  return status == "ready" ? exit_ok : exit_findings;
}

} // namespace

void add_tree(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<look_options>();
  auto* sub = app.add_subcommand("tree", "Show the supervision tree of a running engine");
  sub->add_option("--data,--data-dir", options->data, "data directory of the running engine")
    ->required();
  sub->add_flag("--watch", options->watch,
                "print every supervision event from now on, as JSON Lines, until the engine ends");
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer("Example:\n  purser tree --data /tmp/shop\n  purser tree --data /tmp/shop --watch\n"
              "All supervisors and shards, and of the entities the busiest and those that crashed"
              " last.\nExit code: 0, or 2 when no engine has the directory open.");
  sub->callback([&chosen, options] { chosen = [options] { return show_tree(*options); }; });
}

void add_health(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<look_options>();
  auto* sub = app.add_subcommand("health", "Tell whether a running engine is well, and why not");
  sub->add_option("--data,--data-dir", options->data, "data directory of the running engine")
    ->required();
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer("Example:\n  purser health --data /tmp/shop || echo look at it\n"
              "Exit code: 0 ready, 1 degraded, stopping or failed, 2 it cannot be reached.");
  sub->callback([&chosen, options] { chosen = [options] { return show_health(*options); }; });
}

} // namespace purser::tools
