#include "runtime/threads.hpp"

#include "runtime/thread_name.hpp"

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

namespace purser {

namespace {

/// Joined when it goes, also when the caller's own share throws.
class helpers {
public:
  helpers() = default;
  helpers(const helpers&) = delete;
  helpers& operator=(const helpers&) = delete;
  ~helpers() {
    for (auto& each : threads_)
      each.join();
  }

  void start(unsigned wanted, const char* name, const std::function<void()>& work) {
    threads_.reserve(wanted);
    try {
      while (threads_.size() < wanted)
        threads_.emplace_back([name, &work] {
          name_thread(name);
          work();
        });
    } catch (const std::system_error&) {
      return; // the caller can do all of it
    }
  }

private:
  std::vector<std::thread> threads_;
};

} // namespace

unsigned threads_or_cores(unsigned wanted) {
  return wanted == 0 ? std::max(std::thread::hardware_concurrency(), 1U) : wanted;
}

void on_threads(unsigned threads, const char* name, const std::function<void()>& work) {
  helpers others;
  others.start(std::max(threads, 1U) - 1, name, work);
  work();
}

} // namespace purser
