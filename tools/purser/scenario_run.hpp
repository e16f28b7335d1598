// Runs a scenario against an engine whose time it drives, and tells what happens.
#pragma once

#include "config/settings.hpp"
#include "runtime/engine.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/scenario.hpp"
#include "tools/purser/summary.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace purser::tools {

struct scenario_options {
  std::optional<std::filesystem::path> data; ///< else a directory that goes with the run
  std::uint64_t crash_every = 0;
  std::ostream* timeline = nullptr; ///< null: silent
  std::string log_level = "off";
  interruption* interrupted = nullptr; ///< ends the run after the step that is under way
};

/// What did not hold, in words.
struct scenario_failure {
  std::size_t step = 0; ///< 1, 2, 3...
  std::string text;
};
BOOST_DESCRIBE_STRUCT(scenario_failure, (), (step, text))

struct scenario_result {
  std::size_t expectations = 0;
  std::vector<scenario_failure> failures;
  std::size_t resumed_at =
    0; ///< the step at which a run was taken up that had been killed; 0: none
  run_summary summary;
};

class scenario_run {
public:
  /// Throws engine_error, std::runtime_error.
  scenario_run(scenario story, scenario_options options);
  ~scenario_run();

  /// Throws std::runtime_error when it cannot be carried out.
  scenario_result run();

private:
  struct seen {
    std::size_t step = 0;
    event_notice event;
  };

  void start();
  void stop_engine(bool kill);
  void take_up();
  void note_progress();
  std::filesystem::path progress_file() const { return data_ / "scenario.progress"; }

  void carry_out(const scenario_step& step);
  void redrive(const scenario_step& step);
  void send(const std::vector<boost::json::value>& commands, const scenario_step& step);
  void pass(unix_millis to);
  void settle();
  void check(const scenario_step& step);
  boost::json::value look(const expectation& what);
  std::string how_it_came(const expectation& what, const boost::json::value& found);

  void fail(const std::string& text);
  void tell(const std::string& text);
  void tell_events();

  scenario scenario_;
  scenario_options options_;
  config::settings settings_;
  std::filesystem::path data_;
  bool own_data_ = false;
  std::shared_ptr<simulated_provider> provider_;
  std::unique_ptr<engine> engine_;
  std::unique_ptr<subscription> feed_;
  std::mutex mutex_; ///< of what callbacks write
  std::condition_variable came_;
  std::vector<event_notice> events_;                 ///< not yet told
  std::uint64_t position_ = 0;                       ///< of the newest event that came
  std::map<std::string, std::vector<seen>> history_; ///< by stream
  std::size_t step_ = 0;
  replay_counts counts_;
  engine_figures figures_before_; ///< of the engine's earlier lives
  scenario_result result_;
};

/// Whether every part of `wanted` is in `found`: objects by their fields, lists element by element.
bool contains(const boost::json::value& found, const boost::json::value& wanted);

} // namespace purser::tools
