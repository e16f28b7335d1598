// The port of what was given up (B3, B5): messages that crashed their entity too often, and
// entities that crashed too often. People look at it, and send again or release.
#pragma once

#include "actors/domain/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace purser {

/// A message at the moment when it is given up.
struct given_up_message {
  entity_ref to;
  std::optional<entity_ref> from; ///< an entity that sent it
  bool from_client = false;
  std::string key; ///< by which its entity knows it; may be empty
  std::uint64_t fingerprint = 0;
  unix_millis at = 0; ///< business time
  message_body body;
  std::string cause;          ///< what its last handling threw
  std::uint32_t attempts = 0; ///< how often it was handled
  std::uint64_t version = 0;  ///< of its entity
  bool took_effect = false;   ///< its events are in the journal: it crashed behind them
};

/// An entity at the moment when it is given up.
struct given_up_entity {
  entity_ref entity;
  std::string cause;         ///< what its last incarnation threw
  std::uint32_t crashes = 0; ///< in a row
  std::uint64_t version = 0; ///< the last that was seen; 0 when none was
  std::uint64_t refused = 0; ///< messages that waited for it, and were refused
};

/// Thread-safe. Never blocks for the disk to write.
class given_up_log {
public:
  given_up_log() = default;
  given_up_log(const given_up_log&) = delete;
  given_up_log& operator=(const given_up_log&) = delete;
  virtual ~given_up_log() = default;

  /// Keeps a message. It is durable no later than any event that is appended after this call, and
  /// before any output that is asked for after it. The same message again replaces what was kept.
  /// Throws journal_stopped; journal_corrupt and errors of the disk when it cannot be compared.
  virtual void keep(const given_up_message& message) = 0;

  /// Keeps that an entity is quarantined; durable as above, or the journal has stopped and nobody
  /// is told anything any more.
  virtual void keep(const given_up_entity& entity) = 0;

  /// The entity is not quarantined any more; durable as above.
  virtual void release(const entity_ref& entity) = 0;
};

} // namespace purser
