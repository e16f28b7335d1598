#include "tools/purser/bench_sell_out.hpp"

#include "tools/purser/bench_workloads.hpp"
#include "tools/purser/terminal.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace purser::tools {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::uint64_t buyers_of_a_unit = 10;

std::uint64_t buyers_in(double seconds) {
  return static_cast<std::uint64_t>(std::clamp(seconds * 34'000, 1'000.0, 100'000.0)) /
         buyers_of_a_unit * buyers_of_a_unit;
}

/// Everybody asks, nobody waits. It outlives the engine.
class rush {
public:
  explicit rush(std::uint64_t buyers) : left_(buyers) { took_us_.reserve(buyers); }

  /// @returns false when `stop` said so before everybody was answered.
  bool run(engine& target, const std::function<bool()>& stop) {
    const auto make = one_unit_orders();
    bench_client all;
    const auto buyers = left_;
    began_ = steady::now();
    for (std::uint64_t number = 0; number < buyers && !stop(); ++number)
      target.submit(make(all, number),
                    [this, sent = steady::now()](const answer& result) { answered(sent, result); });
    constexpr std::chrono::milliseconds between_looks{50};
    std::unique_lock lock{mutex_};
    while (!none_left_.wait_for(lock, between_looks, [this] { return left_ == 0; }))
      if (stop())
        return false;
    return true;
  }

  /// Throws when somebody was told something else than that it is sold out.
  sell_out_figures result() && {
    if (!surprise_.empty())
      throw std::runtime_error("sell-out: a buyer was answered: " + surprise_);
    sell_out_figures made;
    made.buyers = took_us_.size();
    made.sold = sold_;
    made.refused = made.buyers - sold_;
    made.seconds = std::chrono::duration<double>(ended_ - began_).count();
    made.buyers_per_second = static_cast<double>(made.buyers) / made.seconds;
    made.latency_ms = quantiles(std::move(took_us_));
    return made;
  }

private:
  void answered(steady::time_point sent, const answer& result) {
    const std::lock_guard lock{mutex_};
    ended_ = steady::now();
    took_us_.push_back(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(ended_ - sent).count()));
    if (result.result == outcome::accepted)
      ++sold_;
    else if (result.why != rejection::out_of_stock)
      surprise_ = std::string{to_string(result.why)} + " " + result.detail;
    if (--left_ == 0)
      none_left_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable none_left_;
  std::uint64_t left_;
  std::uint64_t sold_ = 0;
  std::string surprise_;
  std::vector<std::uint32_t> took_us_;
  steady::time_point began_;
  steady::time_point ended_;
};

void require(bool holds, const std::string& what) {
  if (!holds)
    throw std::runtime_error("sell-out: " + what);
}

std::string counted(std::uint64_t value) {
  return grouped(static_cast<std::int64_t>(value));
}

/// Whoever is refused was handled after everybody who was served; so in the journal's total order
/// every refusal comes after the hold of the last unit.
void check_order_of_arrival(engine& target, const std::function<bool()>& stop) {
  const auto end = target.figures().durable_position;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t read = 0;
  std::uint64_t last_served = 0;
  std::uint64_t first_refused = 0;
  const auto feed = target.subscribe(0, [&](const event_notice& event) {
    const std::lock_guard lock{mutex};
    read = event.position;
    if (event.name == "units_held")
      last_served = event.position;
    else if (event.name == "order_rejected" && first_refused == 0)
      first_refused = event.position;
    if (read >= end)
      changed.notify_one();
  });
  constexpr std::chrono::milliseconds between_looks{50};
  std::unique_lock lock{mutex};
  while (!changed.wait_for(lock, between_looks, [&] { return read >= end; }))
    if (stop())
      return;
  require(first_refused > last_served, "a buyer was refused at position " + counted(first_refused) +
                                         " of the journal, and one who came later got a unit, at " +
                                         counted(last_served));
}

void check_sold_out(engine& target, const sell_out_figures& made) {
  require(made.sold == made.units,
          counted(made.sold) + " units were sold of " + counted(made.units));
  const auto told = target.query({entity_kind::stock, "sku-0"}).get();
  const auto& stock = std::get<stock_view>(told.view);
  require(stock.available == 0 && stock.committed == static_cast<std::int64_t>(made.units),
          grouped(stock.available) + " units are on sale and " + grouped(stock.committed) +
            " promised, of " + counted(made.units));
  const auto audited = target.audit();
  require(audited.invariants.broken == 0,
          "the audit found: " + (audited.findings.empty() ? "" : audited.findings.front()));
}

} // namespace

sell_out_figures measure_sell_out(const once_settings& how) {
  const auto buyers = buyers_in(how.seconds);
  const auto units = buyers / buyers_of_a_unit;
  const scratch_data data{how.data};
  auto options = data.options();
  options.answer_deadline_ms = 0; // however long the last has to wait
  rush all{buyers};
  const auto target = engine::start(options);
  bench_client shop;
  const auto stocked = target->submit(new_skus(static_cast<std::uint32_t>(units))(shop, 0)).get();
  require(stocked.result == outcome::accepted, "no stock: " + stocked.detail);
  if (!all.run(*target, how.stop)) {
    target->kill(); // who waits is not answered any more
    return {};
  }
  auto made = std::move(all).result();
  made.units = units;
  check_sold_out(*target, made);
  check_order_of_arrival(*target, how.stop);
  return made;
}

} // namespace purser::tools
