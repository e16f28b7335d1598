// `purser replay FILE.jsonl`: one command per line.
#include "runtime/engine.hpp"
#include "runtime/json/command_json.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/line_reader.hpp"
#include "tools/purser/logging.hpp"
#include "tools/purser/replayer.hpp"
#include "tools/purser/settings_file.hpp"
#include "tools/purser/summary.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <iostream>
#include <unordered_map>

namespace purser::tools {

namespace {

/// How long workflows that an earlier run left under way may take to settle.
constexpr std::int64_t settle_timeout_ms = 60'000;

struct replay_options {
  std::string file;
  std::string data;
  std::uint64_t crash_every = 0;
  std::size_t window = 0; ///< 0: the settings'
  std::string config;
  std::string provider_list;
  std::int64_t stop_within_ms = default_stop_within_ms;
  bool strict = false;
  bool json = false;
  bool quiet = false;
  std::string log_level = "off";
};

class replay_run {
public:
  explicit replay_run(const replay_options& options)
      : options_(options), settings_(load_settings(options.config)),
        interruption_(options.stop_within_ms, !options.quiet),
        input_(options.file, interruption_.file()), engine_(engine::start(engine_settings())),
        sender_(*engine_, limits()), name_(options.file == "-" ? "-" : options.file) {}

  ~replay_run() { interruption_.on_overdue(nullptr); }
  replay_run(const replay_run&) = delete;
  replay_run& operator=(const replay_run&) = delete;

  int run() {
    if (options_.data.empty() && !options_.quiet)
      complain("no --data: everything is in memory and gone at the end");
    interruption_.on_overdue([this] { return engine_->health().reasons; });
    interruption_.now_at("the workflows that an earlier run left");
    if (!settled() && !interruption_.happened()) {
      complain("workflows of an earlier run do not settle; is a payment unknown?");
      return exit_could_not;
    }
    interruption_.now_at("the command that was next");
    const bool whole = replay_lines();
    interruption_.now_at("commands under way");
    if (!sender_.finish() || !engine_->failure().empty()) {
      const auto why = engine_->failure().empty() ? sender_.failure() : engine_->failure();
      complain("the engine stopped: " + why);
      return exit_could_not;
    }
    interruption_.now_at("workflows under way");
    if (!engine_->wait_settled(settle_timeout_ms) && !options_.quiet)
      complain("some workflows have not settled");
    // A parked order has no open step, and yet the late answer to its payment may be on its way.
    if (!engine_->wait_idle(settle_timeout_ms) && !options_.quiet)
      complain("something still goes on: the audit may see the middle of it");
    const auto seconds = elapsed();
    interruption_.now_at("the audit");
    auto report = engine_->audit();
    const auto figures = engine_->figures();
    stop();
    print(report, figures, seconds);
    for (const auto& finding : report.findings)
      complain("broken invariant: " + finding);
    if (interruption_.happened()) {
      if (!options_.quiet)
        complain(interruption_.name() + ": stopped after " +
                 grouped(static_cast<std::int64_t>(counts_.read)) +
                 " commands; what was accepted is kept");
      return interruption_.exit_code();
    }
    return !whole || counts_.invalid > 0 || report.invariants.broken > 0 ? exit_findings : exit_ok;
  }

private:
  /// @returns false when it takes too long, or was interrupted.
  bool settled() {
    constexpr std::int64_t slice_ms = 100;
    for (std::int64_t waited = 0; waited < settle_timeout_ms; waited += slice_ms)
      if (interruption_.happened() || engine_->wait_settled(slice_ms))
        return !interruption_.happened();
    return false;
  }

  void stop() {
    interruption_.now_at("the engine's end");
    engine_->stop();
    interruption_.on_overdue(nullptr);
  }

  replayer::limits limits() const {
    replayer::limits made;
    made.commands =
      options_.window != 0 ? options_.window : static_cast<std::size_t>(settings_.replay.window);
    return made;
  }

  engine_options engine_settings() const {
    engine_options made;
    apply(settings_, made);
    if (!options_.data.empty())
      made.data_dir = options_.data;
    made.time = engine_time::commands;
    made.control_socket = true;
    made.crash_every = options_.crash_every;
    made.logger = make_logger(options_.log_level);
    if (!options_.provider_list.empty())
      made.simulated.list = options_.provider_list;
    return made;
  }

  /// @returns false when --strict stopped at an invalid line.
  bool replay_lines() {
    progress_bar bar{"replay", input_.total_bytes(), !options_.quiet};
    while (!interruption_.happened() && input_.next()) {
      const auto line = input_.line();
      if (!input_.too_long() && line.find_first_not_of(" \t\r") == std::string_view::npos)
        continue;
      ++counts_.read;
      if (!replay_line(line)) {
        if (options_.strict)
          return false;
        if (!sender_.failure().empty())
          return true;
      }
      bar.show(input_.bytes_read(),
               grouped(static_cast<std::int64_t>(counts_.read)) + " commands, " +
                 grouped(static_cast<std::int64_t>(static_cast<double>(counts_.read) / elapsed())) +
                 "/s");
    }
    return true;
  }

