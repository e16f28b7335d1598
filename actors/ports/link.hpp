// The link port: how messages reach entities that live on another node. A single node has no other
// node; the cluster's link (batches, acknowledgement, resend) implements this.
#pragma once

#include <cstdint>
#include <string>

namespace purser {

/// Thread-safe.
class link {
public:
  link() = default;
  link(const link&) = delete;
  link& operator=(const link&) = delete;
  virtual ~link() = default;

  /// Whether this node owns the shard. One that does not must not append to it.
  virtual bool owns(std::uint16_t shard) const = 0;

  /// Hands an encoded envelope to the node that owns the shard. In order per shard, at least once;
  /// the receiver drops repeats. Only called once everything that led to the envelope is durable.
  virtual void forward(std::uint16_t shard, std::string envelope) = 0;
};

} // namespace purser
