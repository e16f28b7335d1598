// `purser verify`: checks a whole journal.
#include "config/json_writer.hpp"
#include "runtime/inspect.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <iostream>

namespace purser::tools {

namespace {

struct verify_options {
  std::string data;
  bool json = false;
  bool quiet = false;
};

void print(const verify_report& report, bool json) {
  if (json) {
    using config::to_json;
    const boost::json::object out{{"ok", report.findings.empty()},
                                  {"chunks", report.chunks},
                                  {"events", report.events},
                                  {"entities", report.entities},
                                  {"invariants", to_json(report.sums.invariants)},
                                  {"findings", to_json(report.findings)}};
    std::cout << boost::json::serialize(out) << '\n';
    return;
  }
  const auto count = [](auto value) { return grouped(static_cast<std::int64_t>(value)); };
  table out;
  out.heading("verify");
  out.row("chunks", count(report.chunks));
  out.row("events", count(report.events));
  out.row("entities", count(report.entities));
  out.row("invariants checked", count(report.sums.invariants.checked));
  out.row("findings", count(report.findings.size()));
  std::cout << out.text();
  for (const auto& finding : report.findings)
    std::cout << "  " << finding << '\n';
}

int verify(const verify_options& options) {
  verify_report report;
  try {
    const auto source = inspector::open(options.data);
    progress_bar bar{"verify", source->last_position(), !options.quiet};
    report = source->verify([&](std::uint64_t events) {
      bar.show(events, grouped(static_cast<std::int64_t>(events)) + " events");
    });
  } catch (const engine_error& error) {
    complain(error.what());
    return exit_could_not;
  }
  print(report, options.json);
  return report.findings.empty() ? exit_ok : exit_findings;
}

} // namespace

void add_verify(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<verify_options>();
  auto* sub =
    app.add_subcommand("verify", "Check checksums, versions and every invariant of a journal");
  sub->add_option("--data", options->data, "data directory")->required();
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no progress");
  sub->footer("Example:\n  purser verify --data /tmp/shop\n"
              "Exit code: 0 all is well, 1 something is broken, 2 it could not be read.");
  sub->callback([&chosen, options] { chosen = [options] { return verify(*options); }; });
}

} // namespace purser::tools
