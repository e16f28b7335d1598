// RocksDB's logs with room in them. A sync of a file that grew writes the file's size, too: a
// second wait for the disk. So room is made ahead of what is written, many commits' worth at a
// time, with zeros: into blocks that are on the disk already a sync writes only what is new.
//
// RocksDB reads a log up to its end or the first record that is not one; a header of zeros it
// passes over in silence (its own logs once were written so). A log that is closed loses what is
// left of its room, one whose process was killed keeps it.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>

namespace purser {

/// Room is made so much at a time, bytes. The sync after it writes this much more.
inline constexpr std::uint64_t log_room_bytes = std::uint64_t{256} << 10;

/// The file system `below`, in whose new logs (*.log) there is room. A log to which room cannot be
/// added (the disk is full) grows as it would without.
std::shared_ptr<rocksdb::FileSystem>
with_roomy_logs(const std::shared_ptr<rocksdb::FileSystem>& below);

/// This machine with roomy logs; it lives as long as the process, and is not destroyed at its end:
/// an engine may be a static object.
rocksdb::Env* machine_with_roomy_logs();

/// The same for who reads logs that another process or thread is writing to. A log ends where its
/// room began when it was opened: else a reader that met the room could go on behind what was
/// written into it meanwhile, and miss that.
rocksdb::Env* machine_with_logs_being_written();

} // namespace purser
