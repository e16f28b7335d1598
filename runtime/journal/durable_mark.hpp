// The recorded durable position. RocksDB's point-in-time recovery silently drops everything behind
// one flipped byte of its log; so what was acknowledged is recorded beside it, and an opening that
// recovers less is refused (docs/formats/journal.md, "durable").
#pragma once

#include "actors/ports/journal.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace purser {

/// Two slots of 32 bytes, written in turn and never synced: the newer whole one is a lower bound of
/// what is durable.
class durable_mark {
public:
  /// Throws store_error; journal_corrupt when no slot is whole.
  durable_mark(const std::filesystem::path& file, bool read_only);
  ~durable_mark();
  durable_mark(const durable_mark&) = delete;
  durable_mark& operator=(const durable_mark&) = delete;

  /// What was recorded before the opening; nothing when the file did not exist or was empty.
  std::optional<position> recorded() const { return recorded_; }

  /// Records position 0, and syncs the file and its directory. Throws store_error.
  void create();

  /// Throws store_error.
  void record(position durable);

private:
  void read();

  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t turn_ = 0;
  std::optional<position> recorded_;
};

/// Makes the names in a directory survive a crash of the machine. Throws store_error.
void sync_directory(const std::filesystem::path& directory);

} // namespace purser
