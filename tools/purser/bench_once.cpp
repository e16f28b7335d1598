#include "tools/purser/bench_once.hpp"

#include "runtime/bench/limits.hpp"
#include "tools/purser/bench_workloads.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

/// jemalloc's, where the program has it; null where a sanitizer has its own allocator.
// NOLINTNEXTLINE(readability-identifier-naming): jemalloc's name
extern "C" int mallctl(const char* name, void* old, std::size_t* old_size, void* now,
                       std::size_t now_size) __attribute__((weak));

namespace purser::tools {

namespace {

using steady = std::chrono::steady_clock;

/// Enough to see them beside what else is in memory; few in a short run.
std::uint64_t orders_in_memory(double seconds) {
  return static_cast<std::uint64_t>(std::clamp(seconds * 7'000, 1'000.0, 20'000.0));
}

/// Resident bytes more than before, once the SKUs are there, and once the orders are there too.
struct grown {
  double skus = 0;
  double orders = 0;
};

/// To the machine: what is free already would be used first, and would not show as growth.
void give_back_free_memory() {
  if (mallctl == nullptr) {
    ::malloc_trim(0);
    return;
  }
  for (const auto* what : {"thread.tcache.flush", "arena.4096.purge"}) // 4096: all of them
    if (const auto failed = mallctl(what, nullptr, nullptr, nullptr, 0); failed != 0)
      throw std::runtime_error(std::string{"jemalloc refuses "} + what + ": error " +
                               std::to_string(failed));
}

grown memory_with(const once_settings& how, std::size_t max_live) {
  give_back_free_memory();
  const scratch_data data{how.data};
  auto options = data.options();
  options.max_live_entities = max_live;
  options.checkpoint_bytes = std::size_t{1} << 40; // no snapshots: they would be in memory, too
  const auto target = engine::start(options);
  grown made;
  const auto before = resident_bytes();
  stock_up(*target, how.skus);
  made.skus = resident_bytes() - before;
  constexpr std::size_t at_once = 256;
  send_all(
    *target, {0, orders_in_memory(how.seconds), at_once}, two_line_orders(how.skus),
    [] { return false; }, [](std::uint64_t) {});
  made.orders = resident_bytes() - before - made.skus;
  return made;
}

} // namespace

double seconds_to_serve(const engine_options& options) {
  const auto began = steady::now();
  const auto started = engine::start(options);
  const auto first = started->query({entity_kind::stock, "sku-0"}).get();
  const auto took = seconds_since(began);
  if (first.result != outcome::accepted)
    throw std::runtime_error("an engine that was started again does not answer: " + first.detail);
  return took;
}

double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  if (!(statm >> pages >> resident))
    throw std::runtime_error("/proc/self/statm cannot be read");
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

recovery_figures measure_recovery(const once_settings& how) {
  recovery_figures made;
  const auto load = [&](engine& target) {
    stock_up(target, how.skus);
    closed_loop(target, how.clients, how.seconds, two_line_orders(how.skus), how.stop);
  };
  {
    const scratch_data data{how.data};
    auto options = data.options();
    options.checkpoint_bytes = std::size_t{1} << 40;
    {
      const auto target = engine::start(options);
      load(*target);
      made.tail_events = target->figures().events;
      target->kill();
    }
    made.replayed_per_second = static_cast<double>(made.tail_events) / seconds_to_serve(options);
  }
  const scratch_data data{how.data};
  const auto options = data.options();
  {
    const auto target = engine::start(options);
    load(*target);
    made.events_behind = target->figures().events;
    target->kill();
  }
  made.serves_after_ms = seconds_to_serve(options) * 1e3;
  return made;
}

feed_figures measure_feed(const once_settings& how) {
  constexpr std::uint32_t units_of_a_record = 100;
  const auto per_second = [&](std::size_t clients, const command_maker& make) {
    const scratch_data data{how.data};
    const auto target = engine::start(data.options());
    return closed_loop(*target, clients, how.seconds, make, how.stop).per_second;
  };
  feed_figures made;
  made.records_per_second =
    feed_lines * per_second(feed_clients, batches_of_new_skus(feed_lines, units_of_a_record));
  made.receipts_per_second = per_second(receipt_clients, new_skus(units_of_a_record));
  return made;
}

memory_figures measure_memory(const once_settings& how) {
  constexpr std::size_t all = 10'000'000;
  constexpr std::size_t hardly_any = 8;
  constexpr double kib = 1'024;
  const auto passive = memory_with(how, hardly_any); // first: it leaves less behind
  const auto live = memory_with(how, all);
  memory_figures made;
  made.orders = orders_in_memory(how.seconds);
  made.kib_per_live_order = (live.orders - passive.orders) / static_cast<double>(made.orders) / kib;
  made.kib_per_idle_sku = (live.skus - passive.skus) / how.skus / kib;
  return made;
}

double measure_idle_cpu(const once_settings& how) {
  const scratch_data data{how.data};
  const auto target = engine::start(data.options());
  stock_up(*target, std::min(how.skus, 1'000U));
  constexpr std::chrono::milliseconds settling{300};
  std::this_thread::sleep_for(settling);
  const auto cpu = bench::cpu_us();
  const auto began = steady::now();
  while (seconds_since(began) < how.seconds && !how.stop())
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  return static_cast<double>(bench::cpu_us() - cpu) / seconds_since(began) / 1e6 * 100;
}

} // namespace purser::tools
