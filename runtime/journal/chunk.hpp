// A chunk: the events that one shard had in one commit, packed (docs/formats/journal.md). All
// integers are little endian; varints are LEB128.
#pragma once

#include "actors/ports/journal.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace purser {

struct chunk_header {
  std::uint16_t shard = 0;
  std::uint64_t number = 0; ///< 1, 2, 3... in its shard, without gaps
  position first = 0;
  position last = 0;
  std::uint32_t count = 0;       ///< of events
  std::int64_t committed_at = 0; ///< wall clock, milliseconds since 1970 UTC
};

/// Packs events as they are appended; nothing is encoded twice.
class chunk_writer {
public:
  chunk_writer(std::uint16_t shard, std::uint64_t number);

  void add(position at, const entity_ref& stream, std::uint64_t version, const event_record& event);

  const chunk_header& header() const noexcept { return header_; }
  bool empty() const noexcept { return header_.count == 0; }
  std::size_t size() const noexcept { return bytes_.size(); }

  /// Header and checksum filled in. The writer is of no use afterwards.
  std::string finish(std::int64_t committed_at) &&;

  /// A finished copy of what has been added so far.
  std::string peek() const;

private:
  chunk_header header_;
  std::int64_t last_at_ = 0;
  std::string bytes_;
};

/// Checks the checksum and the form, and reads the header. Throws journal_corrupt.
chunk_header read_header(std::string_view chunk);

/// The same, checked against where the chunk was found. Throws journal_corrupt, naming the place.
chunk_header checked_header(std::string_view chunk, std::uint16_t shard, std::uint64_t number);

/// "chunk 7 of shard 3"
std::string chunk_place(std::uint16_t shard, std::uint64_t number);

using event_visitor = std::function<void(recorded_event&&)>;

/// Visits every event in order. Throws journal_corrupt before the first visit when the chunk is not
/// whole.
void read_chunk(std::string_view chunk, const event_visitor& visit);

/// Whether the events of a stream are to be visited.
using stream_choice = std::function<bool(entity_kind, std::string_view key)>;

/// Visits only the events of the streams that are chosen; the others cost hardly anything.
/// @returns how many events the chunk has.
std::uint32_t read_chosen(std::string_view chunk, const stream_choice& chosen,
                          const event_visitor& visit);

/// Visits only the events of one stream.
void read_chunk_of(std::string_view chunk, const entity_ref& stream, const event_visitor& visit);

} // namespace purser
