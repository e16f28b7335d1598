#include "actors/command_log.hpp"

#include "actors/codec.hpp"

#include <algorithm>

namespace purser {

rejection recorded_rejection(const event_record& event) {
  if (event.type != command_noted::type)
    return rejection::none;
  return codec::from_bytes<command_noted>(event.payload).outcome;
}

void command_log::note(const event_record& event) {
  if (event.fingerprint == 0)
    return;
  if (entries_.size() == capacity)
    entries_.erase(entries_.begin());
  entries_.push_back({event.cause, event.fingerprint, recorded_rejection(event)});
  ++total_;
}

const command_log::entry* command_log::find(std::string_view key) const {
  const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                  [&](const entry& candidate) { return candidate.key == key; });
  return found == entries_.rend() ? nullptr : &*found;
}

void command_log::save(std::string& out) const {
  codec::put_varint(out, total_);
  codec::put_varint(out, entries_.size());
  for (const auto& noted : entries_)
    codec::encode(out, noted);
}

void command_log::restore(std::string_view& in) {
  total_ = codec::take_varint(in);
  const auto count = codec::take_varint(in);
  if (count > capacity)
    throw codec::decode_error("a command log is larger than its bound");
  entries_.clear();
  for (std::uint64_t i = 0; i < count; ++i)
    codec::decode(in, entries_.emplace_back());
}

} // namespace purser
