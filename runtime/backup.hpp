// Backup, restore and archive of a data directory. `back_up` may be called while an engine runs on
// the directory, in this process or in another; the others need it for themselves.
//
//   purser::back_up({.directory = "/var/lib/shop", .to = "/backup/shop.pua"});
//
// Every function throws engine_error with a text for people: in use, damaged, of a newer format,
// the disk says no. The file: docs/formats/archive.md.
#pragma once

#include "runtime/engine.hpp"
#include "runtime/inspect.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

/// What stage a long run is in ("backup", "restore", "verify"...), and how far.
using run_progress =
  std::function<void(std::string_view stage, std::uint64_t done, std::uint64_t total)>;

/// What a file or several hold.
struct stored_figures {
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;
  std::uint64_t raw_bytes = 0;  ///< of the chunks as they are in the journal
  std::uint64_t file_bytes = 0; ///< of the files
  std::uint64_t position = 0;   ///< of the last event
  std::uint64_t letters = 0;    ///< dead letters; 0 of an archive, where they are never moved to
  std::uint64_t quarantines = 0;
};

// -- Backup ---------------------------------------------------------------------------------------

struct backup_options {
  std::filesystem::path directory;
  std::filesystem::path to;     ///< the file; written as NAME.partial and renamed when it is whole
  bool replace = false;         ///< a file of that name may be replaced
  bool without_archive = false; ///< only what was not archived: `archive/` is kept beside it
  run_progress progress;
};

struct backup_report {
  stored_figures stored;
  std::string id;             ///< checksum over all of the file, 16 hexadecimal digits
  std::uint32_t openings = 0; ///< of the directory, until one showed a whole moment
};

/// Writes one moment of a directory to a file: every event that was acknowledged before the call is
/// in it, and so is every dead letter and quarantine. A running engine goes on undisturbed. Needs
/// memory for what is in the engine's log (up to 512 MiB). Throws engine_error; nothing is left
/// under the file's name then.
backup_report back_up(const backup_options& options);

// -- Restore --------------------------------------------------------------------------------------

/// What was to be restored is damaged, incomplete, or does not verify.
struct backup_damaged : engine_error {
  using engine_error::engine_error;
};

struct restore_options {
  /// A backup, and with one that was made without the archive also the archive's files.
  std::vector<std::filesystem::path> files;
  std::filesystem::path directory; ///< must not exist, or be empty
  run_progress progress;
};

struct restore_report {
  stored_figures stored;
  verify_report verified;
};

/// Makes a data directory of a backup: events, positions and versions, dead letters and quarantines
/// as they were. It is built under another name, verified as `inspector::verify` does, and only
/// then gets its name. Throws backup_damaged, engine_error; nothing is left then.
restore_report restore(const restore_options& options);

/// Reads files as `restore` would, and writes nothing: every checksum, numbers and positions
/// without gaps. Throws backup_damaged, engine_error.
stored_figures check_backup(const std::vector<std::filesystem::path>& files,
                            const run_progress& progress);

// -- Archive --------------------------------------------------------------------------------------

struct archive_options {
  std::filesystem::path directory;
  std::chrono::days keep_days{0}; ///< chunks committed since stay, by the wall clock
  std::uint64_t keep_bytes = 0;   ///< of the newest chunks stay
  std::uint64_t file_bytes = std::uint64_t{256} << 20; ///< about the size of an archive file
  run_progress progress;
  /// Called when a step is done: "file", "marks", "space". For tests.
  std::function<void(std::string_view step)> at_step;
};

struct archive_report {
  stored_figures moved;               ///< by this run
  std::vector<std::string> files;     ///< made by this run
  std::vector<std::string> strangers; ///< files in `archive/` that no mark of this journal names
  std::uint64_t journal_bytes_before = 0; ///< of `journal/` on the disk
  std::uint64_t journal_bytes_after = 0;
};

/// Moves chunks that snapshots cover into files of DIRECTORY/archive, and gives their space back.
/// Takes the directory for itself. A crash at any moment loses nothing, and another run finishes.
/// From the first archived chunk on the directory is of format 2. Throws engine_error.
archive_report archive(const archive_options& options);

} // namespace purser
