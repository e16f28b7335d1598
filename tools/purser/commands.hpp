// The subcommands: each adds itself to the command line, and runs when it was named.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>

namespace purser::tools {

/// Exit codes (contract.md, section 3).
inline constexpr int exit_ok = 0;
inline constexpr int exit_findings = 1; ///< a line was invalid, an invariant broken, a check failed
inline constexpr int exit_could_not = 2; ///< it could not be run

/// Adds --stop-within.
void add_stop_within(CLI::App& to, std::int64_t& stop_within_ms);

/// Set by the subcommand that was named; called when the command line has been read.
using chosen_action = std::function<int()>;

void add_replay(CLI::App& app, chosen_action& chosen);
void add_run(CLI::App& app, chosen_action& chosen);
void add_show(CLI::App& app, chosen_action& chosen);
void add_export(CLI::App& app, chosen_action& chosen);
void add_verify(CLI::App& app, chosen_action& chosen);
void add_simulate(CLI::App& app, chosen_action& chosen);
void add_backup(CLI::App& app, chosen_action& chosen);
void add_restore(CLI::App& app, chosen_action& chosen);
void add_archive(CLI::App& app, chosen_action& chosen);
void add_reconcile(CLI::App& app, chosen_action& chosen);
void add_dead_letters(CLI::App& app, chosen_action& chosen);
void add_quarantine(CLI::App& app, chosen_action& chosen);
void add_bench(CLI::App& app, chosen_action& chosen);
void add_tree(CLI::App& app, chosen_action& chosen);
void add_health(CLI::App& app, chosen_action& chosen);
void add_top(CLI::App& app, chosen_action& chosen);
void add_config(CLI::App& app, chosen_action& chosen);
void add_completion(CLI::App& app, chosen_action& chosen);

} // namespace purser::tools
