// How dead letters and quarantines are stored: marks of the journal's store
// (docs/formats/journal.md, "What was given up").
#pragma once

#include "actors/ports/given_up.hpp"
#include "runtime/given_up.hpp"
#include "runtime/journal/store.hpp"

#include <boost/describe.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

/// The value of a mark `letter/` + id, behind the number of its shape.
struct letter_record {
  static constexpr std::uint64_t schema = 1;
  entity_ref to;
  std::optional<entity_ref> from;
  bool from_client = false;
  std::string key;
  std::uint64_t fingerprint = 0;
  unix_millis at = 0;
  std::string message;
  std::uint32_t message_schema = 0;
  std::string body; ///< encode_message
  std::string cause;
  std::uint32_t attempts = 0;
  std::uint64_t version = 0;
  bool took_effect = false;
  unix_millis kept_at = 0;
  std::uint32_t redrives = 0;
};
BOOST_DESCRIBE_STRUCT(letter_record, (),
                      (to, from, from_client, key, fingerprint, at, message, message_schema, body,
                       cause, attempts, version, took_effect, kept_at, redrives))

/// The value of a mark `quarantine/` + entity, behind the number of its shape.
struct quarantine_record {
  static constexpr std::uint64_t schema = 1;
  std::string cause;
  std::uint32_t crashes = 0;
  std::uint64_t version = 0;
  unix_millis since = 0;
  std::uint64_t refused = 0;
};
BOOST_DESCRIBE_STRUCT(quarantine_record, (), (cause, crashes, version, since, refused))

namespace given_up {

std::string letter_key(std::string_view id);
std::string quarantine_key(const entity_ref& entity);

/// Twelve letters and digits: of the entity and its command's key; of a message without a key, of
/// sender, entity, the entity's version and what is asked for.
std::string letter_id(const given_up_message& message);

/// The key under which a letter's n-th redrive goes to its entity (1, 2, 3...), and what such a key
/// says.
std::string redrive_key(std::string_view id, std::uint32_t number);
struct redriven {
  std::string id;
  std::uint32_t number = 0;
};
std::optional<redriven> redrive_of(std::string_view key);

std::string encode(const letter_record& record);
std::string encode(const quarantine_record& record);

/// Throws journal_corrupt; a newer shape is one that this program cannot read either.
letter_record decode_letter(std::string_view id, std::string_view bytes);

/// The first is the oldest by the wall clock. One that cannot be read is listed, and says so.
std::vector<dead_letter> letters(store& disk);
std::optional<dead_letter> letter(store& disk, const std::string& id);

/// In the order of kinds and ids.
std::vector<quarantined_entity> quarantines(store& disk);

} // namespace given_up
} // namespace purser
