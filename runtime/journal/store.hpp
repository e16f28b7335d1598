// What the group commit needs of a disk: chunks, snapshots and a few marks in one ordered log, and
// beside it an index that can be rebuilt.
#pragma once

#include "actors/ports/journal.hpp"
#include "runtime/journal/archive_format.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace purser {

/// The disk says no: it is full, it fails, the directory is not ours. The text is for people.
struct store_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Written all or none.
struct store_batch {
  struct chunk {
    std::uint16_t shard = 0;
    std::uint64_t number = 0;
    std::string_view bytes; ///< must outlive the write
  };
  std::vector<chunk> chunks;
  std::vector<std::pair<std::string, std::string>> marks; ///< key, value
  std::vector<std::string> unmarks;
  std::vector<chunk_range> moved; ///< archived: a mark of the same batch says where they are now
};

/// Snapshots in the order of their entities, each of them once. Their bytes are made when they are
/// written, one after the other: all at once they would be as much as the tails that they replace.
class snapshot_list {
public:
  snapshot_list() = default;
  snapshot_list(snapshot_list&&) = default;
  snapshot_list& operator=(snapshot_list&&) = default;
  virtual ~snapshot_list() = default;

  virtual std::size_t size() const = 0;
  virtual const entity_ref& entity(std::size_t index) const = 0;

  /// Appends it as stored (marks.hpp).
  virtual void append_frame(std::size_t index, std::string& to) const = 0;
};

/// Entries of the index, written all or none.
struct index_batch {
  struct posting {
    entity_ref stream;
    std::vector<std::uint64_t>
      chunks; ///< ascending; the first is part of the key, so repeats overwrite
  };
  struct id {
    entity_ref stream;
    std::string key;
    command_outcome outcome;
  };
  std::vector<posting> postings;
  std::vector<id> ids;
  std::uint16_t shard = 0;
  /// With the frames of snapshots (marks.hpp, X1, X2), the index tells all of the shard's chunks up
  /// to this one. 0: as before.
  std::uint64_t covered = 0;
  /// The index alone tells all of the shard's chunks up to this one. 0: as before.
  std::uint64_t rebuilt = 0;
};

/// Thread-safe. Every function may throw store_error; reads may throw journal_corrupt.
class store {
public:
  store() = default;
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  virtual ~store() = default;

  /// Not durable before the next sync. A batch survives whole or not at all: when the process is
  /// killed all do; when the power goes, any of those since the last sync may be missing, also when
  /// a later one is there.
  virtual void write(const store_batch& batch) = 0;

  /// Makes everything written before this call durable.
  virtual void sync() = 0;

  /// The same, and remembers that `durable` is.
  virtual void sync(position durable) = 0;

  /// Wherever it is kept. Throws archive_unreadable when it was archived and is not there.
  virtual std::optional<std::string> chunk(std::uint16_t shard, std::uint64_t number) = 0;

  /// Chunks after one up to another, in order; the bytes are good during the visit. Cheaper than
  /// one by one. Throws journal_corrupt when one is missing.
  using chunk_bytes_visitor = std::function<void(std::uint64_t number, std::string_view bytes)>;
  virtual void for_each_chunk(std::uint16_t shard, std::uint64_t after, std::uint64_t up_to,
                              const chunk_bytes_visitor& visit);

  /// The number of a shard's last chunk; 0 when it has none. It is never an archived one.
  virtual std::uint64_t last_chunk(std::uint16_t shard) = 0;

  /// What was archived of a shard: always its first chunks. `last` is 0 when nothing was.
  virtual chunk_range archived(std::uint16_t shard) { return {shard, 1, 0, 0}; }

  /// Gives the disk what archived chunks took. Needs no room in proportion to them.
  virtual void reclaim() {}

  // -- Snapshots: durable after `write_snapshots` returns, all or none ----------------------------

  /// Of different entities in each part. Whether what was written before is durable then, too, is
  /// open.
  virtual void write_snapshots(std::span<const snapshot_list* const> parts) = 0;

  virtual std::optional<std::string> snapshot(const entity_ref& stream) = 0;
  virtual void
  for_each_snapshot(const std::function<void(const entity_ref&, std::string_view)>& visit) = 0;

  virtual std::optional<std::string> mark(std::string_view key) = 0;

  /// The marks whose keys begin with `prefix`; the visitor gets the rest of the key and the value.
  virtual void for_each_mark(
    std::string_view prefix,
    const std::function<void(std::string_view rest, std::string_view value)>& visit) = 0;

  /// The marks of `prefix` from `first` on (of the rest of the key), in order, until the visitor
  /// says false.
  virtual void for_each_mark_from(
    std::string_view prefix, std::string_view first,
    const std::function<bool(std::string_view rest, std::string_view value)>& visit) = 0;

  // -- The index: durable after `write_index` returns ---------------------------------------------

  virtual void write_index(const index_batch& batch) = 0;
  virtual std::uint64_t index_covered(std::uint16_t shard) = 0;
  virtual std::uint64_t index_rebuilt(std::uint16_t shard) = 0;
  virtual std::vector<std::uint64_t> postings(const entity_ref& stream) = 0;
  virtual std::optional<command_outcome> outcome(const entity_ref& stream,
                                                 std::string_view key) = 0;

  /// Everything as it is now, to be read while others go on writing. It must go before this store.
  virtual std::unique_ptr<store> moment() = 0;

  /// Bytes on the disk, all included; 0 in memory.
  virtual std::uint64_t disk_bytes() = 0;
};

/// The name of an entity as a key: its kind, then its id.
std::string store_key(const entity_ref& ref);
void append_store_key(std::string& to, const entity_ref& ref);
entity_ref entity_of(std::string_view store_key);

} // namespace purser
