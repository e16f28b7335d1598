#include "runtime/given_up_desk.hpp"

#include "actors/message_codec.hpp"
#include "runtime/engine_errors.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_store.hpp"
#include "runtime/system_ports.hpp"

#include <algorithm>

namespace purser {

namespace {

/// By the wall clock, whatever time it is for orders.
unix_millis wall_now() {
  return system_clock{}.now();
}

[[noreturn]] void unknown_letter(const std::string& id) {
  throw engine_error("there is no dead letter " + id);
}

/// Opens a directory that no engine has open, and makes none.
std::unique_ptr<store> open_existing(const std::filesystem::path& directory) {
  if (!std::filesystem::exists(directory / "journal"))
    throw store_error(directory.string() + " holds no journal");
  return open_rocks_store(directory);
}

void change(store& disk, const store_batch& batch) {
  const auto head = disk.mark(marks::head);
  disk.write(batch);
  disk.sync(head ? marks::decode_number(*head, marks::head) : 0);
}

} // namespace

// -- What the entities and shards give up ---------------------------------------------------------

void given_up_desk::keep(const given_up_message& message) {
  letter_record record;
  const auto again = given_up::redrive_of(message.key);
  const auto id = again ? again->id : given_up::letter_id(message);
  if (const auto before = journal_.disk().mark(given_up::letter_key(id)))
    try {
      record = given_up::decode_letter(id, *before);
    } catch (const journal_corrupt&) { // then the new one replaces it
    }
  if (again)
    record.redrives = std::max(record.redrives, again->number); // L3
  else
    record.key = message.key;
  record.to = message.to;
  record.from = message.from;
  record.from_client = message.from_client;
  record.fingerprint = message.fingerprint;
  record.at = message.at;
  record.message = name_of(message.body);
  record.message_schema = message_schema;
  record.body = encode_message(message.body);
  record.cause = message.cause;
  record.attempts += message.attempts;
  record.version = message.version;
  record.took_effect = message.took_effect;
  record.kept_at = wall_now();
  journal_.put_record(given_up::letter_key(id), given_up::encode(record));
}

void given_up_desk::keep(const given_up_entity& entity) {
  const quarantine_record record{entity.cause, entity.crashes, entity.version, wall_now(),
                                 entity.refused};
  try {
    journal_.put_record(given_up::quarantine_key(entity.entity), given_up::encode(record));
  } catch (const journal_stopped&) { // the next engine finds out by itself
  }
}

void given_up_desk::release(const entity_ref& entity) {
  try {
    journal_.put_record(given_up::quarantine_key(entity), std::nullopt);
  } catch (const journal_stopped&) { // nobody is told that it was
  }
}

// -- What people decide ---------------------------------------------------------------------------

std::vector<dead_letter> given_up_desk::letters() {
  journal_.flush_records();
  return given_up::letters(journal_.disk());
}

std::optional<dead_letter> given_up_desk::letter(const std::string& id) {
  journal_.flush_records();
  return given_up::letter(journal_.disk(), id);
}

std::vector<quarantined_entity> given_up_desk::quarantines() {
  journal_.flush_records();
  return given_up::quarantines(journal_.disk());
}

envelope given_up_desk::redrive(const std::string& id) {
  journal_.flush_records();
  const auto bytes = journal_.disk().mark(given_up::letter_key(id));
  if (!bytes)
    unknown_letter(id);
  const auto letter = given_up::letter(journal_.disk(), id);
  if (!letter->cannot_redrive.empty())
    throw engine_error("the dead letter " + id +
                       " cannot be sent again: " + letter->cannot_redrive);
  const auto record = given_up::decode_letter(id, *bytes);
  envelope message;
  message.to = record.to;
  message.from = record.from;
  message.key = record.from_client && !record.took_effect
                  ? given_up::redrive_key(id, record.redrives + 1) // L2
                  : record.key;
  message.fingerprint = record.fingerprint;
  message.body = decode_message(record.message, record.body);
  return message;
}

bool given_up_desk::settles(const answer& result) {
  switch (result.result) {
  case outcome::accepted: return true;
  case outcome::unknown: return false;
  case outcome::rejected: break;
  }
  return result.why != rejection::dead_lettered && result.why != rejection::quarantined &&
         result.why != rejection::overloaded;
}

void given_up_desk::settled(const std::string& id) {
  try {
    journal_.put_record(given_up::letter_key(id), std::nullopt);
  } catch (const journal_stopped&) { // it stays, and the next redrive is a repeat (L4)
  }
}

bool given_up_desk::drop(const std::string& id) {
  journal_.flush_records();
  if (!journal_.disk().mark(given_up::letter_key(id)))
    return false;
  journal_.put_record(given_up::letter_key(id), std::nullopt);
  journal_.flush_records();
  return true;
}

// -- A directory that no engine has open ----------------------------------------------------------

void drop_dead_letters(const std::filesystem::path& directory,
                       const std::vector<std::string>& ids) {
  translated([&] {
    const auto disk = open_existing(directory);
    store_batch batch;
    for (const auto& id : ids) {
      if (!disk->mark(given_up::letter_key(id)))
        unknown_letter(id);
      batch.unmarks.push_back(given_up::letter_key(id));
    }
    change(*disk, batch);
  });
}

void release_quarantined(const std::filesystem::path& directory,
                         const std::vector<entity_ref>& entities) {
  translated([&] {
    const auto disk = open_existing(directory);
    store_batch batch;
    for (const auto& entity : entities) {
      if (!disk->mark(given_up::quarantine_key(entity)))
        throw engine_error(to_string(entity) + " is not quarantined");
      batch.unmarks.push_back(given_up::quarantine_key(entity));
    }
    change(*disk, batch);
  });
}

} // namespace purser
