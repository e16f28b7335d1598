#include "runtime/short_waits.hpp"

#include <chrono>

namespace purser {

namespace {

/// How often it looks whether somebody waits.
constexpr std::int64_t look_every_ms = 2;

} // namespace

short_waits::short_waits(activity& goings_on, open_steps& open, command_clock& time,
                         payment_desk& desk)
    : activity_(goings_on), open_(open), clock_(time), desk_(desk), thread_([this] { run(); }) {}

short_waits::~short_waits() {
  stopping_ = true;
  thread_.join();
}

void short_waits::run() {
  while (!stopping_)
    if (!activity_.wait_idle(look_every_ms) || !skip_one())
      std::this_thread::sleep_for(std::chrono::milliseconds{look_every_ms});
}

bool short_waits::skip_one() {
  if (open_.count() == 0)
    return false;
  const auto due = desk_.next_due();
  if (!due || *due <= clock_.waiting_ms())
    return false;
  clock_.skip_waiting_to(*due);
  desk_.time_moved();
  return true;
}

} // namespace purser
