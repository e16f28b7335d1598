// Journals to test: in memory, with what was not synced at the tests' mercy, and on a disk.
#pragma once

#include "actors/codec.hpp"
#include "runtime/journal/group_commit.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/memory_store.hpp"
#include "runtime/journal/rocks_store.hpp"

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace purser::tests {

/// A directory that is gone afterwards.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

inline entity_ref order_ref(int number) {
  return {entity_kind::order, "o-" + std::to_string(number)};
}

inline event_record event_with(std::string payload) {
  event_record made;
  made.type = 1;
  made.at = 1'000;
  made.payload = std::move(payload);
  return made;
}

/// The timers that are marked in a store: marks::due_rest of each.
std::set<std::string> due_marks(store& disk);

/// A domain event as the journal takes it.
template <class Event>
event_record record_of(const Event& event) {
  event_record made;
  made.type = Event::type;
  made.schema = Event::schema;
  codec::encode(made.payload, event);
  return made;
}

/// Appends one event to a stream. @returns its position.
inline position append_one(journal& to, const entity_ref& stream, std::uint64_t version,
                           std::string payload = "x") {
  const std::vector<event_record> events{event_with(std::move(payload))};
  return to.append_once(stream, version, events);
}

/// A snapshot's frame (marks.hpp), alone.
inline std::string sealed_snapshot(std::uint64_t version, std::span<const std::uint64_t> chunks,
                                   std::string_view bytes) {
  std::string frame;
  marks::append_sealed_snapshot(frame, version, chunks, bytes);
  return frame;
}

/// Of one shard alone.
inline std::vector<checkpoint_part> one_part(const checkpoint_span& span, checkpoint_result made) {
  std::vector<checkpoint_part> parts;
  parts.push_back({span, std::move(made)});
  return parts;
}

/// Waits until everything appended is durable. Throws std::future_error when the journal fails
/// first.
inline void wait_durable(journal& of) {
  auto done = std::make_shared<std::promise<void>>();
  auto future = done->get_future();
  of.when_durable([done = std::move(done)] { done->set_value(); });
  future.get();
}

inline stored_stream load_now(journal& from, const entity_ref& stream) {
  std::promise<stored_stream> promise;
  from.load(stream, [&promise](stored_stream found, std::string error) {
    if (error.empty())
      promise.set_value(std::move(found));
    else
      promise.set_exception(std::make_exception_ptr(journal_corrupt(error)));
  });
  return promise.get_future().get();
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out << bytes;
}

} // namespace purser::tests
