#include "runtime/version.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/terminal.hpp"

#include <exception>

namespace purser::tools {

void add_stop_within(CLI::App& to, std::int64_t& stop_within_ms) {
  to.add_option("--stop-within", stop_within_ms,
                "milliseconds that it may take to stop when it is interrupted [10000]")
    ->check(CLI::Range(std::int64_t{1}, longest_stop_within_ms));
}

namespace {

int run(int argc, char** argv) {
  CLI::App app{
    "purser: an order engine that never oversells, never charges twice, and never loses an"
    " acknowledged order."};
  app.set_version_flag("--version", std::string{"purser "} + version);
  app.require_subcommand(1);
  app.footer(
    "Example:\n  purser replay config/samples/northwind.jsonl --data /tmp/shop --crash-every 20\n"
    "  purser order show NW-10248 --data /tmp/shop --history\n"
    "`purser SUBCOMMAND --help` tells more.");
  chosen_action chosen;
  add_replay(app, chosen);
  add_run(app, chosen);
  add_show(app, chosen);
  add_export(app, chosen);
  add_verify(app, chosen);
  add_simulate(app, chosen);
  add_backup(app, chosen);
  add_restore(app, chosen);
  add_archive(app, chosen);
  add_reconcile(app, chosen);
  add_dead_letters(app, chosen);
  add_quarantine(app, chosen);
  add_bench(app, chosen);
  add_tree(app, chosen);
  add_health(app, chosen);
  add_top(app, chosen);
  add_config(app, chosen);
  add_completion(app, chosen);
  try {
    app.parse(argc, argv);
    return chosen ? chosen() : exit_could_not;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? exit_ok : exit_could_not;
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_could_not;
  }
}

} // namespace

} // namespace purser::tools

int main(int argc, char** argv) {
  return purser::tools::run(argc, argv);
}
