// The small records beside the chunks: marks, and the frame of a snapshot
// (docs/formats/journal.md).
#pragma once

#include "actors/ports/journal.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace purser::marks {

inline constexpr std::string_view format = "format";          ///< of the layout: a varint
inline constexpr std::string_view shards = "shards";          ///< how many there are: a varint
inline constexpr std::string_view head = "head";              ///< the last position written
inline constexpr std::string_view checkpoint = "checkpoint/"; ///< + shard: its last covered chunk
inline constexpr std::string_view open = "open/";             ///< + entity: a step is under way

inline constexpr std::string_view due = "due/"; ///< + time, entity: it wants to be told `timer_due`

inline constexpr std::uint64_t format_version = 1;

std::string checkpoint_key(std::uint16_t shard);
std::string open_key(const entity_ref& entity);

/// The rest of a key of `due`: so that they are in the order of time.
std::string due_rest(std::int64_t at, const entity_ref& entity);
std::pair<std::int64_t, entity_ref> decode_due(std::string_view rest);

std::string encode_number(std::uint64_t value);
/// Throws journal_corrupt.
std::uint64_t decode_number(std::string_view bytes, std::string_view what);

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
