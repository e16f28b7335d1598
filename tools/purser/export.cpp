// `purser export`: every event as JSON Lines.
#include "runtime/inspect.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/event_line.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <iostream>

namespace purser::tools {

namespace {

struct export_options {
  std::string data;
  bool json = false;
  bool quiet = false;
};

int export_events(const export_options& options) {
  const auto source = inspector::open(options.data);
  const auto total = source->last_position();
  progress_bar bar{"export", total, !options.quiet && !output_is_terminal()};
  source->export_events([&](const event_notice& event) {
    std::cout << boost::json::serialize(event_object(event)) << '\n';
    bar.show(event.position, grouped(static_cast<std::int64_t>(event.position)) + " events");
    return std::cout.good();
  });
  std::cout.flush();
  if (!std::cout.good()) {
    complain("the output cannot be written");
    return exit_could_not;
  }
  return exit_ok;
}

} // namespace

void add_export(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<export_options>();
  auto* sub = app.add_subcommand("export", "Print every event of a data directory as JSON Lines");
  sub->add_option("--data", options->data, "data directory")->required();
  sub->add_flag("--json", options->json, "as always: JSON Lines");
  sub->add_flag("--quiet", options->quiet, "no progress");
  sub->footer("Example:\n  purser export --data /tmp/shop > events.jsonl");
  sub->callback([&chosen, options] { chosen = [options] { return export_events(*options); }; });
}

} // namespace purser::tools
