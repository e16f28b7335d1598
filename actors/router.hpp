// The way of a message to the shard that owns its entity. What a shard has to do is kept here and
// not in CAF's mailboxes, so that a crash of the shard's actor loses nothing (A2).
#pragma once

#include "actors/envelope.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace purser {

/// What was sent to a shard and not yet distributed. Thread-safe.
class shard_inbox {
public:
  /// Names the actor to wake, and wakes it when something is waiting. After a restart: the new one.
  void attach(caf::actor shard);

  /// Nobody is woken any more.
  void detach();

  void push(envelope message);

  /// The actor that is woken; null when there is none.
  caf::actor shard();

  /// Messages that have come and were not taken yet.
  std::size_t waiting() const;

  /// Everything that has come, in order.
  std::vector<envelope> take();

private:
  void wake(const caf::actor& shard);

  mutable std::mutex mutex_;
  std::vector<envelope> waiting_;
  caf::actor shard_;
  bool woken_ = false;
};

class router {
public:
  explicit router(std::uint16_t shards);

  std::uint16_t shards() const noexcept { return static_cast<std::uint16_t>(inboxes_.size()); }

  /// Hands a message to the shard of its receiver. From one sender to one receiver, messages stay
  /// in order. Thread-safe; never blocks.
  void send(envelope message);

  /// From now on every message counts as something that goes on.
  void count(activity& in) { activity_ = &in; }
  activity_token token() const { return activity_token{activity_}; }

  shard_inbox& inbox(std::uint16_t shard) { return *inboxes_.at(shard); }

private:
  std::vector<std::unique_ptr<shard_inbox>> inboxes_;
  activity* activity_ = nullptr;
};

} // namespace purser
