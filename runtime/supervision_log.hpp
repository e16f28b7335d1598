// The newest supervision decisions, and what they add up to for each actor.
#pragma once

#include "runtime/introspection.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace purser {

/// Thread-safe. Bounded: the oldest is forgotten; of the actors, those first that are not in
/// quarantine.
class supervision_log {
public:
  static constexpr std::size_t most_notices = 512;
  static constexpr std::size_t most_actors = 2'048;

  /// What is known of one actor.
  struct record {
    std::uint32_t restarts = 0;
    std::string last_cause;
    bool quarantined = false;
    std::uint64_t newest = 0; ///< number of its newest notice
  };

  /// Numbers and keeps it. @returns it as it was kept.
  supervision_notice note(supervision_notice notice);

  /// Those with a greater number that are still kept, in order.
  std::vector<supervision_notice> after(std::uint64_t number) const;

  std::optional<record> of(const std::string& path) const;

  /// The paths that decisions were about last, newest first.
  std::vector<std::string> newest_paths(std::size_t most) const;

  /// Paths and causes of what is in quarantine.
  std::vector<std::pair<std::string, std::string>> quarantined() const;

private:
  void forget_some();

  mutable std::mutex mutex_;
  std::deque<supervision_notice> notices_;
  std::unordered_map<std::string, record> actors_;
  std::uint64_t last_ = 0;
};

} // namespace purser
