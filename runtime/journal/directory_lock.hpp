// One process owns a data directory (contract.md, section 3).
#pragma once

#include <filesystem>

namespace purser {

/// Held for its lifetime. The file names the owner, so that a second one can say who it is.
class directory_lock {
public:
  /// Throws store_error: "DIR is in use by purser, process 1234".
  explicit directory_lock(const std::filesystem::path& directory);
  ~directory_lock();
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

private:
  int file_ = -1;
};

} // namespace purser
