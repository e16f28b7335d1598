#include "tools/purser/line_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace purser::tools {

namespace {

constexpr std::size_t block = std::size_t{256} << 10;

} // namespace

line_reader::line_reader(const std::string& path, int stop)
    : stop_(stop), path_(path == "-" ? "standard input" : path) {
  file_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0)
    throw std::runtime_error(path_ + " cannot be opened: " + std::strerror(errno));
  struct stat status {};
  if (::fstat(file_, &status) == 0 && S_ISREG(status.st_mode))
    total_ = static_cast<std::uint64_t>(status.st_size);
  if (S_ISDIR(status.st_mode)) {
    ::close(file_);
    throw std::runtime_error(path_ + " is a directory");
  }
}

line_reader::~line_reader() {
  ::close(file_);
}

/// @returns false when it is to stop.
bool line_reader::wait_for_more() const {
  pollfd files[] = {{stop_, POLLIN, 0}, {file_, POLLIN, 0}};
  while (::poll(files, std::size(files), -1) < 0 && errno == EINTR) {
  }
  return files[0].revents == 0;
}

bool line_reader::fill() {
  stopped_ = stop_ >= 0 && !wait_for_more();
  if (stopped_)
    return false;
  buffer_.resize(block);
  ssize_t size = 0;
  do
    size = ::read(file_, buffer_.data(), block);
  while (size < 0 && errno == EINTR);
  if (size < 0)
    throw std::runtime_error(path_ + " cannot be read: " + std::strerror(errno));
  buffer_.resize(static_cast<std::size_t>(size));
  at_ = 0;
  return size > 0;
}

bool line_reader::next() {
  line_.clear();
  too_long_ = false;
  bool any = false;
  for (;;) {
    if (at_ == buffer_.size() && !fill()) {
      if (stopped_)
        return false; // what has come of a line is not one
      number_ += any ? 1 : 0;
      return any;
    }
    any = true;
    const std::string_view rest{buffer_.data() + at_, buffer_.size() - at_};
    const auto newline = rest.find('\n');
    const auto part = rest.substr(0, newline);
    too_long_ = too_long_ || line_.size() + part.size() > longest;
    if (too_long_)
      line_.clear();
    else
      line_ += part;
    const auto taken = part.size() + (newline == std::string_view::npos ? 0 : 1);
    at_ += taken;
    consumed_ += taken;
    if (newline != std::string_view::npos) {
      ++number_;
      return true;
    }
  }
}

} // namespace purser::tools
