#include "runtime/journal/each_shard.hpp"

#include "runtime/thread_name.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace purser {

namespace {

/// Joined when it goes.
class helpers {
public:
  helpers() = default;
  helpers(const helpers&) = delete;
  helpers& operator=(const helpers&) = delete;
  ~helpers() {
    for (auto& each : threads_)
      each.join();
  }

  /// As many as the machine gives us: none is needed.
  void start(unsigned wanted, const std::function<void()>& work) {
    threads_.reserve(wanted);
    try {
      while (threads_.size() < wanted)
        threads_.emplace_back([work] {
          name_thread("recovery");
          work();
        });
    } catch (const std::system_error&) {
      return;
    }
  }

private:
  std::vector<std::thread> threads_;
};

} // namespace

void for_each_shard(std::uint16_t shards, unsigned threads,
                    const std::function<void(std::uint16_t shard)>& call) {
  std::vector<std::exception_ptr> thrown(shards);
  std::atomic<unsigned> next{0};
  const auto work = [&] {
    for (unsigned shard = next++; shard < shards; shard = next++) {
      try {
        call(static_cast<std::uint16_t>(shard));
      } catch (...) {
        thrown[shard] = std::current_exception();
      }
    }
  };
  {
    helpers others;
    const auto wanted = std::min<unsigned>(threads, shards);
    others.start(wanted == 0 ? 0 : wanted - 1, work);
    work();
  }
  for (const auto& each : thrown)
    if (each)
      std::rethrow_exception(each);
}

} // namespace purser
