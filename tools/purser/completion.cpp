// `purser completion`: a completion script for bash, made from the command line itself.
#include "tools/purser/commands.hpp"

#include <iostream>

namespace purser::tools {

namespace {

/// "path)options" cases, one for each subcommand.
void print_cases(const CLI::App& app, const std::string& path) {
  std::string words;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    words += sub->get_name() + " ";
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames())
      words += "--" + name + " ";
  std::cout << "    \"" << path << "\") words=\"" << words << "\" ;;\n";
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    print_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name());
}

int print_completion(const CLI::App& app) {
  std::cout << "# bash completion of purser: source it, or put it in /etc/bash_completion.d\n"
               "_purser() {\n"
               "  local path=\"\" word words=\"\"\n"
               "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
               "    case $word in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n"
               "  done\n"
               "  case $path in\n";
  print_cases(app, "");
  std::cout
    << "  esac\n"
       "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
       "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "
       "\"${COMP_WORDS[COMP_CWORD]}\")\n"
       "}\n"
       "complete -F _purser purser\n";
  return exit_ok;
}

} // namespace

void add_completion(CLI::App& app, chosen_action& chosen) {
  auto* sub = app.add_subcommand("completion", "Print a completion script for bash");
  sub->footer("Example:\n  source <(purser completion)");
  sub->callback([&app, &chosen] { chosen = [&app] { return print_completion(app); }; });
}

} // namespace purser::tools
