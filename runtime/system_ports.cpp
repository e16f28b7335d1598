#include "runtime/system_ports.hpp"

#include <chrono>
#include <cstdio>
#include <string>

namespace purser {

namespace {

std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
           std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

constexpr std::int64_t ns_per_ms = 1'000'000;

void raise_to(std::atomic<std::int64_t>& value, std::int64_t to) {
  auto seen = value.load(std::memory_order_relaxed);
  while (seen < to && !value.compare_exchange_weak(seen, to, std::memory_order_relaxed)) {
  }
}

unix_millis wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

} // namespace

unix_millis system_clock::now() const {
  return wall_ms();
}
std::int64_t system_clock::monotonic_ns() const {
  return steady_ns();
}
std::int64_t command_clock::monotonic_ns() const {
  return steady_ns();
}

std::int64_t driven_clock::monotonic_ns() const {
  return steady_ns();
}

void command_clock::advance_to(unix_millis at) {
  raise_to(now_, at);
}
void driven_clock::advance_to(unix_millis at) {
  raise_to(now_, at);
}

std::int64_t command_clock::waiting_ms() const {
  return steady_ns() / ns_per_ms + skipped_ms_.load(std::memory_order_relaxed);
}

void command_clock::skip_waiting_to(std::int64_t to_ms) {
  raise_to(skipped_ms_, to_ms - steady_ns() / ns_per_ms);
}

std::uint64_t system_random::bits() {
  const std::lock_guard lock{mutex_};
  return generator_();
}

std::string make_uuid7(clock& time, random_source& random) {
  const auto ms = static_cast<std::uint64_t>(time.now()) & 0xffffffffffffULL;
  const auto high = random.bits();
  const auto low = random.bits();
  char text[40];
  const auto size = std::snprintf(text, sizeof text, "%08llx-%04llx-7%03llx-%04llx-%012llx",
                                  static_cast<unsigned long long>(ms >> 16),
                                  static_cast<unsigned long long>(ms & 0xffff),
                                  static_cast<unsigned long long>(high & 0xfff),
                                  static_cast<unsigned long long>(0x8000 | ((high >> 12) & 0x3fff)),
                                  static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return {text, static_cast<std::size_t>(size)};
}

} // namespace purser
