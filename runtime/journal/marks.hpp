// The small records beside the chunks: marks, and the frame of a snapshot
// (docs/formats/journal.md).
#pragma once

#include "actors/ports/journal.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace purser {
class store;
}

namespace purser::marks {

inline constexpr std::string_view format = "format";          ///< of the layout: a varint
inline constexpr std::string_view shards = "shards";          ///< how many there are: a varint
inline constexpr std::string_view head = "head";              ///< the last position written
inline constexpr std::string_view checkpoint = "checkpoint/"; ///< + shard: its last covered chunk
inline constexpr std::string_view open = "open/";             ///< + entity: a step is under way

inline constexpr std::string_view due = "due/"; ///< + time, entity: it wants to be told `timer_due`
inline constexpr std::string_view letter = "letter/";         ///< + id: a dead letter (B3)
inline constexpr std::string_view quarantine = "quarantine/"; ///< + entity: it is quarantined (B5)
inline constexpr std::string_view archive = "archive/";       ///< + name of a file: what it holds

/// The prefixes of what no chunk tells: a backup keeps these marks, in the order of their keys.
inline constexpr std::array kept_in_backups{letter, quarantine};

/// A directory is of the first format until chunks leave RocksDB for archive files: a program that
/// does not know these has to refuse it.
inline constexpr std::uint64_t first_format = 1;
inline constexpr std::uint64_t archived_format = 2;
inline constexpr std::uint64_t format_version = archived_format; ///< the newest that we know

std::string checkpoint_key(std::uint16_t shard);
std::string open_key(const entity_ref& entity);

/// The rest of a key of `due`: so that they are in the order of time.
std::string due_rest(std::int64_t at, const entity_ref& entity);
std::pair<std::int64_t, entity_ref> decode_due(std::string_view rest);

std::string encode_number(std::uint64_t value);
/// Throws journal_corrupt.
std::uint64_t decode_number(std::string_view bytes, std::string_view what);

/// How many shards a journal has; what an engine makes by default when it is empty.
std::uint16_t shards_of(store& disk);

inline std::string encode_position(position at) {
  return encode_number(at);
}

/// A snapshot as stored: version, bytes, checksum.
std::string seal_snapshot(std::uint64_t version, std::string_view bytes);

struct opened_snapshot {
  std::uint64_t version = 0;
  std::string bytes;
};
/// Throws journal_corrupt, naming the entity.
opened_snapshot open_snapshot(const entity_ref& entity, std::string_view stored);

} // namespace purser::marks
