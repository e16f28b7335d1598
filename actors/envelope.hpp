// A message on its way to an entity.
#pragma once

#include "actors/activity.hpp"
#include "actors/answer.hpp"
#include "actors/domain/messages.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace purser {

struct envelope {
  entity_ref to;
  std::optional<entity_ref> from; ///< an entity that wants the answer
  client_call_ptr client;         ///< or a client
  std::string key; ///< makes a command idempotent for ever in its stream; may be empty
  std::uint64_t fingerprint = 0; ///< of the body that `key` stands for; 0 without a key
  unix_millis at = 0;            ///< business time, handed on to what it causes; 0: the clock's
  bool query = false;            ///< only reads: the answer is the view
  bool release = false;          ///< for the shard: the entity's quarantine ends
  bool first_ever = false;       ///< nobody has ever sent the receiver anything: it has no history
  message_body body = resume_step{};

  // What a redelivery must know.
  int deliveries = 0;            ///< times it was handed to an incarnation of the entity
  std::optional<bool> duplicate; ///< found among the known commands when it was first looked up
  bool dead_letter = false;      ///< given up: answer so, and note it
  bool poisoned = false;         ///< it was told to crash its entity at every delivery

  activity_token token; ///< while it is queued or handled

  envelope* next = nullptr; ///< the one behind it, for envelope_queue

  bool is_command() const noexcept { return !query && !is_reply(); }

  /// What a client wants done, as against what entities tell each other.
  bool is_client_command() const noexcept { return std::holds_alternative<command_body>(body); }

private:
  bool is_reply() const noexcept {
    return std::holds_alternative<stock_reply>(body) ||
           std::holds_alternative<payment_reply>(body) ||
           std::holds_alternative<provider_reply>(body) ||
           std::holds_alternative<undeliverable>(body) ||
           std::holds_alternative<resume_step>(body) || std::holds_alternative<timer_due>(body);
  }
};

/// Messages are made once, and handed on.
using envelope_ptr = std::unique_ptr<envelope>;

} // namespace purser
