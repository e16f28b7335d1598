// Which commands an entity has seen (I1, I2): the newest in memory and in snapshots, the older ones
// in the journal's index.
#pragma once

#include "actors/domain/rejection.hpp"
#include "actors/ports/journal.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

/// The shell's own event, in any stream: a command that changed nothing, or was refused, so that a
/// repeat is answered the same.
struct command_noted {
  static constexpr std::uint16_t type = 0, schema = 1;
  static constexpr std::string_view name = "command_noted";
  rejection outcome = rejection::none;
};
BOOST_DESCRIBE_STRUCT(command_noted, (), (outcome))

/// The rejection that an event records: that of command_noted, else none. Throws
/// codec::decode_error.
rejection recorded_rejection(const event_record& event);

class command_log {
public:
  /// So many are kept in memory and in snapshots.
  static constexpr std::size_t capacity = 32;

  struct entry {
    std::string key;
    std::uint64_t fingerprint = 0;
    rejection outcome = rejection::none;

    friend bool operator==(const entry&, const entry&) = default;
  };

  /// Notes the command that an event records, if any.
  void note(const event_record& event);

  /// What the next command to be noted makes it forget; null when it forgets nothing.
  const entry* next_to_forget() const noexcept {
    return entries_.size() == capacity ? &entries_.front() : nullptr;
  }

  const entry* find(std::string_view key) const;

  /// Whether the log has forgotten older commands: then the index has to be asked.
  bool has_forgotten() const noexcept { return total_ > entries_.size(); }

  void save(std::string& out) const;
  void restore(std::string_view& in);

private:
  std::vector<entry> entries_; // oldest first; a deque would take half a KiB while it is empty
  std::uint64_t total_ = 0;
};
BOOST_DESCRIBE_STRUCT(command_log::entry, (), (key, fingerprint, outcome))

} // namespace purser
