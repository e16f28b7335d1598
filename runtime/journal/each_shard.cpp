#include "runtime/journal/each_shard.hpp"

#include "runtime/threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <vector>

namespace purser {

void for_each_shard(std::uint16_t shards, unsigned threads,
                    const std::function<void(std::uint16_t shard)>& call) {
  std::vector<std::exception_ptr> thrown(shards);
  std::atomic<unsigned> next{0};
  on_threads(std::min<unsigned>(threads, shards), "recovery", [&] {
    for (unsigned shard = next++; shard < shards; shard = next++) {
      try {
        call(static_cast<std::uint16_t>(shard));
      } catch (...) {
        thrown[shard] = std::current_exception();
      }
    }
  });
  for (const auto& each : thrown)
    if (each)
      std::rethrow_exception(each);
}

} // namespace purser
