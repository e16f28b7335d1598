// A chunk: the events that one shard had in one commit, or in a part of one, packed
// (docs/formats/journal.md). All integers are little endian; varints are LEB128.
#pragma once

#include "actors/ports/journal.hpp"

#include <cstdint>
#include <functional>
#include <iterator>
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

  friend bool operator==(const chunk_header&, const chunk_header&) = default;
};

/// Packs events as they are appended; nothing is encoded twice.
class chunk_writer {
public:
  /// `buffer` lends its memory; its contents are dropped.
  chunk_writer(std::uint16_t shard, std::uint64_t number, std::string buffer = {});

  /// Positions must grow. An event larger than the limit makes a larger chunk.
  void add(position at, const entity_ref& stream, std::uint64_t version, const event_record& event);

  const chunk_header& header() const noexcept { return header_; }
  bool empty() const noexcept { return header_.count == 0; }
  std::size_t size() const noexcept { return bytes_.size(); }

  /// The chunk with room for time and checksum: `seal_chunk` fills them in. The writer is of no use
  /// afterwards.
  std::string close() &&;

  /// A closed copy of what has been added so far.
  std::string copy() const;

private:
  chunk_header header_;
  std::int64_t last_at_ = 0;
  std::string bytes_;
};

/// Writes the commit time and the checksum into a closed chunk. Touches these bytes and no others, and
/// not the string itself, so that the events between may be read at the same time.
void seal_chunk(std::string& chunk, std::int64_t committed_at);

/// A copy of a closed chunk that another thread may be sealing; to be sealed by the caller.
std::string copy_unsealed(const std::string& chunk);

/// An event inside a chunk: its texts are the chunk's bytes.
struct event_view {
  position at_position = 0;
  entity_kind kind = entity_kind::order;
  std::string_view key;
  std::uint64_t version = 0;
  std::uint16_t type = 0;
  std::uint16_t schema = 0;
  std::int64_t at = 0;
  std::string_view cause;
  std::uint64_t fingerprint = 0;
  std::string_view payload;

  bool is_of(const entity_ref& stream) const noexcept {
    return kind == stream.kind && key == stream.key;
  }
  recorded_event copy() const;
};

/// A chunk to read: header and events, one at a time. The bytes must outlive it and its iterators.
class chunk_view {
public:
  /// Checks the checksum and the header. Throws journal_corrupt.
  explicit chunk_view(std::string_view bytes);

  const chunk_header& header() const noexcept { return header_; }

  /// Stepping decodes, and throws journal_corrupt when the bytes are no events or do not agree with
  /// the header, even though the checksum is right.
  class iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = event_view;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    const event_view& operator*() const noexcept { return event_; }
    const event_view* operator->() const noexcept { return &event_; }
    iterator& operator++() {
      step();
      return *this;
    }
    void operator++(int) { step(); }
    friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
      return at.at_end_;
    }

  private:
    friend class chunk_view;
    explicit iterator(const chunk_view& chunk);
    void step();
    void decode();

    std::string_view in_;
    std::uint32_t left_ = 0;
    position last_ = 0;
    bool at_first_ = true;
    bool at_end_ = true;
    event_view event_;
  };

  iterator begin() const { return iterator{*this}; }
  static std::default_sentinel_t end() noexcept { return {}; }

private:
  chunk_header header_;
  std::string_view events_;
};

/// Checks the checksum, and reads the header. Throws journal_corrupt.
chunk_header read_header(std::string_view chunk);

using event_visitor = std::function<void(recorded_event&&)>;

/// Visits every event in order. Throws journal_corrupt; before the first visit when the checksum is
/// wrong.
void read_chunk(std::string_view chunk, const event_visitor& visit);

/// Visits only the events of one stream.
void read_chunk_of(std::string_view chunk, const entity_ref& stream, const event_visitor& visit);

} // namespace purser
