// A subcommand of a group whose subcommands all look at one data directory.
#pragma once

#include "tools/purser/commands.hpp"

#include <memory>

namespace purser::tools {

/// Adds one with --data, --json and --quiet. `Options` has data, json and quiet.
template <class Options>
CLI::App* add_data_action(CLI::App& group, chosen_action& chosen,
                          const std::shared_ptr<Options>& options, const char* name,
                          const char* what, int (*action)(const Options&)) {
  auto* sub = group.add_subcommand(name, what);
  sub->add_option("--data", options->data, "data directory")->required();
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->callback(
    [&chosen, options, action] { chosen = [options, action] { return action(*options); }; });
  return sub;
}

} // namespace purser::tools
