// Shards are independent of each other: what is read of each at a start is read of several at once.
#pragma once

#include <cstdint>
#include <functional>

namespace purser {

/// Calls once for each shard, on up to so many threads, the caller's among them; with one in
/// ascending order. Returns when all have returned; then throws what the lowest shard threw.
void for_each_shard(std::uint16_t shards, unsigned threads,
                    const std::function<void(std::uint16_t shard)>& call);

} // namespace purser
