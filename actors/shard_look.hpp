// What a shard tells of itself and its entities when it is asked: a bounded answer, made by the
// shard itself.
#pragma once

#include "actors/domain/entity_ref.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace purser {

class shard_inbox;
struct shard_state;

struct entity_look {
  entity_ref ref;
  bool running = false; ///< else it waits for its restart
  bool quarantined = false;
  std::size_t waiting = 0;    ///< messages in its mailbox
  std::uint64_t messages = 0; ///< that it was sent since it came into memory
  std::int64_t uptime_ms = 0; ///< of the running incarnation
};

struct shard_look {
  std::uint16_t shard = 0;
  std::uint64_t messages = 0; ///< sent to it so far
  std::size_t live = 0;       ///< entities that run
  std::int64_t uptime_ms = 0; ///< of the shard's incarnation
  std::vector<entity_look> entities;
};

struct shard_question {
  std::size_t most = 0;         ///< entities: of the newest used, those with most to do
  std::vector<entity_ref> also; ///< and these, if it has them
  /// Called once by the shard, in its context; must be short.
  std::function<void(shard_look)> answer;
};

/// `now_ns`: of the monotonic clock.
shard_look look_at(const shard_state& shard, const shard_inbox& inbox,
                   const shard_question& question, std::int64_t now_ns);

} // namespace purser
