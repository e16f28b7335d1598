// `purser quarantine list|show|release`: entities that were given up (B5).
#include "actors/views.hpp"
#include "config/text.hpp"
#include "runtime/inspect.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/data_action.hpp"
#include "tools/purser/entity_name.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>

namespace purser::tools {

namespace {

struct quarantine_options {
  std::vector<std::string> names;
  std::string data;
  bool json = false;
  bool quiet = false;
};

boost::json::object quarantine_object(const quarantined_entity& given_up) {
  return {{"entity", to_string(given_up.entity)}, {"cause", given_up.cause},
          {"crashes", given_up.crashes},          {"version", given_up.version},
          {"since", to_rfc3339(given_up.since)},  {"refused", given_up.refused}};
}

boost::json::array quarantine_array(const std::vector<quarantined_entity>& from) {
  boost::json::array all;
  for (const auto& given_up : from)
    all.push_back(quarantine_object(given_up));
  return all;
}

/// Those that were named. Complains of every other name. @returns nothing when there was one.
std::optional<std::vector<quarantined_entity>> chosen_ones(const quarantine_options& options) {
  std::vector<entity_ref> wanted;
  for (const auto& name : options.names)
    wanted.push_back(entity_named(name));
  auto quarantined = inspector::open(options.data)->quarantines();
  std::vector<std::string> names;
  for (const auto& given_up : quarantined)
    names.push_back(to_string(given_up.entity));
  const std::vector<std::string_view> known{names.begin(), names.end()};
  bool whole = true;
  for (const auto& name : options.names)
    if (std::ranges::find(names, name) == names.end()) {
      complain("in " + options.data + " nothing is quarantined under the name " +
               config::with_suggestion(name, known) + "; `purser quarantine list --data " +
               options.data + "` lists what is");
      whole = false;
    }
  if (!whole)
    return std::nullopt;
  std::erase_if(quarantined, [&](const quarantined_entity& given_up) {
    return std::ranges::find(wanted, given_up.entity) == wanted.end();
  });
  return quarantined;
}

int list(const quarantine_options& options) {
  const auto quarantined = inspector::open(options.data)->quarantines();
  if (options.json) {
    std::cout << boost::json::serialize(
                   boost::json::object{{"quarantined", quarantine_array(quarantined)}})
              << '\n';
    return exit_ok;
  }
  if (quarantined.empty()) {
    if (!options.quiet)
      std::cout << "nothing is quarantined\n";
    return exit_ok;
  }
  columns out{{"ENTITY", "SINCE", "VERSION", "CRASHES", "REFUSED", "CAUSE"}};
  for (const auto& given_up : quarantined)
    out.row({to_string(given_up.entity), to_rfc3339(given_up.since),
             std::to_string(given_up.version), std::to_string(given_up.crashes),
             std::to_string(given_up.refused), given_up.cause});
  std::cout << out.text();
  return exit_ok;
}

int show(const quarantine_options& options) {
  const auto found = chosen_ones(options);
  if (!found)
    return exit_findings;
  const auto made = quarantine_object(found->front());
  if (options.json)
    std::cout << boost::json::serialize(made) << '\n';
  else
    std::cout << fields_of(made);
  return exit_ok;
}

int release(const quarantine_options& options) {
  const auto found = chosen_ones(options);
  if (!found)
    return exit_findings;
  std::vector<entity_ref> entities;
  for (const auto& given_up : *found)
    entities.push_back(given_up.entity);
  release_quarantined(options.data, entities);
  if (options.json)
    std::cout << boost::json::serialize(boost::json::object{{"released", quarantine_array(*found)}})
              << '\n';
  else if (!options.quiet)
    for (const auto& entity : entities)
      std::cout << "released " << to_string(entity)
                << ": it is rebuilt when an engine has something for it\n";
  return exit_ok;
}

} // namespace

void add_quarantine(CLI::App& app, chosen_action& chosen) {
  auto* group = app.add_subcommand(
    "quarantine", "Entities that crashed too often in a row and are out of service");
  group->require_subcommand(1);
  auto* listing = add_data_action(*group, chosen, std::make_shared<quarantine_options>(), "list",
                                  "List them", list);
  listing->footer("Example:\n  purser quarantine list --data /tmp/shop\n"
                  "Exit code: 0 listed, 2 they could not be read.");
  const auto one = std::make_shared<quarantine_options>();
  auto* showing = add_data_action(*group, chosen, one, "show", "Show why and since when", show);
  showing->add_option("ENTITY", one->names, "like order/o-1")->required()->expected(1);
  showing->footer("Example:\n  purser quarantine show order/o-1 --data /tmp/shop\n"
                  "Exit code: 0 shown, 1 it is not quarantined, 2 it could not be read.");
  const auto several = std::make_shared<quarantine_options>();
  auto* releasing = add_data_action(*group, chosen, several, "release",
                                    "Put them back into service; all or none", release);
  releasing->add_option("ENTITY", several->names, "like order/o-1")->required();
  releasing->footer("Example:\n  purser quarantine release order/o-1 --data /tmp/shop\n"
                    "One that still cannot be rebuilt is quarantined again.\n"
                    "Exit code: 0 released, 1 one is not quarantined (nothing is changed), 2 it"
                    " could not be done.");
}

} // namespace purser::tools
