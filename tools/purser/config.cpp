// `purser config check|show|schema`.
#include "runtime/json/command_json.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/scenario.hpp"
#include "tools/purser/settings_file.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>

#include <iostream>

namespace purser::tools {

namespace {

struct config_options {
  std::string file;
  bool json = false;
  bool quiet = false;
};

int check(const config_options& options) {
  try {
    load_settings(options.file);
  } catch (const std::runtime_error& error) {
    std::cerr << error.what() << '\n';
    return exit_findings;
  }
  if (options.json)
    std::cout << boost::json::serialize(boost::json::object{{"ok", true}}) << '\n';
  else if (!options.quiet)
    std::cout << options.file << " is good\n";
  return exit_ok;
}

int show(const config_options& options) {
  const auto settings = load_settings(options.file);
  const config::settings defaults;
  boost::json::array all;
  for (const auto& rule : config::setting_rules())
    all.push_back(boost::json::object{{"setting", rule.pointer},
                                      {"value", config::value_of(settings, rule.pointer)},
                                      {"default", config::value_of(defaults, rule.pointer)},
                                      {"unit", rule.unit},
                                      {"least", rule.least},
                                      {"most", rule.most},
                                      {"meaning", rule.meaning}});
  if (options.json) {
    std::cout << boost::json::serialize(all) << '\n';
    return exit_ok;
  }
  std::cout << fmt::format("{:<30} {:>12} {:<9} {}\n", "setting", "value", "unit",
                           "meaning [default; from to]");
  for (const auto& entry : all) {
    const auto& it = entry.as_object();
    const auto text = [&it](const char* name) { return std::string{it.at(name).as_string()}; };
    const auto number = [&it](const char* name) { return grouped(it.at(name).as_int64()); };
    std::cout << fmt::format("{:<30} {:>12} {:<9} {} [{}; {} to {}]\n", text("setting"),
                             number("value"), text("unit"), text("meaning"), number("default"),
                             number("least"), number("most"));
  }
  return exit_ok;
}

int print_schema(const std::string& of) {
  const auto schema = of == "command" ? command_schema() : scenario_schema();
  std::cout << boost::json::serialize(schema) << '\n';
  return exit_ok;
}

} // namespace

void add_config(CLI::App& app, chosen_action& chosen) {
  auto* group = app.add_subcommand("config", "Check and show settings; schemas of formats");
  group->require_subcommand(1);
  auto options = std::make_shared<config_options>();
  auto* checking = group->add_subcommand("check", "Check a settings file");
  checking->add_option("FILE", options->file, "the settings, as JSON")->required();
  checking->footer("Example:\n  purser config check config/samples/purser.json");
  checking->callback([&chosen, options] { chosen = [options] { return check(*options); }; });
  auto* showing = group->add_subcommand("show", "Show every setting: value, default, unit, bounds");
  showing->add_option("--config", options->file, "the settings, as JSON [the defaults]");
  showing->footer("Example:\n  purser config show --config config/samples/purser.json");
  showing->callback([&chosen, options] { chosen = [options] { return show(*options); }; });
  auto of = std::make_shared<std::string>("scenario");
  auto* schema = group->add_subcommand("schema", "Print the JSON Schema of a format");
  schema->add_option("FORMAT", *of, "scenario [default] or command")
    ->check(CLI::IsMember({"scenario", "command"}));
  schema->footer("Example:\n  purser config schema > scenario.schema.json");
  schema->callback([&chosen, of] { chosen = [of] { return print_schema(*of); }; });
  for (auto* sub : {checking, showing}) {
    sub->add_flag("--json", options->json, "print one JSON document");
    sub->add_flag("--quiet", options->quiet, "no notes");
  }
}

} // namespace purser::tools
