// Asks a running engine of another process (control_socket.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace purser {

class control_client {
public:
  /// Throws engine_error when no engine has the directory open, or its owner may not be asked.
  explicit control_client(const std::filesystem::path& directory);
  ~control_client();
  control_client(const control_client&) = delete;
  control_client& operator=(const control_client&) = delete;

  /// "tree", "health", "figures", "events N" (docs/operations.md). @returns one JSON document.
  /// Throws engine_error when there is no answer within `timeout_ms`, or when it is an error.
  std::string ask(const std::string& request, std::int64_t timeout_ms);

private:
  std::filesystem::path directory_;
  int file_ = -1;
  std::string rest_;
};

} // namespace purser
