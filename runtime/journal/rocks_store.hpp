// The store on a disk: RocksDB in the measured layout. One instance for the journal (chunks,
// snapshots, marks: one log, so one order), a second for the index, which shares neither its stalls
// nor its sync.
#pragma once

#include "runtime/journal/store.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace rocksdb {
class Env;
}

namespace purser {

struct rocks_options {
  std::size_t write_buffer_mib = 64; ///< of the journal; four of them at most
  std::size_t logs_mib = 64;         ///< of each database: a start reads them again
  std::function<void(const std::string&)> on_warning; ///< what RocksDB warns of; may be empty
  bool read_only = false; ///< nothing in the directory is changed but the lock's owner
  /// With read_only: one moment of a directory that another store, here or in another process, may
  /// be writing. Its lock is left alone and the index is not opened.
  bool live = false;
  /// The machine as RocksDB sees it; null: as it is. For tests with disks that forget and fail. It
  /// must outlive the store.
  rocksdb::Env* machine = nullptr;
};

/// Opens a data directory, and creates it when it is missing. Throws store_error (in use, no space,
/// not ours, newer format), journal_corrupt (less is there than was acknowledged).
std::unique_ptr<store> open_rocks_store(const std::filesystem::path& directory,
                                        const rocks_options& options = {});

} // namespace purser
