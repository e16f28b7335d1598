// How other processes look into a running engine: a socket in its data directory, DIR/control.sock,
// for its owner alone (mode 0600). One request a line; one answer a line, as JSON.
//
// T1 Whoever has the directory's lock replaces what an earlier process has left.
// T2 A client that sends too much, or does not go on for `patience_ms`, is let go; there are at
// most
//    `most_clients`, and one more is let go at once.
// T3 Requests only look: nothing in the engine waits for a client.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace purser {

inline constexpr const char* control_socket_name = "control.sock";

class control_socket {
public:
  struct limits {
    std::size_t most_clients = 16;
    std::size_t longest_request = 256; ///< bytes, with its newline
    std::int64_t patience_ms = 5'000;  ///< without a whole request, or with an answer not taken
  };

  /// `answer` gets a request without its newline and gives one line; on the socket's thread. Throws
  /// std::runtime_error when there can be no socket.
  control_socket(const std::filesystem::path& directory,
                 std::function<std::string(std::string_view request)> answer, limits bounds);

  /// Removes the socket. Waits for a request that is being answered.
  ~control_socket();
  control_socket(const control_socket&) = delete;
  control_socket& operator=(const control_socket&) = delete;

private:
  using steady = std::chrono::steady_clock;
  struct client {
    int file = -1;
    std::string in;
    std::string out;
    steady::time_point deadline;
  };

  void run();
  void welcome();
  bool serve(client& at, short events);
  bool take(client& at);
  bool give(client& at) const;

  std::filesystem::path path_;
  std::function<std::string(std::string_view)> answer_;
  limits limits_;
  int listener_ = -1;
  int wake_ = -1; ///< readable: stop
  std::vector<client> clients_;
  std::thread thread_;
};

} // namespace purser
