// `purser completion`: completion scripts for bash, zsh and fish, made from the command line
// itself.
#include "tools/purser/commands.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace purser::tools {

namespace {

/// A word that may come next, and what it is.
struct word {
  std::string text;
  std::string description;
  bool takes_value = false; ///< of an option
};

/// What may follow one subcommand.
struct place {
  std::string path; ///< "order show"; "" for the program itself
  std::vector<word> subcommands;
  std::vector<word> options;
};

/// The program's own place first, then every subcommand's, each before those below it.
void visit(const CLI::App& app, const std::string& path, std::vector<place>& places) {
  place here{path, {}, {}};
  const auto visible = [](const CLI::App* sub) {
    return !sub->get_name().empty() && !sub->get_group().empty();
  };
  const auto subcommands = app.get_subcommands(visible);
  for (const auto* sub : subcommands)
    here.subcommands.push_back({sub->get_name(), sub->get_description()});
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames())
      here.options.push_back(
        {"--" + name, option->get_description(), option->get_items_expected_max() > 0});
  places.push_back(std::move(here));
  for (const auto* sub : subcommands)
    visit(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), places);
}

std::vector<place> places_of(const CLI::App& app) {
  std::vector<place> places;
  visit(app, "", places);
  return places;
}

/// In single quotes; `escaped` stands for a quote within.
std::string quoted(std::string_view text, std::string_view escaped) {
  std::string made = "'";
  for (const char c : text)
    if (c == '\'')
      made += escaped;
    else
      made += c;
  return made + "'";
}

/// Every path but the program's own, in double quotes and parted by `separator`.
std::string paths(const std::vector<place>& places, std::string_view separator) {
  std::string made;
  for (const auto& here : places)
    if (!here.path.empty())
      made.append(made.empty() ? "" : separator).append("\"" + here.path + "\"");
  return made;
}

std::string joined(const std::vector<word>& words, bool only_with_value = false) {
  std::string made;
  for (const auto& next : words)
    if (next.takes_value || !only_with_value)
      made.append(made.empty() ? "" : " ").append(next.text);
  return made;
}

void print_bash(const std::vector<place>& places, std::ostream& out) {
  out << "# bash completion of purser: source it, or put it in /etc/bash_completion.d\n"
         "_purser() {\n"
         "  local place=\"\" word words=\"\" values=\"\"\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"${place:+$place }$word\" in\n      "
      << paths(places, " | ")
      << ") place=\"${place:+$place }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case $place in\n";
  for (const auto& here : places)
    out << "    \"" << here.path << "\") words=\"" << joined(here.subcommands)
        << (here.subcommands.empty() ? "" : " ") << joined(here.options) << "\" values=\""
        << joined(here.options, true) << "\" ;;\n";
  out << "  esac\n"
         "  COMPREPLY=() # nothing: a file's name\n"
         "  [[ \" $values \" == *\" ${COMP_WORDS[COMP_CWORD-1]} \"* ]] ||\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -o default -F _purser purser\n";
}

/// ('name:what it is' ...), as _describe wants it.
std::string described(const std::vector<word>& words) {
  std::string made = "(";
  for (const auto& next : words)
    made.append(made.size() > 1 ? " " : "")
      .append(quoted(next.text + ":" + next.description, "'\\''"));
  return made + ")";
}

void print_zsh(const std::vector<place>& places, std::ostream& out) {
  out << "#compdef purser\n"
         "# zsh completion of purser: put it in a directory of $fpath as _purser, or source it\n"
         "_purser() {\n"
         "  local place= word values=\n"
         "  local -a subcommands options\n"
         "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
         "    case \"${place:+$place }$word\" in\n      ("
      << paths(places, " | ")
      << ") place=\"${place:+$place }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case $place in\n";
  for (const auto& here : places)
    out << "    (\"" << here.path << "\")\n      subcommands=" << described(here.subcommands)
        << "\n      options=" << described(here.options) << "\n      values=\""
        << joined(here.options, true) << "\"\n      ;;\n";
  out << "  esac\n"
         "  if [[ \" $values \" == *\" ${words[CURRENT-1]} \"* ]]; then\n"
         "    _files\n"
         "    return\n"
         "  fi\n"
         "  (( ${#subcommands} )) && _describe -t commands subcommand subcommands\n"
         "  [[ $PREFIX == -* ]] && _describe -o -t options option options\n"
         "  (( ${#subcommands} )) || [[ $PREFIX == -* ]] || _files\n"
         "}\n"
         "if [[ ${funcstack[1]} == _purser ]]; then\n"
         "  _purser \"$@\"\n"
         "else\n"
         "  compdef _purser purser\n"
         "fi\n";
}

void print_fish(const std::vector<place>& places, std::ostream& out) {
  constexpr std::string_view quote = "\\'";
  out << "# fish completion of purser: source it, or put it in ~/.config/fish/completions\n"
         "function __purser_place\n"
         "    set -l place\n"
         "    for word in (commandline -opc)[2..-1]\n"
         "        switch \"$place $word\"\n"
         "            case";
  for (const auto& here : places)
    if (!here.path.empty())
      out << " \" " << here.path << "\"";
  out << "\n"
         "                set place \"$place $word\"\n"
         "        end\n"
         "    end\n"
         "    test \"$place\" = \"$argv[1]\"\n"
         "end\n";
  for (const auto& here : places) {
    const auto when = "complete -c purser -n '__purser_place \"" +
                      (here.path.empty() ? "" : " " + here.path) + "\"'";
    if (!here.subcommands.empty())
      out << when << " -f\n";
    for (const auto& next : here.subcommands)
      out << when << " -a " << next.text << " -d " << quoted(next.description, quote) << "\n";
    for (const auto& next : here.options)
      out << when << " -l " << next.text.substr(2) << (next.takes_value ? " -r -F" : "") << " -d "
          << quoted(next.description, quote) << "\n";
  }
}

int print_completion(const CLI::App& app, const std::string& shell) {
  const auto places = places_of(app);
  if (shell == "zsh")
    print_zsh(places, std::cout);
  else if (shell == "fish")
    print_fish(places, std::cout);
  else
    print_bash(places, std::cout);
  return exit_ok;
}

} // namespace

void add_completion(CLI::App& app, chosen_action& chosen) {
  auto* sub = app.add_subcommand("completion", "Print a completion script for a shell");
  sub->footer("Example:\n  source <(purser completion bash)");
  auto shell = std::make_shared<std::string>("bash");
  sub->add_option("SHELL", *shell, "bash, zsh or fish [bash]")
    ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  sub->callback(
    [&app, &chosen, shell] { chosen = [&app, shell] { return print_completion(app, *shell); }; });
}

} // namespace purser::tools
