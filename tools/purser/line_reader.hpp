// Lines of any length from a file or a pipe, in bounded memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace purser::tools {

class line_reader {
public:
  /// A longer line is skipped to its newline, and said to be too long.
  static constexpr std::size_t longest = std::size_t{8} << 20;

  /// "-" is standard input. Throws std::runtime_error when it cannot be opened. `stop`: a file
  /// that, once it is readable, ends the lines.
  explicit line_reader(const std::string& path, int stop = -1);
  ~line_reader();
  line_reader(const line_reader&) = delete;
  line_reader& operator=(const line_reader&) = delete;

  /// The next line, without its newline. @returns false at the end. Throws std::runtime_error.
  bool next();

  std::string_view line() const noexcept { return line_; }
  bool too_long() const noexcept { return too_long_; }
  std::uint64_t number() const noexcept { return number_; } ///< of the line: 1, 2...
  std::uint64_t bytes_read() const noexcept { return consumed_; }
  std::uint64_t total_bytes() const noexcept { return total_; } ///< 0 when it is not known: a pipe

private:
  bool fill();
  bool wait_for_more() const;

  int file_ = -1;
  int stop_ = -1;
  bool stopped_ = false;
  std::string path_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::string line_;
  bool too_long_ = false;
  std::uint64_t number_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t total_ = 0;
};

} // namespace purser::tools
