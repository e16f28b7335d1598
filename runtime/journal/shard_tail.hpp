// What was appended to a shard since its last checkpoint: chunks that are not yet on disk, and
// which entities have events in which chunks.
#pragma once

#include "actors/name_set.hpp"
#include "actors/ports/journal.hpp"
#include "runtime/journal/chunk.hpp"

#include <boost/container/deque.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace purser {

/// An entity with events in a stretch of its shard's log.
struct tail_entry {
  explicit tail_entry(entity_ref of) : stream(std::move(of)) {}

  entity_ref stream;
  std::uint64_t version = 0; ///< after its last event there; 0: it has none yet
  bool is_new = false;       ///< the first of all its events is there
  boost::container::small_vector<std::uint64_t, 3> chunks;
  std::unique_ptr<const resting_image> image; ///< of this version, or none
};

/// The entities of one stretch. Entries stay where they are: in the order in which the entities
/// came, so that those which are appended to now are together in memory.
class tail_generation {
public:
  /// `hash`: the stable_hash of `stream`. @returns null when it has no event here.
  tail_entry* find(std::uint64_t hash, const entity_ref& stream) const;

  /// @returns that of the stream, which is new if there was none.
  tail_entry& find_or_add(std::uint64_t hash, const entity_ref& stream);

  void reserve(std::size_t count) { by_name_.reserve(count); }
  std::size_t size() const noexcept { return entries_.size(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

private:
  static constexpr std::size_t entries_a_block = 64;

  boost::container::deque<
    tail_entry, void,
    boost::container::deque_options_t<boost::container::block_size<entries_a_block>>>
    entries_;
  name_set<tail_entry*, &tail_entry::stream> by_name_;
};

/// Who appends holds its mutex only: two shards are appended to at once.
struct alignas(64) shard_tail {
  /// Of stream and key: the chunk that recorded the command. A hit has to be looked up there.
  using command_chunks = boost::unordered_flat_map<std::uint64_t, std::uint64_t>;

  struct closed_chunk {
    chunk_header header;
    std::shared_ptr<const std::string> bytes;
  };

  mutable std::mutex mutex;
  bool ended = false; ///< the last commit has been cut: nothing is appended any more
  bool torn = false;  ///< an append was cut short by an exception
  std::unique_ptr<chunk_writer> open;
  std::vector<closed_chunk> queued; ///< closed, waiting for the writer
  std::uint64_t generation = 1;     ///< which one `fresh` is, of all of this shard
  tail_generation fresh;            ///< since the last checkpoint began
  tail_generation folding;          ///< of the checkpoint under way
  command_chunks fresh_commands;    ///< of the same two generations
  command_chunks folding_commands;
  bool checkpointing = false;
  std::uint64_t next_chunk = 1; ///< after the open one
  std::uint64_t checkpoint = 0;
  std::uint64_t indexed = 0; ///< the index has to reach this: never less than the checkpoint
  std::uint64_t bytes = 0;

  /// The entry of a stream in `fresh`. Remembered by `place`, which is taken at its word.
  tail_entry& entry_of(std::uint64_t hash, const entity_ref& stream, stream_place& place);

  /// The same; null when the stream has no entry there.
  tail_entry* known_entry(std::uint64_t hash, const entity_ref& stream,
                          const stream_place& place) const;

  /// The chunks with events of a stream, in order.
  std::vector<std::uint64_t> chunks_of(std::uint64_t hash, const entity_ref& stream) const;

  /// Null unless it is of the newest version.
  const resting_image* image_of(std::uint64_t hash, const entity_ref& stream) const;

  /// What is appended from now on is of the next generation.
  void begin_checkpoint();
};

} // namespace purser
