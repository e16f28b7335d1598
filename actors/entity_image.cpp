#include "actors/entity_image.hpp"

#include "actors/codec.hpp"

namespace purser {

namespace {

constexpr std::uint64_t snapshot_schema = 1;

std::uint64_t take_version(std::string_view& snapshot) {
  if (const auto schema = codec::take_varint(snapshot); schema != snapshot_schema)
    throw codec::decode_error("schema " + std::to_string(schema) + " is not known");
  return codec::take_varint(snapshot);
}

/// Calls, and names the entity when its snapshot is bad.
template <class Call>
void reading_snapshot_of(const entity_ref& entity, Call call) {
  try {
    call();
  } catch (const codec::decode_error& error) {
    throw journal_corrupt(to_string(entity) + ": its snapshot cannot be read: " + error.what());
  }
}

} // namespace

entity_image::entity_image(entity_ref ref, const shop_policy& policy)
    : ref_(std::move(ref)), state_(make_aggregate(ref_.kind, policy)) {}

void entity_image::rebuild(const stored_stream& stored) {
  if (stored.snapshot)
    restore(*stored.snapshot);
  for (const auto& event : stored.tail)
    evolve(event);
}

void entity_image::evolve(const recorded_event& event) {
  if (event.version != version_ + 1)
    throw journal_corrupt(to_string(ref_) + ": event " + std::to_string(event.version) +
                          " follows event " + std::to_string(version_));
  try {
    if (event.event.type != command_noted::type)
      state_->evolve(event.event);
    commands_.note(event.event);
  } catch (const codec::decode_error& error) {
    throw journal_corrupt(to_string(ref_) + ": event " + std::to_string(event.version) +
                          " cannot be read: " + error.what());
  }
  version_ = event.version;
}

void entity_image::appended(const std::vector<event_record>& events) {
  for (const auto& event : events)
    commands_.note(event);
  version_ += events.size();
}

std::string entity_image::snapshot() const {
  std::string out;
  codec::put_varint(out, snapshot_schema);
  codec::put_varint(out, version_);
  commands_.save(out);
  state_->save(out);
  return out;
}

command_log entity_image::commands_in(const entity_ref& entity, std::string_view snapshot) {
  command_log commands;
  reading_snapshot_of(entity, [&] {
    take_version(snapshot);
    commands.restore(snapshot);
  });
  return commands;
}

void entity_image::restore(std::string_view bytes) {
  reading_snapshot_of(ref_, [&] {
    version_ = take_version(bytes);
    commands_.restore(bytes);
    state_->restore(bytes);
  });
}

} // namespace purser