  /// @returns whether it was valid and sent.
  bool replay_line(std::string_view line) {
    if (input_.too_long())
      return invalid("", "the line is longer than 8 MiB; it was skipped");
    auto parsed = parse_command(line);
    if (const auto* mistake = std::get_if<command_error>(&parsed))
      return invalid(mistake->pointer, mistake->message);
    auto& request = std::get<command>(parsed);
    if (request.command_id.empty() && needs_command_id(request.body)) {
      const auto hash = std::hash<std::string_view>{}(line);
      request.command_id = derived_command_id(line, occurrences_[hash]++);
    }
    // The clock is the largest time so far: each command is decided at its own, however they
    // overlap.
    newest_ = std::max(newest_, request.at.value_or(timestamp{}).ms);
    request.at = timestamp{newest_};
    fill_ids(request);
    return pass_time() && sender_.send(std::move(request));
  }

  /// Deadlines that pass before the command do so first, when all before it has settled.
  bool pass_time() {
    if (newest_ <= engine_->now())
      return true;
    const auto due = engine_->next_due();
    if (!due || *due > newest_)
      return true;
    if (!sender_.finish())
      return false;
    if (!engine_->advance_time(newest_, settle_timeout_ms) && !options_.quiet)
      complain("some workflows have not settled");
    return true;
  }

  /// A command with an id of its own needs no other; so no occurrences need be counted for it.
  static bool needs_command_id(const command_body& body) {
    if (const auto* receipt = std::get_if<receive_stock>(&body))
      return receipt->receipt_id.empty();
    if (const auto* batch = std::get_if<receive_batch>(&body))
      return batch->batch_id.empty();
    if (const auto* adjustment = std::get_if<adjust_stock>(&body))
      return adjustment->adjustment_id.empty();
    if (const auto* place = std::get_if<place_order>(&body))
      return place->order_id.empty();
    return !std::holds_alternative<ship_order>(body) &&
           !std::holds_alternative<reserve_stock>(body);
  }

  bool invalid(const std::string& pointer, const std::string& message) {
    ++counts_.invalid;
    std::cerr << fmt::format("{}:{}: {}: {}\n", name_, input_.number(), pointer, message);
    return false;
  }

  double elapsed() const {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - began_;
    return std::max(since.count(), 1e-9);
  }

  // -- The summary --------------------------------------------------------------------------------

  void print(const audit_report& report, const engine_figures& figures, double seconds) {
    const auto answered = sender_.counts();
    counts_.accepted = answered.accepted;
    counts_.rejected = answered.rejected;
    counts_.duplicate = answered.duplicate;
    run_summary summary{
      counts_, report, supervision_of(figures),
      run_of(figures, seconds, counts_.read, options_.data.empty() ? "memory" : options_.data)};
    summary.run.interrupted = interruption_.name();
    if (options_.json)
      std::cout << boost::json::serialize(to_json(summary)) << '\n';
    else
      std::cout << to_table(summary);
  }

  replay_options options_;
  config::settings settings_;
  interruption interruption_; // before the engine's threads
  line_reader input_;
  std::unique_ptr<engine> engine_;
  replayer sender_;
  std::string name_;
  replay_counts counts_;
  unix_millis newest_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> occurrences_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

} // namespace

void add_replay(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<replay_options>();
  auto* sub =
    app.add_subcommand("replay", "Carry out the commands of a JSON Lines file, one per line");
  sub->add_option("FILE", options->file, "the commands; - reads standard input")->required();
  sub->add_option("--data", options->data, "data directory; without it everything is in memory");
  sub->add_option("--config", options->config, "settings file, as JSON");
  sub->add_option("--crash-every", options->crash_every,
                  "crash the actor that handles every N-th command, to see it heal");
  sub->add_option("--provider-list", options->provider_list,
                  "the simulated provider keeps its list of operations in this file");
  sub->add_option("--window", options->window, "commands under way at once")
    ->check(CLI::Range(std::size_t{1}, std::size_t{4'096}));
  add_stop_within(*sub, options->stop_within_ms);
  sub->add_flag("--strict", options->strict, "stop at the first invalid line");
  sub->add_flag("--json", options->json, "print the summary as one JSON document");
  sub->add_flag("--quiet", options->quiet, "no progress, no notes");
  sub->add_option("--log-level", options->log_level, "trace, debug, info, warn, error or off");
  sub->footer(
    "Example:\n  purser replay config/samples/northwind.jsonl --data /tmp/shop\n"
    "Running a file again on the same directory changes nothing: every command counts as a"
    " duplicate.\nExit code: 0 all lines were valid, 1 one was not or an invariant is broken,"
    " 2 it could not be run;\n130 or 143 interrupted by SIGINT or SIGTERM and stopped in order,"
    " 124 not stopped within --stop-within.");
  sub->callback([&chosen, options] { chosen = [options] { return replay_run{*options}.run(); }; });
}

} // namespace purser::tools
