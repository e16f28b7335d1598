#include "runtime/threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

using namespace purser;

TEST_CASE("no number of threads means as many as cores") {
  CHECK(threads_or_cores(0) >= 1);
  CHECK(threads_or_cores(3) == 3);
}

TEST_CASE("work is done by each thread, and by the caller even if no threads are wanted") {
  for (const unsigned threads : {0U, 1U, 2U, 5U}) {
    CAPTURE(threads);
    std::atomic<unsigned> calls{0};
    on_threads(threads, "test", [&] { ++calls; });
    CHECK(calls == (threads == 0 ? 1 : threads));
  }
}

TEST_CASE("what the only thread throws comes to the caller") {
  CHECK_THROWS_AS(on_threads(1, "test", [] { throw std::runtime_error("no"); }),
                  std::runtime_error);
}
