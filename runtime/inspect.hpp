// Reading a data directory that no engine has open. Nothing in it is changed.
#pragma once

#include "runtime/audit.hpp"
#include "runtime/engine.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace purser {

/// What a check of a whole journal found.
struct verify_report {
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;
  std::uint64_t entities = 0;
  audit_report sums;
  std::vector<std::string> findings; ///< what is wrong, in words; empty when all is well
};

class inspector {
public:
  /// Throws engine_error: no such directory, in use, damaged, of a newer format.
  static std::unique_ptr<inspector> open(const std::filesystem::path& directory);
  virtual ~inspector() = default;

  /// An entity as it is; an order comes with its payment. monostate: there is none.
  /// Throws engine_error when stored bytes are bad.
  virtual entity_view show(const entity_ref& entity) = 0;

  /// An entity as it was after its event of this version, or at this time, whichever is given.
  /// monostate: there was none yet. Throws engine_error.
  virtual entity_view show_at(const entity_ref& entity, std::optional<std::uint64_t> version,
                              std::optional<unix_millis> time) = 0;

  /// Every entity as it is, in no particular order. Throws engine_error.
  virtual void for_each(const std::function<void(const entity_view&)>& visit) = 0;

  /// Every event of an entity, in order. Throws engine_error.
  virtual void history(const entity_ref& entity,
                       const std::function<void(const event_notice&)>& visit) = 0;

  /// Every event, in order. `visit` returns whether to go on. Throws engine_error.
  virtual void export_events(const std::function<bool(const event_notice&)>& visit) = 0;

  /// The position of the last event.
  virtual std::uint64_t last_position() = 0;

  /// Reads everything: checksums, positions and versions without gaps, snapshots equal to their
  /// events, and every invariant. `progress` gets how many events of last_position() are done.
  virtual verify_report verify(const std::function<void(std::uint64_t)>& progress) = 0;

  /// As those of an engine (engine.hpp). Throws engine_error.
  virtual std::vector<dead_letter> dead_letters() = 0;
  virtual std::vector<quarantined_entity> quarantines() = 0;
};

} // namespace purser
