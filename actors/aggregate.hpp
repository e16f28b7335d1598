// One aggregate behind one interface: what the shell, the checkpoint and the readers need of it.
// The rules are in actors/domain/; adding an aggregate is a few lines in aggregates.cpp.
#pragma once

#include "actors/domain/messages.hpp"
#include "actors/domain/policies.hpp"
#include "actors/ports/journal.hpp"
#include "actors/views.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

/// What an aggregate made of a message: events as bytes, effects, and a refusal for a client.
struct reaction {
  std::vector<event_record> events; ///< type, schema and payload are filled in
  std::vector<effect> effects;
  rejection refused = rejection::none;
};

class aggregate {
public:
  aggregate() = default;
  aggregate(const aggregate&) = delete;
  aggregate& operator=(const aggregate&) = delete;
  virtual ~aggregate() = default;

  /// Decides and evolves: the state is that after the events, which the caller must append at once
  /// or drop this object. Throws broken_invariant.
  virtual reaction handle(const message_body& request, const decide_context& context) = 0;

  /// The answer to a repeat of an entity's command with a key, whose outcome is known.
  virtual std::vector<effect> answer_again(const message_body& request, rejection outcome,
                                           const decide_context& context) const = 0;

  /// Evolves by a stored event. Throws broken_invariant, codec::decode_error.
  virtual void evolve(const event_record& event) = 0;

  /// State as bytes, and back. Throws codec::decode_error.
  virtual void save(std::string& out) const = 0;
  virtual void restore(std::string_view bytes) = 0;

  /// Whether a step of a workflow is under way: a client's answer waits for its end.
  virtual bool has_open_step() const = 0;

  /// Whether a restart must hand it a resume_step: it has an open step, or waits for others.
  virtual bool must_resume() const = 0;

  /// The business time from which it wants to be told `timer_due` (C8); nothing when it waits for
  /// no time to pass.
  virtual std::optional<unix_millis> due() const = 0;

  /// Why an accepted command came to nothing in the end (an order that was rejected), or none.
  virtual rejection final_verdict(const command_body& body) const = 0;

  /// What a query answers; monostate when the entity does not exist.
  virtual entity_view view(const std::string& key, std::uint64_t version,
                           unix_millis now) const = 0;

  /// Whether another aggregate of the same kind has an equal state.
  virtual bool same_state(const aggregate& other) const = 0;

  /// Throws broken_invariant when the state breaks a rule of domain.md.
  virtual void check() const = 0;
};

/// A new, absent aggregate of a kind.
std::unique_ptr<aggregate> make_aggregate(entity_kind kind, const shop_policy& policy = {});

/// The name of a stored event ("order_placed"), or empty when this program does not know it.
std::string_view event_name(entity_kind kind, std::uint16_t type);

} // namespace purser
