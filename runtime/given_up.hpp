// What was given up: dead letters and quarantined entities (supervision.md, B3 and B5). An engine
// lists and changes them while it runs (engine.hpp), an inspector reads them; the functions here
// change a directory that no engine has open.
#pragma once

#include "actors/domain/entity_ref.hpp"
#include "actors/domain/money.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace purser {

/// A message that crashed its entity more often than it may. It stays until it is redriven to an
/// answer, or dropped.
struct dead_letter {
  std::string id; ///< of entity and command: the same message given up again has the same
  entity_ref entity;
  std::string message; ///< an `op`, or the name of a message between entities: "hold_units"
  std::string body;    ///< its fields as a JSON object; empty when this program cannot read them
  bool from_client = false;
  std::optional<entity_ref> from; ///< the entity that sent it
  std::string key;   ///< by which the entity knows the command ("command/c-1"); may be empty
  std::string cause; ///< what its last handling threw
  std::uint32_t attempts = 0; ///< how often it was handled
  std::uint64_t version = 0;  ///< of the entity, in events, when it was given up
  unix_millis at = 0;         ///< business time then
  unix_millis kept_at = 0;    ///< wall clock then
  std::uint32_t redrives = 0; ///< that ended here again
  bool took_effect = false;   ///< it crashed behind its events: redriven it is a repeat
  std::string cannot_redrive; ///< why not; empty when it can be
};

/// An entity that crashed too often in a row. It answers `quarantined` until it is released.
struct quarantined_entity {
  entity_ref entity;
  std::string cause;         ///< what its last incarnation threw
  std::uint32_t crashes = 0; ///< in a row
  std::uint64_t version = 0; ///< the last that was seen; 0: none was
  unix_millis since = 0;     ///< wall clock
  std::uint64_t refused = 0; ///< messages that waited for it then
};

/// Drops letters of a directory that no engine has open; all or none, durable when it returns.
/// Throws engine_error: the directory cannot be opened; an id is unknown (nothing is changed).
void drop_dead_letters(const std::filesystem::path& directory, const std::vector<std::string>& ids);

/// Ends the quarantine of entities of a directory that no engine has open; as above. An entity is
/// rebuilt when the next engine has something for it.
void release_quarantined(const std::filesystem::path& directory,
                         const std::vector<entity_ref>& entities);

} // namespace purser
