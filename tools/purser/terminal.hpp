// What the program prints for people: tables, a progress bar, colors; none of it but on a terminal.
#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace purser::tools {

/// Whether standard error / standard output is a terminal that may be colored (NO_COLOR is
/// honored).
bool error_is_terminal();
bool output_is_terminal();

/// "1,330,735.70": thousands parted by commas.
std::string grouped(std::int64_t value);

/// An amount in minor units of a currency with `digits` decimals: "1,330,735.70".
std::string amount(std::int64_t minor_units, int digits = 2);

/// "0.36": with two decimals.
std::string decimal(double value);

/// A line on standard error: "purser: " and the message.
void complain(std::string_view message);

/// Two columns: right-aligned values.
class table {
public:
  void row(std::string name, std::string value);
  void heading(std::string text);
  std::string text() const;

private:
  struct table_line {
    std::string name;
    std::string value;
    bool heading = false;
  };
  std::vector<table_line> lines_;
};

/// Any number of columns under headings, left-aligned; what is in a cell stays on its line.
class columns {
public:
  explicit columns(std::vector<std::string> headings);
  void row(std::vector<std::string> cells);
  std::string text() const;

private:
  std::vector<std::vector<std::string>> rows_; ///< the first are the headings
};

/// "name: value", a line for each.
std::string fields_of(const boost::json::object& of);

/// One line on standard error, redrawn at most ten times a second, and only on a terminal.
class progress_bar {
public:
  /// `total` 0: not known, so only what is done is told.
  progress_bar(std::string label, std::uint64_t total, bool enabled);
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  void show(std::uint64_t done, std::string_view detail);
  void clear();

private:
  std::string label_;
  std::uint64_t total_;
  bool enabled_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point last_;
};

} // namespace purser::tools
