// Keeps what is given up beside the running journal, and does what people decide about it.
//
// L1 A letter is durable no later than its outcome in the journal: one batch, or an earlier one.
// L2 A letter's n-th redrive has the key redrive/ID/n, whoever asks for it and however often. The
//    entity knows it by that (I1): the effect is there once.
// L3 n counts the redrives that ended as the same letter again: that letter's record says so, in
//    the same batch as the outcome of the redrive.
// L4 A letter goes when its redrive was answered. A crash before that leaves it; then the same
//    redrive is a repeat, and is answered as before.
#pragma once

#include "actors/answer.hpp"
#include "actors/envelope.hpp"
#include "actors/ports/clock.hpp"
#include "runtime/given_up_records.hpp"
#include "runtime/journal/group_commit.hpp"

#include <optional>
#include <string>
#include <vector>

namespace purser {

/// Thread-safe.
class given_up_desk final : public given_up_log {
public:
  explicit given_up_desk(group_commit_journal& journal) : journal_(journal) {}

  void keep(const given_up_message& message) override;
  void keep(const given_up_entity& entity) override;
  void release(const entity_ref& entity) override;

  // -- For people: these wait for the disk, and throw what the journal throws ---------------------

  std::vector<dead_letter> letters();
  std::optional<dead_letter> letter(const std::string& id);
  std::vector<quarantined_entity> quarantines();

  /// The message of a letter, to be sent: of a client's command under the key of its next redrive.
  /// Throws engine_error: there is none, or it cannot be sent.
  envelope redrive(const std::string& id);

  /// Whether an answer ends a redrive, so that the letter goes (L4).
  static bool settles(const answer& result);

  /// The letter goes with the next commit.
  void settled(const std::string& id);

  /// @returns false when there is none.
  bool drop(const std::string& id);

private:
  group_commit_journal& journal_;
};

} // namespace purser
