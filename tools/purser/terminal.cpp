#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace purser::tools {

namespace {

constexpr auto redraw_interval = std::chrono::milliseconds{100};
constexpr std::size_t bar_width = 24;

bool may_draw(int file) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(file) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view{term} != "dumb");
}

} // namespace

bool error_is_terminal() {
  return may_draw(STDERR_FILENO);
}
bool output_is_terminal() {
  return may_draw(STDOUT_FILENO);
}

std::string grouped(std::int64_t value) {
  auto digits = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3;
       at > static_cast<std::ptrdiff_t>(sign); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string amount(std::int64_t minor_units, int digits) {
  std::int64_t unit = 1;
  for (int i = 0; i < digits; ++i)
    unit *= 10;
  auto text = (minor_units < 0 ? "-" : "") + grouped(std::abs(minor_units / unit));
  if (digits > 0) {
    auto rest = std::to_string(std::abs(minor_units % unit));
    text += "." + std::string(static_cast<std::size_t>(digits) - rest.size(), '0') + rest;
  }
  return text;
}

std::string decimal(double value) {
  return fmt::format("{:.2f}", value);
}

void complain(std::string_view message) {
  std::cerr << fmt::format("purser: {}\n", message);
}

void table::row(std::string name, std::string value) {
  lines_.push_back({std::move(name), std::move(value), false});
}

void table::heading(std::string text) {
  lines_.push_back({std::move(text), "", true});
}

std::string table::text() const {
  std::size_t names = 0;
  std::size_t values = 0;
  for (const auto& line : lines_)
    if (!line.heading) {
      names = std::max(names, line.name.size());
      values = std::max(values, line.value.size());
    }
  const bool colored = output_is_terminal();
  std::string out;
  for (const auto& line : lines_) {
    if (line.heading)
      out += (colored ? "\x1b[1m" : "") + line.name + (colored ? "\x1b[0m" : "") + "\n";
    else
      out += "  " + line.name + std::string(names - line.name.size() + 2, ' ') +
             std::string(values - line.value.size(), ' ') + line.value + "\n";
  }
  return out;
}

columns::columns(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void columns::row(std::vector<std::string> cells) {
  for (auto& cell : cells)
    for (auto& c : cell)
      if (static_cast<unsigned char>(c) < ' ')
        c = ' ';
  rows_.push_back(std::move(cells));
}

std::string columns::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& cells : rows_)
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], cells[i].size());
  std::string out;
  for (const auto& cells : rows_) {
    for (std::size_t i = 0; i + 1 < cells.size(); ++i)
      out += cells[i] + std::string(widths[i] - cells[i].size() + 2, ' ');
    out += cells.back() + "\n";
  }
  return out;
}

std::string fields_of(const boost::json::object& of) {
  std::string out;
  for (const auto& field : of) {
    const auto* text = field.value().if_string();
    out += std::string{field.key()} + ": " +
           (text != nullptr ? std::string{*text} : boost::json::serialize(field.value())) + "\n";
  }
  return out;
}

progress_bar::progress_bar(std::string label, std::uint64_t total, bool enabled)
    : label_(std::move(label)), total_(total), enabled_(enabled && error_is_terminal()),
      began_(std::chrono::steady_clock::now()) {}

progress_bar::~progress_bar() {
  clear();
}

void progress_bar::show(std::uint64_t done, std::string_view detail) {
  const auto now = std::chrono::steady_clock::now();
  if (!enabled_ || (shown_ && now - last_ < redraw_interval))
    return;
  last_ = now;
  shown_ = true;
  std::string line = "\r\x1b[K" + label_ + " ";
  if (total_ > 0) {
    const auto filled = std::min<std::size_t>(bar_width, bar_width * done / total_);
    line += "[" + std::string(filled, '#') + std::string(bar_width - filled, '.') + "] " +
            std::to_string(std::min<std::uint64_t>(100, 100 * done / total_)) + "% ";
  }
  line += detail;
  std::cerr << line << std::flush;
}

void progress_bar::clear() {
  if (shown_)
    std::cerr << "\r\x1b[K" << std::flush;
  shown_ = false;
}

} // namespace purser::tools
