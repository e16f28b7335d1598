#include "runtime/given_up_records.hpp"

#include "actors/codec.hpp"
#include "actors/message_codec.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/json/message_json.hpp"

#include <boost/json/serialize.hpp>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace purser::given_up {

namespace {

constexpr std::string_view redrive_prefix = "redrive/";

/// Crockford's: nothing in it is taken for something else.
constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr int id_length = 12;
constexpr int digit_bits = 5;

template <class Record>
std::string encode_with_schema(const Record& record) {
  std::string bytes;
  codec::put_varint(bytes, Record::schema);
  codec::encode(bytes, record);
  return bytes;
}

/// Throws codec::decode_error.
template <class Record>
Record decode_with_schema(std::string_view bytes) {
  if (const auto schema = codec::take_varint(bytes); schema != Record::schema)
    throw codec::decode_error("it is of shape " + std::to_string(schema) +
                              ", this program knows shape " + std::to_string(Record::schema));
  return codec::from_bytes<Record>(bytes);
}

/// Fills in what only the message's own bytes tell.
void read_body(const letter_record& record, dead_letter& to) {
  if (record.message_schema != message_schema) {
    to.cannot_redrive = "another version of purser kept it, whose messages have other fields";
    return;
  }
  try {
    to.body = boost::json::serialize(message_json(decode_message(record.message, record.body)));
  } catch (const codec::decode_error& error) {
    to.cannot_redrive = std::string{"its message cannot be read: "} + error.what();
  }
}

dead_letter letter_of(std::string_view id, std::string_view bytes) {
  dead_letter made;
  made.id = id;
  try {
    auto record = decode_letter(id, bytes);
    made.entity = record.to;
    made.message = record.message;
    made.from_client = record.from_client;
    made.from = record.from;
    made.key = record.key;
    made.cause = record.cause;
    made.attempts = record.attempts;
    made.version = record.version;
    made.at = record.at;
    made.kept_at = record.kept_at;
    made.redrives = record.redrives;
    made.took_effect = record.took_effect;
    read_body(record, made);
  } catch (const journal_corrupt& error) {
    made.cannot_redrive = error.what();
  }
  return made;
}

} // namespace

std::string letter_key(std::string_view id) {
  return std::string{marks::letter} + std::string{id};
}

std::string quarantine_key(const entity_ref& entity) {
  return std::string{marks::quarantine} + store_key(entity);
}

std::string letter_id(const given_up_message& message) {
  std::string bytes;
  codec::encode(bytes, message.to);
  codec::encode(bytes, message.key);
  if (message.key.empty()) {
    codec::encode(bytes, message.from);
    codec::encode(bytes, message.version);
    bytes += name_of(message.body);
    bytes += encode_request(message.body);
  }
  auto hash = XXH3_64bits(bytes.data(), bytes.size());
  std::string id;
  for (int i = 0; i < id_length; ++i, hash >>= digit_bits)
    id.push_back(digits[hash % digits.size()]);
  return id;
}

std::string redrive_key(std::string_view id, std::uint32_t number) {
  return std::string{redrive_prefix} + std::string{id} + "/" + std::to_string(number);
}

std::optional<redriven> redrive_of(std::string_view key) {
  if (!key.starts_with(redrive_prefix))
    return std::nullopt;
  key.remove_prefix(redrive_prefix.size());
  const auto slash = key.find('/');
  if (slash == std::string_view::npos)
    return std::nullopt;
  redriven found{std::string{key.substr(0, slash)}, 0};
  const auto number = key.substr(slash + 1);
  const auto read = std::from_chars(number.begin(), number.end(), found.number);
  if (read.ec != std::errc{} || read.ptr != number.end())
    return std::nullopt;
  return found;
}

std::string encode(const letter_record& record) {
  return encode_with_schema(record);
}

std::string encode(const quarantine_record& record) {
  return encode_with_schema(record);
}

letter_record decode_letter(std::string_view id, std::string_view bytes) {
  try {
    return decode_with_schema<letter_record>(bytes);
  } catch (const codec::decode_error& error) {
    throw journal_corrupt("the dead letter " + std::string{id} +
                          " cannot be read: " + error.what());
  }
}

std::vector<dead_letter> letters(store& disk) {
  std::vector<dead_letter> all;
  disk.for_each_mark(marks::letter, [&](std::string_view id, std::string_view bytes) {
    all.push_back(letter_of(id, bytes));
  });
  std::ranges::sort(all, {},
                    [](const dead_letter& each) { return std::tie(each.kept_at, each.id); });
  return all;
}

std::optional<dead_letter> letter(store& disk, const std::string& id) {
  const auto bytes = disk.mark(letter_key(id));
  return bytes ? std::optional{letter_of(id, *bytes)} : std::nullopt;
}

std::vector<quarantined_entity> quarantines(store& disk) {
  std::vector<quarantined_entity> all;
  disk.for_each_mark(marks::quarantine, [&](std::string_view key, std::string_view bytes) {
    quarantined_entity made;
    made.entity = entity_of(key);
    try { // whatever is told of it, it is quarantined
      const auto record = decode_with_schema<quarantine_record>(bytes);
      made.cause = record.cause;
      made.crashes = record.crashes;
      made.version = record.version;
      made.since = record.since;
      made.refused = record.refused;
    } catch (const codec::decode_error& error) {
      made.cause = std::string{"its record cannot be read: "} + error.what();
    }
    all.push_back(std::move(made));
  });
  return all;
}

} // namespace purser::given_up
