#include "runtime/simulation/simulated_disk.hpp"

#include "actors/entity_image.hpp"

namespace purser::simulation {

void simulated_disk::place(const entity_ref& stream, const event_record& event) {
  auto& versions = places[stream];
  events.push_back({events.size() + 1, stream, versions.size() + 1, event});
  versions.push_back(events.size());
}

void simulated_disk::cut(position after) {
  while (events.size() > after) {
    const auto place = places.find(events.back().stream);
    place->second.pop_back();
    if (place->second.empty())
      places.erase(place);
    events.pop_back();
  }
  appends.clear();
}

// -- Writing --------------------------------------------------------------------------------------

void simulated_journal::check_fate(bool sync) {
  if (over_)
    throw journal_stopped("the journal has stopped");
  ++disk_.writes;
  switch (faults_.fate(sync)) {
  case write_fate::done: return;
  case write_fate::killed_before: kill(false); break;
  case write_fate::killed_within: kill(true); break;
  case write_fate::killed_after:
    disk_.durable = disk_.last();
    kill(false);
    break;
  case write_fate::fails: fail("the disk failed"); throw journal_stopped("the disk failed");
  }
  throw process_killed("killed");
}

position simulated_journal::append(const entity_ref& stream, std::uint64_t expected_version,
                                   std::span<const event_record> events, stream_place& /*place*/) {
  const auto known = disk_.places.find(stream);
  const auto version = known == disk_.places.end() ? 0 : known->second.size();
  if (version != expected_version)
    throw version_conflict(to_string(stream) + " is at version " + std::to_string(version) +
                           ", not " + std::to_string(expected_version));
  check_fate(false);
  for (const auto& event : events)
    disk_.place(stream, event);
  disk_.appends.push_back(disk_.last());
  return disk_.last();
}

void simulated_journal::when_durable(task released) {
  if (over_)
    return;
  if (disk_.durable == disk_.last())
    released();
  else
    outputs_.push_back({disk_.last(), std::move(released)});
}

void simulated_journal::sync() {
  try {
    check_fate(true);
  } catch (const journal_stopped&) {
    return;
  }
  disk_.durable = disk_.last();
  disk_.appends.clear();
  while (!outputs_.empty() && outputs_.front().after <= disk_.durable) {
    const auto next = std::move(outputs_.front().run);
    outputs_.pop_front();
    next();
  }
}

// -- Reading --------------------------------------------------------------------------------------

/// Now or later, as with the product's journal.
void simulated_journal::answer(task what) {
  if (chance_.one_in(2))
    what();
  else
    reads_.push_back(std::move(what));
}

void simulated_journal::read() {
  const auto next = std::move(reads_.front());
  reads_.pop_front();
  next();
}

void simulated_journal::load(const entity_ref& stream, load_callback callback) {
  if (over_)
    return;
  stored_stream found;
  if (faults_.fails(stream))
    return answer([callback = std::move(callback)] { callback({}, "the disk cannot read it"); });
  std::uint64_t version = 0;
  if (const auto snapshot = disk_.snapshots.find(stream); snapshot != disk_.snapshots.end()) {
    version = snapshot->second.first;
    found.snapshot = snapshot->second.second;
  }
  if (const auto places = disk_.places.find(stream); places != disk_.places.end())
    for (auto i = version; i < places->second.size(); ++i)
      found.tail.push_back(disk_.events[places->second[i] - 1]);
  answer([callback = std::move(callback), found = std::move(found)] { callback(found, {}); });
}

void simulated_journal::find_command(const entity_ref& stream, const std::string& key,
                                     outcome_callback callback) {
  if (over_)
    return;
  std::optional<command_outcome> found;
  for (const auto at : disk_.places[stream]) {
    const auto& recorded = disk_.events[at - 1];
    if (recorded.event.cause == key && recorded.event.fingerprint != 0)
      found = command_outcome{recorded.event.fingerprint, recorded.version,
                              static_cast<std::uint16_t>(recorded_rejection(recorded.event))};
  }
  answer([callback = std::move(callback), found] { callback(found, {}); });
}

void simulated_journal::take_snapshot(const entity_ref& stream) {
  const auto places = disk_.places.find(stream);
  if (places == disk_.places.end())
    return;
  entity_image image{stream};
  for (const auto at : places->second)
    if (at <= disk_.durable)
      image.evolve(disk_.events[at - 1]);
  if (image.version() > 0)
    disk_.snapshots[stream] = {image.version(), image.snapshot()};
}

// -- The end --------------------------------------------------------------------------------------

void simulated_journal::kill(bool torn) {
  if (std::exchange(killed_, true))
    return;
  over_ = true;
  outputs_.clear();
  reads_.clear();
  auto kept = disk_.durable;
  if (torn && !disk_.appends.empty()) // whole appends: of one that is torn nothing counts
    if (const auto number = chance_.below(disk_.appends.size() + 1); number > 0)
      kept = std::max(kept, disk_.appends[number - 1]);
  disk_.cut(kept);
  disk_.durable = kept;
}

void simulated_journal::fail(const std::string& why) {
  if (over_)
    return;
  over_ = true;
  failure_ = why;
  outputs_.clear();
  reads_.clear();
  if (faults_.on_failure)
    faults_.on_failure(why);
}

} // namespace purser::simulation
