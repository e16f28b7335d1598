// The journal port: the truth of a node, one total order of events (architecture.md, 3 and 4).
#pragma once

#include "actors/domain/entity_ref.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace purser {

/// A place in a node's total order of events: 1, 2, 3... without gaps. 0 is "before everything".
using position = std::uint64_t;

/// An event as bytes, not yet placed. `payload` is the binary codec's image of a domain event.
struct event_record {
  std::uint16_t type = 0;        ///< which event (actors/event_types.hpp); 0 is the shell's own
  std::uint16_t schema = 1;      ///< the shape of the payload
  std::int64_t at = 0;           ///< business time, milliseconds since 1970 UTC
  std::string cause;             ///< key of the command that caused it; empty when a message did
  std::uint64_t fingerprint = 0; ///< of that command's body, on the first event it caused; else 0
  std::string payload;
};

/// An event of a stream with its place. `version` counts the events of the stream: 1, 2, 3...
struct recorded_event {
  position at_position = 0;
  entity_ref stream;
  std::uint64_t version = 0;
  event_record event;
};

/// What an entity is rebuilt from: its newest snapshot and every event after it, also those
/// appended and not yet durable.
struct stored_stream {
  std::optional<std::string> snapshot; ///< bytes as given to the checkpoint
  std::vector<recorded_event> tail;    ///< in version order
};

/// An entity when it leaves memory, at rest: nothing of a workflow is under way.
struct resting_image {
  std::uint64_t version = 0;       ///< after so many events
  std::string snapshot;            ///< bytes as for a checkpoint
  std::optional<std::int64_t> due; ///< of its timer
  bool has_forgotten = false;      ///< commands, so that the snapshot does not tell of all
};

/// What became of a command that an entity has forgotten.
struct command_outcome {
  static constexpr std::uint64_t unknown_version = 0;

  std::uint64_t fingerprint = 0;
  std::uint64_t version = 0;   ///< of the event that recorded it, when it is known
  std::uint16_t rejection = 0; ///< 0 when it was accepted, else the rejection's number
};

/// The journal failed or was stopped: nothing more can be appended, and what is not durable may be
/// lost. The engine stops when it sees this.
struct journal_stopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Two writers of one stream, or a writer that skipped an event: a broken invariant.
struct version_conflict : std::logic_error {
  using std::logic_error::logic_error;
};

/// Stored bytes that are not what was written: checksum, gap or a form that cannot be read.
struct journal_corrupt : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What whoever appends to a stream again and again keeps for its journal, so that the stream need
/// not be looked up each time. Of one stream; what is in it is the journal's business.
struct stream_place {
  std::uint64_t generation = 0;
  void* entry = nullptr;
};

/// Thread-safe. Never blocks for the disk except where it says so.
class journal {
public:
  using task = std::function<void()>;
  /// Gets the stream, or an error text when it cannot be read (corrupted, disk).
  using load_callback = std::function<void(stored_stream, std::string error)>;
  using outcome_callback = std::function<void(std::optional<command_outcome>, std::string error)>;

  journal() = default;
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;
  virtual ~journal() = default;

  /// Appends events to one stream, all or none, in memory; the writer makes them durable.
  /// `expected_version` is the stream's version before the first of them.
  /// @returns the position of the last one.
  /// Throws journal_stopped; version_conflict.
  virtual position append(const entity_ref& stream, std::uint64_t expected_version,
                          std::span<const event_record> events, stream_place& place) = 0;

  /// The same for who does so once.
  position append_once(const entity_ref& stream, std::uint64_t expected_version,
                       std::span<const event_record> events) {
    stream_place unknown;
    return append(stream, expected_version, events, unknown);
  }

  /// The last position appended.
  virtual position last() const = 0;

  /// Every event up to here survives a crash of the machine.
  virtual position durable() const = 0;

  /// Runs `output` once everything appended before this call is durable: at once, on this thread,
  /// when it is already, else on another one, one by one in the order of the calls. It must be
  /// short and must not throw. It is never run when the journal fails or stops first.
  virtual void when_durable(task output) = 0;

  /// Reads a stream; the callback comes once, on this thread or another, before or after the call
  /// returns. A stream that does not exist is empty.
  virtual void load(const entity_ref& stream, load_callback callback) = 0;

  /// An entity with events that no checkpoint has taken in yet leaves memory: who loads it next,
  /// and the next checkpoint, need not read those events. It is no promise: the image may be
  /// dropped.
  virtual void rest(const entity_ref& stream, resting_image image, const stream_place& place) {
    static_cast<void>(stream);
    static_cast<void>(image);
    static_cast<void>(place);
  }

  /// What is appended, and kept beside the events, while one lives becomes durable together, or not
  /// at all. Nothing becomes durable meanwhile: it must be short, and must not wait.
  class together {
  public:
    explicit together(journal& in) : in_(in) { in_.begin_together(); }
    ~together() { in_.end_together(); }
    together(const together&) = delete;
    together& operator=(const together&) = delete;

  private:
    journal& in_;
  };

  /// Looks a command's key up among those older than what `load` returns (contract: ids for ever).
  virtual void find_command(const entity_ref& stream, const std::string& key,
                            outcome_callback callback) = 0;

private:
  virtual void begin_together() {}
  virtual void end_together() {}
};

} // namespace purser
