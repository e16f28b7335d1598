// A part of a test that runs in a process of its own, so that it can be killed: the test program
// started again. A fork alone would not do: sanitizers allow no threads in it.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace purser::tests {

using child_body = int (*)(const std::vector<std::string>& arguments);

/// Makes a function startable by name; one static object per function.
struct child_registration {
  child_registration(std::string_view name, child_body body);
};

/// A running child. Its standard output is a pipe to us.
class child_process {
public:
  child_process(const std::string& name, std::vector<std::string> arguments);
  ~child_process(); ///< kills it
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// The next bytes of its output; fewer than asked for at the end.
  std::size_t read(void* to, std::size_t size) const;

  void kill() const;

  /// @returns what waitpid says: 0 when it ended well.
  int wait();

private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// In the child: runs what it was started for. @returns its exit code.
int run_child(int argc, char** argv);

} // namespace purser::tests
