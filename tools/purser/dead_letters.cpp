// `purser dead-letters list|show|redrive|drop`: messages that were given up (B3).
#include "actors/views.hpp"
#include "config/text.hpp"
#include "runtime/inspect.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/data_action.hpp"
#include "tools/purser/logging.hpp"
#include "tools/purser/settings_file.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>

namespace purser::tools {

namespace {

/// How long workflows that an earlier run left under way, or a redrive began, may take to settle.
constexpr std::int64_t settle_timeout_ms = 60'000;

struct letter_options {
  std::vector<std::string> ids;
  bool all = false;
  std::string data;
  std::string config;
  bool json = false;
  bool quiet = false;
  std::string log_level = "off";
};

boost::json::object letter_object(const dead_letter& letter) {
  boost::json::object made{
    {"id", letter.id}, {"entity", to_string(letter.entity)}, {"message", letter.message}};
  if (!letter.key.empty())
    made["key"] = letter.key;
  if (letter.from)
    made["from"] = to_string(*letter.from);
  made["cause"] = letter.cause;
  made["attempts"] = letter.attempts;
  made["redrives"] = letter.redrives;
  made["version"] = letter.version;
  made["at"] = to_rfc3339(letter.at);
  made["kept_at"] = to_rfc3339(letter.kept_at);
  made["took_effect"] = letter.took_effect;
  if (!letter.cannot_redrive.empty())
    made["cannot_redrive"] = letter.cannot_redrive;
  made["body"] = letter.body.empty() ? boost::json::value{} : boost::json::parse(letter.body);
  return made;
}

std::string path_of_ids(const letter_options& options) {
  return "`purser dead-letters list --data " + options.data + "` lists them";
}

/// The letters that were named, in the order of the list. Complains of every other name.
/// @returns nothing when there was one.
std::optional<std::vector<dead_letter>> chosen_letters(const letter_options& options) {
  auto letters = inspector::open(options.data)->dead_letters();
  if (options.all)
    return letters;
  std::vector<std::string_view> known;
  for (const auto& letter : letters)
    known.push_back(letter.id);
  bool whole = true;
  for (const auto& id : options.ids)
    if (std::ranges::find(known, std::string_view{id}) == known.end()) {
      complain(options.data + " has no dead letter " + config::with_suggestion(id, known) + "; " +
               path_of_ids(options));
      whole = false;
    }
  if (!whole)
    return std::nullopt;
  std::erase_if(letters, [&](const dead_letter& letter) {
    return std::ranges::find(options.ids, letter.id) == options.ids.end();
  });
  return letters;
}

// -- list and show --------------------------------------------------------------------------------

int list(const letter_options& options) {
  const auto letters = inspector::open(options.data)->dead_letters();
  if (options.json) {
    boost::json::array all;
    for (const auto& letter : letters)
      all.push_back(letter_object(letter));
    std::cout << boost::json::serialize(boost::json::object{{"dead_letters", all}}) << '\n';
    return exit_ok;
  }
  if (letters.empty()) {
    if (!options.quiet)
      std::cout << "no dead letters\n";
    return exit_ok;
  }
  columns out{{"ID", "KEPT", "ENTITY", "VERSION", "MESSAGE", "ATTEMPTS", "CAUSE"}};
  for (const auto& letter : letters)
    out.row({letter.id, to_rfc3339(letter.kept_at), to_string(letter.entity),
             std::to_string(letter.version), letter.message, std::to_string(letter.attempts),
             letter.cause});
  std::cout << out.text();
  return exit_ok;
}

int show(const letter_options& options) {
  const auto found = chosen_letters(options);
  if (!found)
    return exit_findings;
  const auto made = letter_object(found->front());
  if (options.json)
    std::cout << boost::json::serialize(made) << '\n';
  else
    std::cout << fields_of(made);
  return exit_ok;
}

// -- redrive --------------------------------------------------------------------------------------

/// An engine on the directory. Its time stands at the newest event: no deadline passes because of a
/// redrive.
std::unique_ptr<engine> start_engine(const letter_options& options) {
  engine_options made;
  apply(load_settings(options.config), made);
  made.data_dir = options.data;
  made.time = engine_time::commands;
  made.logger = make_logger(options.log_level);
  return engine::start(std::move(made));
}

/// What became of a letter.
struct redriven_letter {
  dead_letter letter;
  std::string result; ///< "accepted", "rejected", "unknown" or "not_sent"
  std::string reason;
  bool duplicate = false;
  bool kept = true; ///< it is still among the dead letters
};

redriven_letter redrive_one(engine& on, const dead_letter& letter) {
  redriven_letter made{letter, "not_sent", letter.cannot_redrive, false, true};
  if (!letter.cannot_redrive.empty())
    return made;
  const auto result = on.redrive(letter.id).get();
  made.duplicate = result.duplicate;
  switch (result.result) {
  case outcome::accepted: made.result = "accepted"; break;
  case outcome::rejected:
    made.result = "rejected";
    made.reason = to_string(result.why);
    break;
  case outcome::unknown:
    made.result = "unknown";
    made.reason = result.detail;
    break;
  }
  const auto left = on.find_dead_letter(letter.id);
  made.kept = left.has_value();
  if (left && result.why == rejection::dead_lettered)
    made.reason += ": " + left->cause;
  return made;
}

boost::json::object redriven_object(const redriven_letter& one) {
  boost::json::object made{{"id", one.letter.id},
                           {"entity", to_string(one.letter.entity)},
                           {"message", one.letter.message},
                           {"result", one.result}};
  if (!one.reason.empty())
    made["reason"] = one.reason;
  made["duplicate"] = one.duplicate;
  made["kept"] = one.kept;
  return made;
}

void print(const std::vector<redriven_letter>& redriven, const letter_options& options) {
  if (options.json) {
    boost::json::array all;
    for (const auto& one : redriven)
      all.push_back(redriven_object(one));
    std::cout << boost::json::serialize(boost::json::object{{"redriven", all}}) << '\n';
    return;
  }
  if (redriven.empty()) {
    if (!options.quiet)
      std::cout << "no dead letters\n";
    return;
  }
  columns out{{"ID", "ENTITY", "MESSAGE", "LETTER", "RESULT"}};
  for (const auto& one : redriven)
    out.row({one.letter.id, to_string(one.letter.entity), one.letter.message,
             one.kept ? "kept" : "gone",
             one.result + (one.reason.empty() ? "" : " " + one.reason)});
  std::cout << out.text();
}

int redrive(const letter_options& options) {
  const auto letters = chosen_letters(options);
  if (!letters)
    return exit_findings;
  if (letters->empty()) {
    print({}, options);
    return exit_ok;
  }
  const auto running = start_engine(options);
  if (!running->wait_settled(settle_timeout_ms)) {
    complain("workflows of an earlier run do not settle; is a payment unknown?");
    return exit_could_not;
  }
  std::vector<redriven_letter> redriven;
  for (const auto& letter : *letters)
    redriven.push_back(redrive_one(*running, letter));
  const bool settled = running->wait_settled(settle_timeout_ms);
  print(redriven, options);
  if (!running->failure().empty()) {
    complain("the engine stopped: " + running->failure());
    return exit_could_not;
  }
  if (!settled)
    complain("some workflows have not settled");
  return std::ranges::any_of(redriven, &redriven_letter::kept) ? exit_findings : exit_ok;
}

// -- drop -----------------------------------------------------------------------------------------

int drop(const letter_options& options) {
  const auto letters = chosen_letters(options);
  if (!letters)
    return exit_findings;
  std::vector<std::string> ids;
  boost::json::array dropped;
  for (const auto& letter : *letters) {
    ids.push_back(letter.id);
    dropped.push_back(letter_object(letter));
  }
  drop_dead_letters(options.data, ids);
  if (options.json)
    std::cout << boost::json::serialize(boost::json::object{{"dropped", dropped}}) << '\n';
  else if (!options.quiet)
    for (const auto& letter : *letters)
      std::cout << "dropped " << letter.id << ": " << letter.message << " of "
                << to_string(letter.entity) << '\n';
  return exit_ok;
}

// -- The command line -----------------------------------------------------------------------------

void add_redrive(CLI::App& group, chosen_action& chosen) {
  const auto options = std::make_shared<letter_options>();
  auto* sub = add_data_action(group, chosen, options, "redrive",
                              "Send their messages again, in an engine on the directory", redrive);
  auto* ids = sub->add_option("ID", options->ids, "their ids");
  auto* all = sub->add_flag("--all", options->all, "every letter, the oldest first");
  ids->excludes(all);
  sub->add_option("--config", options->config, "settings of the engine");
  sub->add_option("--log-level", options->log_level,
                  "log to standard error: trace, debug, info, warn, error, off");
  sub->callback([&chosen, options] {
    if (options->ids.empty() && !options->all)
      throw CLI::RequiredError("ID or --all");
    chosen = [options] { return redrive(*options); };
  });
  sub->footer("Example:\n  purser dead-letters redrive --all --data /tmp/shop\n"
              "A client's command goes under a new command id, redrive/ID/N: its own was answered"
              " dead_lettered for ever.\nIf this is killed, run it again: what was sent already has"
              " no second effect.\n"
              "Exit code: 0 every letter was answered and is gone, 1 one was kept or there is none"
              " of that id, 2 it could not be run.");
}

} // namespace

void add_dead_letters(CLI::App& app, chosen_action& chosen) {
  auto* group = app.add_subcommand(
    "dead-letters", "Messages that crashed their entity too often and were given up");
  group->require_subcommand(1);
  auto* listing = add_data_action(*group, chosen, std::make_shared<letter_options>(), "list",
                                  "List them, the oldest first", list);
  listing->footer("Example:\n  purser dead-letters list --data /tmp/shop\n"
                  "Exit code: 0 listed, 2 they could not be read.");
  const auto one = std::make_shared<letter_options>();
  auto* showing = add_data_action(*group, chosen, one, "show", "Show one with its message", show);
  showing->add_option("ID", one->ids, "its id")->required()->expected(1);
  showing->footer("Example:\n  purser dead-letters show ID --data /tmp/shop\n"
                  "Exit code: 0 shown, 1 there is none, 2 it could not be read.");
  add_redrive(*group, chosen);
  const auto several = std::make_shared<letter_options>();
  auto* dropping =
    add_data_action(*group, chosen, several, "drop", "Forget them; all or none", drop);
  dropping->add_option("ID", several->ids, "their ids")->required();
  dropping->footer("Example:\n  purser dead-letters drop ID --data /tmp/shop\n"
                   "Exit code: 0 dropped, 1 there is none of that id (nothing is changed), 2 it"
                   " could not be done.");
}

} // namespace purser::tools
