// An entity as the journal tells it: its aggregate, its version and the commands it has seen. The
// shell handles messages with it; checkpoints, queries and audits only rebuild it.
#pragma once

#include "actors/aggregate.hpp"
#include "actors/command_log.hpp"

#include <memory>
#include <string>

namespace purser {

class entity_image {
public:
  explicit entity_image(entity_ref ref, const shop_policy& policy = {});

  const entity_ref& ref() const noexcept { return ref_; }
  std::uint64_t version() const noexcept { return version_; }
  bool has_open_step() const { return state_->has_open_step(); }
  bool must_resume() const { return state_->must_resume(); }
  std::optional<unix_millis> due() const { return state_->due(); }
  const aggregate& state() const noexcept { return *state_; }
  aggregate& state() noexcept { return *state_; }
  const command_log& commands() const noexcept { return commands_; }

  /// Rebuilds the entity from a snapshot and the events after it.
  /// Throws journal_corrupt (gap, unreadable bytes), broken_invariant.
  void rebuild(const stored_stream& stored);

  /// The same from a snapshot's bytes alone. Throws journal_corrupt, broken_invariant.
  void restore(std::string_view bytes);

  /// Throws journal_corrupt when it is not the next event or cannot be read; broken_invariant.
  void evolve(const recorded_event& event);

  /// Notes events that the aggregate has evolved by and that were appended.
  void appended(const std::vector<event_record>& events);

  entity_view view(unix_millis now) const { return state_->view(ref_.key, version_, now); }

  /// Whether another image of the entity has the same version and state.
  bool same_state(const entity_image& other) const {
    return version_ == other.version_ && state_->same_state(*other.state_);
  }

  /// Bytes for a snapshot: docs/formats/snapshots.md.
  std::string snapshot() const;

  /// For the journal, when it leaves memory.
  resting_image at_rest() const { return {version_, snapshot(), due(), commands_.has_forgotten()}; }

  /// The commands within the bytes of an entity's snapshot. Throws journal_corrupt.
  static command_log commands_in(const entity_ref& entity, std::string_view snapshot);

private:
  entity_ref ref_;
  std::uint64_t version_ = 0;
  command_log commands_;
  std::unique_ptr<aggregate> state_;
};

} // namespace purser
