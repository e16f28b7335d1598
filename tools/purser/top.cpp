// `purser top`: a running engine, live in a terminal.
#include "runtime/engine.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/terminal.hpp"
#include "tools/purser/top_frame.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>

namespace purser::tools {

namespace {

constexpr std::size_t most_events = 64;
constexpr std::int64_t shortest_interval_ms = 100;
constexpr std::int64_t longest_interval_ms = 60'000;

struct top_options {
  std::string data;
  std::int64_t interval_ms = 1'000;
  bool once = false;
};

std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  const auto value = text == nullptr ? 0 : std::strtoul(text, nullptr, 10);
  return value == 0 ? otherwise : value;
}

frame_shape shape_of_output() {
  frame_shape made;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    made.columns = size.ws_col;
    made.lines = size.ws_row;
  } else {
    made.columns = from_environment("COLUMNS", made.columns);
    made.lines = from_environment("LINES", made.lines);
  }
  made.colored = output_is_terminal();
  return made;
}

/// The whole screen, without echo and line by line input; given back however this ends.
class full_screen {
public:
  full_screen() {
    ::tcgetattr(STDIN_FILENO, &before_);
    auto raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE; // a stopped process would keep the screen
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    std::cout << "\x1b[?1049h\x1b[?25l\x1b[?7l" << std::flush;
  }
  ~full_screen() {
    std::cout << "\x1b[?7h\x1b[?25h\x1b[?1049l" << std::flush;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;

  static void draw(const std::vector<std::string>& lines) {
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i)
      out += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
    std::cout << out + "\x1b[J" << std::flush;
  }

private:
  termios before_{};
};

bool quits(char key) {
  constexpr char ctrl_d = 4;
  return key == 'q' || key == 'Q' || key == ctrl_d;
}

/// @returns whether to go on: nobody has quit meanwhile.
bool wait_for_key(const interruption& stop, std::int64_t timeout_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{timeout_ms};
  for (;;) {
    const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return true;
    pollfd files[] = {{stop.file(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (::poll(files, std::size(files), static_cast<int>(left.count())) < 0 && errno != EINTR)
      return false;
    if (files[0].revents != 0)
      return false;
    if (files[1].revents == 0)
      continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) != 1)
      return false; // the terminal has gone
    if (quits(key))
      return false;
  }
}

int print_once(const top_options& options) {
  control_client engine{options.data};
  const auto before = take_sample(engine, 0);
  ::poll(nullptr, 0, static_cast<int>(options.interval_ms));
  const auto now = take_sample(engine, most_events);
  for (const auto& line : top_frame(options.data, now, &before, shape_of_output()))
    std::cout << line << '\n';
  return exit_ok;
}

int show_live(const top_options& options) {
  interruption stop{default_stop_within_ms, false};
  auto engine = std::make_unique<control_client>(options.data);
  const full_screen screen;
  std::optional<engine_sample> before;
  do {
    try {
      if (!engine)
        engine = std::make_unique<control_client>(options.data);
      auto now = take_sample(*engine, most_events);
      const bool another =
        before && number_in(now.figures, "uptime_ms") < number_in(before->figures, "uptime_ms");
      full_screen::draw(
        top_frame(options.data, now, before && !another ? &*before : nullptr, shape_of_output()));
      before = std::move(now);
    } catch (const engine_error& error) { // it ended; perhaps another one starts
      engine.reset();
      before.reset();
      const auto columns = shape_of_output().columns;
      full_screen::draw({fitted("purser top  " + options.data, columns),
                         fitted(error.what(), columns), "waiting for an engine; q quits"});
    }
  } while (wait_for_key(stop, options.interval_ms));
  return exit_ok;
}

int top(const top_options& options) {
  const char* term = std::getenv("TERM");
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 &&
                        (term == nullptr || std::string_view{term} != "dumb");
  return options.once || !terminal ? print_once(options) : show_live(options);
}

} // namespace

void add_top(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<top_options>();
  auto* sub = app.add_subcommand("top", "Watch a running engine: rates, health, actors, crashes");
  sub->add_option("--data,--data-dir", options->data, "data directory of the running engine")
    ->required();
  sub->add_option("--interval", options->interval_ms, "milliseconds between two frames [1000]")
    ->check(CLI::Range(shortest_interval_ms, longest_interval_ms));
  sub->add_flag("--once", options->once, "print one frame and end, as without a terminal");
  sub->footer("Example:\n  purser top --data /tmp/shop\n"
              "q or Ctrl-C ends it. Rates are of the last interval; actors in trouble come first,"
              " then the busiest.\n"
              "Exit code: 0, or 2 when no engine has the directory open.");
  sub->callback([&chosen, options] { chosen = [options] { return top(*options); }; });
}

} // namespace purser::tools
