#include "runtime/journal/chunk_format.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include <xxhash.h>

namespace purser {

namespace {

constexpr std::string_view magic{"PCK1"};
constexpr std::size_t header_size = 48;
constexpr std::size_t checksum_size = 8;

// Places in the header.
constexpr std::size_t shard_at = 4;
constexpr std::size_t zeros_at = 6; // two bytes
constexpr std::size_t count_at = 8;
constexpr std::size_t more_zeros_at = 12; // four bytes
constexpr std::size_t number_at = 16;
constexpr std::size_t first_at = 24;
constexpr std::size_t last_at = 32;
constexpr std::size_t committed_at_at = 40;

// Flags of an event.
constexpr unsigned char has_cause = 1;
constexpr unsigned char has_fingerprint = 2;
constexpr unsigned char known_flags = has_cause | has_fingerprint;

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

void put_header(std::string& bytes, const chunk_header& header) {
  put_at(bytes, shard_at, header.shard);
  put_at(bytes, count_at, header.count);
  put_at(bytes, number_at, header.number);
  put_at(bytes, first_at, header.first);
  put_at(bytes, last_at, header.last);
}

constexpr std::uint64_t low_bits = 0x7f;
constexpr std::uint64_t more_follows = 0x80;
constexpr unsigned bits_per_byte = 7;

/// Small numbers gathered on the stack, so that the buffer's capacity is looked at once for many.
class scratch {
public:
  void varint(std::uint64_t value) {
    while (value > low_bits) {
      bytes_[size_++] = static_cast<char>((value & low_bits) | more_follows);
      value >>= bits_per_byte;
    }
    bytes_[size_++] = static_cast<char>(value);
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void byte(unsigned char value) { bytes_[size_++] = static_cast<char>(value); }
  void flush(std::string& out) {
    out.append(bytes_.data(), size_);
    size_ = 0;
  }

private:
  std::array<char, 64> bytes_; // the most between two flushes: 5 varints and a byte, 51 bytes
  std::size_t size_ = 0;
};

std::uint64_t take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  unsigned shift = 0;
  for (std::size_t i = 0; i < in.size() && shift < 64; ++i, shift += bits_per_byte) {
    const auto byte = static_cast<unsigned char>(in[i]);
    const auto bits = byte & low_bits;
    if ((bits << shift) >> shift != bits)
      break;
    value |= bits << shift;
    if ((byte & more_follows) == 0) {
      in.remove_prefix(i + 1);
      return value;
    }
  }
  throw journal_corrupt("the chunk cannot be read: a number is cut short or too large");
}

template <class T>
T take_number(std::string_view& in) {
  const auto value = take_varint(in);
  if (value > std::numeric_limits<T>::max())
    throw journal_corrupt("the chunk cannot be read: a number is out of range");
  return static_cast<T>(value);
}

std::string_view take_text(std::string_view& in, std::uint64_t size) {
  if (size > in.size())
    throw journal_corrupt("the chunk cannot be read: a text is cut short");
  const auto text = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(static_cast<std::size_t>(size));
  return text;
}

} // namespace

// -- Writing ----------------------------------------------------------------------------------------

chunk_writer::chunk_writer(std::uint16_t shard, std::uint64_t number, std::string buffer)
    : bytes_(std::move(buffer)) {
  header_.shard = shard;
  header_.number = number;
  bytes_.assign(header_size, '\0');
  bytes_.replace(0, magic.size(), magic);
}

void chunk_writer::add(position at, const entity_ref& stream, std::uint64_t version,
                       const event_record& event) {
  if (header_.count == 0)
    header_.first = header_.last = at;
  scratch small;
  small.varint(at - header_.last);
  small.byte(static_cast<unsigned char>(stream.kind));
  small.varint(stream.key.size());
  small.flush(bytes_);
  bytes_.append(stream.key);
  small.varint(version);
  small.varint(event.type);
  small.varint(event.schema);
  small.zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(event.at)
                                         - static_cast<std::uint64_t>(last_at_)));
  small.byte(static_cast<unsigned char>((event.cause.empty() ? 0 : has_cause)
                                        | (event.fingerprint == 0 ? 0 : has_fingerprint)));
  if (!event.cause.empty()) {
    small.varint(event.cause.size());
    small.flush(bytes_);
    bytes_.append(event.cause);
  }
  if (event.fingerprint != 0)
    for (std::size_t i = 0; i < sizeof event.fingerprint; ++i)
      small.byte(static_cast<unsigned char>(event.fingerprint >> (8 * i)));
  small.varint(event.payload.size());
  small.flush(bytes_);
  bytes_.append(event.payload);
  header_.last = at;
  last_at_ = event.at;
  ++header_.count;
}

