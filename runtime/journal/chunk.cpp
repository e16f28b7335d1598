#include "runtime/journal/chunk.hpp"

#include "actors/codec.hpp"

#include <xxhash.h>

#include <cstring>

namespace purser {

namespace {

constexpr std::string_view magic{"PCK1"};
constexpr std::size_t header_size = 48;
constexpr std::size_t checksum_size = 8;
constexpr std::size_t usual_size = 1'024; ///< of a shard's chunk under load

// Places in the header.
constexpr std::size_t shard_at = 4;
constexpr std::size_t count_at = 8;
constexpr std::size_t number_at = 16;
constexpr std::size_t first_at = 24;
constexpr std::size_t last_at = 32;
constexpr std::size_t committed_at_at = 40;

// Flags of an event.
constexpr unsigned char has_cause = 1;
constexpr unsigned char has_fingerprint = 2;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "chunks are little endian");

template <class T>
void put_at(std::string& bytes, std::size_t place, T value) {
  std::memcpy(bytes.data() + place, &value, sizeof value);
}

template <class T>
T get_at(std::string_view bytes, std::size_t place) {
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

void seal(std::string& bytes, const chunk_header& header) {
  put_at(bytes, shard_at, header.shard);
  put_at(bytes, count_at, header.count);
  put_at(bytes, number_at, header.number);
  put_at(bytes, first_at, header.first);
  put_at(bytes, last_at, header.last);
  put_at(bytes, committed_at_at, header.committed_at);
  const std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
}

/// Reads the events of a chunk whose checksum has been checked.
class event_reader {
public:
  event_reader(std::string_view chunk, const chunk_header& header)
      : in_(chunk.substr(header_size, chunk.size() - header_size - checksum_size)),
        position_(header.first) {}

  /// Reads the next event; one of a stream that is not chosen is skipped. @returns whether it is
  /// one to visit.
  template <class Choice>
  bool next(recorded_event& event, const Choice& chosen) {
    position_ += codec::take_varint(in_);
    const auto kind = static_cast<entity_kind>(codec::take_varint(in_));
    const auto key = text();
    const auto version = codec::take_varint(in_);
    const auto type = codec::take_varint(in_);
    const auto schema = codec::take_varint(in_);
    at_ += codec::unzigzag(codec::take_varint(in_));
    const auto flags = static_cast<unsigned char>(codec::take_bytes(in_, 1).front());
    const auto cause = (flags & has_cause) != 0 ? text() : std::string_view{};
    std::uint64_t fingerprint = 0;
    if ((flags & has_fingerprint) != 0)
      fingerprint = get_at<std::uint64_t>(codec::take_bytes(in_, sizeof fingerprint), 0);
    const auto payload = text();
    if (!chosen(kind, key))
      return false;
    event.at_position = position_;
    event.stream.kind = kind;
    event.stream.key = key;
    event.version = version;
    event.event.type = static_cast<std::uint16_t>(type);
    event.event.schema = static_cast<std::uint16_t>(schema);
    event.event.at = at_;
    event.event.cause = cause;
    event.event.fingerprint = fingerprint;
    event.event.payload = payload;
    return true;
  }

  bool at_end() const noexcept { return in_.empty(); }
  position last() const noexcept { return position_; }

private:
  std::string_view text() {
    const auto size = codec::take_varint(in_);
    return codec::take_bytes(in_, size);
  }

  std::string_view in_;
  position position_;
  std::int64_t at_ = 0;
};

template <class Choice>
std::uint32_t read_events(std::string_view chunk, const Choice& chosen,
                          const event_visitor& visit) {
  const auto header = read_header(chunk);
  try {
    event_reader reader{chunk, header};
    recorded_event event; // one: its strings keep their room unless the visitor takes them
    for (std::uint32_t i = 0; i < header.count; ++i) {
      // NOLINTNEXTLINE(bugprone-use-after-move): it is filled anew
      if (reader.next(event, chosen))
        visit(std::move(event));
    }
    if (!reader.at_end() || reader.last() != header.last)
      throw journal_corrupt("a chunk's events do not fill it");
    return header.count;
  } catch (const codec::decode_error& error) {
    throw journal_corrupt(std::string{"a chunk cannot be read: "} + error.what());
  }
}

} // namespace

chunk_writer::chunk_writer(std::uint16_t shard, std::uint64_t number) {
  header_.shard = shard;
  header_.number = number;
  bytes_.reserve(usual_size);
  bytes_.assign(header_size, '\0');
  bytes_.replace(0, magic.size(), magic);
}

void chunk_writer::add(position at, const entity_ref& stream, std::uint64_t version,
                       const event_record& event) {
  if (header_.count == 0)
    header_.first = header_.last = at;
  codec::put_varint(bytes_, at - header_.last);
  codec::put_varint(bytes_, static_cast<std::uint64_t>(stream.kind));
  codec::encode(bytes_, stream.key);
  codec::put_varint(bytes_, version);
  codec::put_varint(bytes_, event.type);
  codec::put_varint(bytes_, event.schema);
  codec::put_varint(bytes_, codec::zigzag(event.at - last_at_));
  const auto flags =
    (event.cause.empty() ? 0 : has_cause) | (event.fingerprint == 0 ? 0 : has_fingerprint);
  bytes_.push_back(static_cast<char>(flags));
  if (!event.cause.empty())
    codec::encode(bytes_, event.cause);
  if (event.fingerprint != 0)
    bytes_.append(reinterpret_cast<const char*>(&event.fingerprint), sizeof event.fingerprint);
  codec::encode(bytes_, event.payload);
  header_.last = at;
  last_at_ = event.at;
  ++header_.count;
}

std::string chunk_writer::finish(std::int64_t committed_at) && {
  header_.committed_at = committed_at;
  seal(bytes_, header_);
  return std::move(bytes_);
}

std::string chunk_writer::peek() const {
  auto bytes = bytes_;
  seal(bytes, header_);
  return bytes;
}

chunk_header read_header(std::string_view chunk) {
  if (chunk.size() < header_size + checksum_size || chunk.substr(0, magic.size()) != magic)
    throw journal_corrupt("these bytes are no chunk");
  const auto body = chunk.substr(0, chunk.size() - checksum_size);
  if (XXH3_64bits(body.data(), body.size()) != get_at<std::uint64_t>(chunk, body.size()))
    throw journal_corrupt("a chunk's checksum is wrong");
  return {get_at<std::uint16_t>(chunk, shard_at), get_at<std::uint64_t>(chunk, number_at),
          get_at<std::uint64_t>(chunk, first_at), get_at<std::uint64_t>(chunk, last_at),
          get_at<std::uint32_t>(chunk, count_at), get_at<std::int64_t>(chunk, committed_at_at)};
}

std::string chunk_place(std::uint16_t shard, std::uint64_t number) {
  return "chunk " + std::to_string(number) + " of shard " + std::to_string(shard);
}

chunk_header checked_header(std::string_view chunk, std::uint16_t shard, std::uint64_t number) {
  try {
    const auto header = read_header(chunk);
    if (header.shard != shard || header.number != number)
      throw journal_corrupt("it is another chunk");
    return header;
  } catch (const journal_corrupt& error) {
    throw journal_corrupt(chunk_place(shard, number) + " is corrupted: " + error.what());
  }
}

void read_chunk(std::string_view chunk, const event_visitor& visit) {
  read_events(
    chunk, [](entity_kind, std::string_view) { return true; }, visit);
}

std::uint32_t read_chosen(std::string_view chunk, const stream_choice& chosen,
                          const event_visitor& visit) {
  return read_events(chunk, chosen, visit);
}

void read_chunk_of(std::string_view chunk, const entity_ref& stream, const event_visitor& visit) {
  read_events(
    chunk,
    [&stream](entity_kind kind, std::string_view key) {
      return stream.kind == kind && stream.key == key;
    },
    visit);
}

} // namespace purser