std::string chunk_writer::close() && {
  put_header(bytes_, header_);
  bytes_.append(checksum_size, '\0');
  return std::move(bytes_);
}

std::string chunk_writer::copy() const {
  auto twin = *this;
  return std::move(twin).close();
}

void seal_chunk(std::string& chunk, std::int64_t committed_at) {
  put_at(chunk, committed_at_at, committed_at);
  const auto end = chunk.size() - checksum_size;
  put_at(chunk, end, std::uint64_t{XXH3_64bits(chunk.data(), end)});
}

std::string copy_unsealed(const std::string& chunk) {
  std::string made(chunk.size(), '\0');
  std::memcpy(made.data(), chunk.data(), committed_at_at);
  std::memcpy(made.data() + header_size, chunk.data() + header_size,
              chunk.size() - header_size - checksum_size);
  return made;
}

// -- Reading ----------------------------------------------------------------------------------------

recorded_event event_view::copy() const {
  return {at_position,
          {kind, std::string{key}},
          version,
          {type, schema, at, std::string{cause}, fingerprint, std::string{payload}}};
}

chunk_view::chunk_view(std::string_view bytes) : header_(read_header(bytes)) {
  events_ = bytes.substr(header_size, bytes.size() - header_size - checksum_size);
}

chunk_view::iterator::iterator(const chunk_view& chunk)
    : in_(chunk.events_), left_(chunk.header_.count), last_(chunk.header_.last) {
  event_.at_position = chunk.header_.first;
  at_end_ = false;
  step();
}

void chunk_view::iterator::step() {
  if (left_ == 0) {
    if (!in_.empty() || event_.at_position != last_)
      throw journal_corrupt("the chunk cannot be read: its events are not what its header says");
    at_end_ = true;
    return;
  }
  --left_;
  decode();
}

void chunk_view::iterator::decode() {
  const auto delta = take_varint(in_);
  // The first event is at the header's position, every other one behind the one before.
  if ((delta == 0) != at_first_ || delta > last_ - event_.at_position)
    throw journal_corrupt("the chunk cannot be read: its positions do not grow to its last");
  at_first_ = false;
  event_.at_position += delta;
  event_.kind = static_cast<entity_kind>(take_text(in_, 1).front());
  event_.key = take_text(in_, take_varint(in_));
  event_.version = take_varint(in_);
  event_.type = take_number<std::uint16_t>(in_);
  event_.schema = take_number<std::uint16_t>(in_);
  const auto at_delta = take_varint(in_);
  event_.at = static_cast<std::int64_t>(static_cast<std::uint64_t>(event_.at)
                                        + ((at_delta >> 1) ^ (~(at_delta & 1) + 1)));
  const auto flags = static_cast<unsigned char>(take_text(in_, 1).front());
  if ((flags & ~known_flags) != 0)
    throw journal_corrupt("the chunk cannot be read: an event has flags of a newer format");
  event_.cause = (flags & has_cause) != 0 ? take_text(in_, take_varint(in_)) : std::string_view{};
  event_.fingerprint = (flags & has_fingerprint) != 0
                         ? get_at<std::uint64_t>(take_text(in_, sizeof(std::uint64_t)), 0)
                         : 0;
  event_.payload = take_text(in_, take_varint(in_));
}

chunk_header read_header(std::string_view chunk) {
  if (chunk.size() < header_size + checksum_size || chunk.substr(0, magic.size()) != magic)
    throw journal_corrupt("these bytes are no chunk");
  const auto body = chunk.substr(0, chunk.size() - checksum_size);
  if (XXH3_64bits(body.data(), body.size()) != get_at<std::uint64_t>(chunk, body.size()))
    throw journal_corrupt("its checksum is wrong");
  const chunk_header header{
    get_at<std::uint16_t>(chunk, shard_at), get_at<std::uint64_t>(chunk, number_at),
    get_at<std::uint64_t>(chunk, first_at), get_at<std::uint64_t>(chunk, last_at),
    get_at<std::uint32_t>(chunk, count_at), get_at<std::int64_t>(chunk, committed_at_at)};
  if (get_at<std::uint16_t>(chunk, zeros_at) != 0
      || get_at<std::uint32_t>(chunk, more_zeros_at) != 0 || header.number == 0 || header.count == 0
      || header.first == 0 || header.last < header.first
      || header.last - header.first < header.count - 1)
    throw journal_corrupt("its header makes no sense");
  return header;
}

void read_chunk(std::string_view chunk, const event_visitor& visit) {
  for (const auto& event : chunk_view{chunk})
    visit(event.copy());
}

void read_chunk_of(std::string_view chunk, const entity_ref& stream, const event_visitor& visit) {
  for (const auto& event : chunk_view{chunk})
    if (event.is_of(stream))
      visit(event.copy());
}

} // namespace purser
