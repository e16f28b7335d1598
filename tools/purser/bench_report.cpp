#include "tools/purser/bench_report.hpp"

#include "config/json_writer.hpp"
#include "runtime/version.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>

namespace purser::tools {

namespace {

/// The middle one of the rounds, and the range.
struct of_rounds {
  double median = 0;
  double min = 0;
  double max = 0;
};
BOOST_DESCRIBE_STRUCT(of_rounds, (), (median, min, max))

of_rounds spread_of(std::vector<double> values) {
  if (values.empty())
    return {};
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  const auto median =
    values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

template <class Round, class Get>
of_rounds spread_of(const std::vector<Round>& rounds, Get get) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const auto& round : rounds)
    values.push_back(get(round));
  return spread_of(std::move(values));
}

const workload_rounds* find(const bench_report& report, std::string_view name) {
  const auto found = std::find_if(report.workloads.begin(), report.workloads.end(),
                                  [name](const auto& each) { return each.of->name == name; });
  return found == report.workloads.end() || found->rounds.empty() ? nullptr : &*found;
}

template <class Get>
double median_of(const bench_report& report, std::string_view name, Get get) {
  const auto* found = find(report, name);
  return found == nullptr ? 0 : spread_of(found->rounds, get).median;
}

double rate_of(const bench_report& report, std::string_view name) {
  return median_of(report, name, [](const measured& round) { return round.per_second; });
}

bench::machine_limits median_limits(const bench_report& report) {
  using limits = bench::machine_limits;
  const auto median = [&](double limits::*part) {
    return spread_of(report.limits, [part](const limits& round) { return round.*part; }).median;
  };
  return {median(&limits::syncs_per_second), median(&limits::sync_ms_p50),
          median(&limits::append_mb_per_second), median(&limits::messages_per_second)};
}

// -- JSON -----------------------------------------------------------------------------------------

boost::json::object json_of(const workload_rounds& all) {
  using config::to_json;
  const auto part = [&](auto get) { return to_json(spread_of(all.rounds, get)); };
  return {{"per_second", part([](const measured& m) { return m.per_second; })},
          {"latency_ms",
           boost::json::object{{"p50", part([](const measured& m) { return m.latency_ms.p50; })},
                               {"p99", part([](const measured& m) { return m.latency_ms.p99; })},
                               {"max", part([](const measured& m) { return m.latency_ms.max; })}}},
          {"cpu_us", part([](const measured& m) { return m.cpu_us; })},
          {"events", part([](const measured& m) { return m.events; })},
          {"messages", part([](const measured& m) { return m.messages; })},
          {"activations", part([](const measured& m) { return m.activations; })},
          {"disk_bytes_per_event", part([](const measured& m) { return m.disk_bytes; })},
          {"commits_per_second", part([](const measured& m) { return m.commits_per_second; })},
          {"commit_us", part([](const measured& m) { return m.commit_us; })},
          {"crashes", part([](const measured& m) { return static_cast<double>(m.crashes); })},
          {"healing_ms_p99", part([](const measured& m) { return m.healing_ms_p99; })}};
}

boost::json::object options_of(const bench_report& report) {
  boost::json::array only;
  for (const auto& name : report.options.only)
    only.emplace_back(name);
  return {{"clients", report.options.clients}, {"seconds", report.options.seconds},
          {"rounds", report.options.rounds},   {"skus", report.options.skus},
          {"only", std::move(only)},           {"crash_every", report.options.crash_every},
          {"sales", report.options.sales}};
}

boost::json::object pair_of(double spread, double hot) {
  return {{"spread", spread}, {"hot", hot}};
}

// -- Tables ---------------------------------------------------------------------------------------

std::string count(double value) {
  return grouped(static_cast<std::int64_t>(value));
}

std::string with_range(const of_rounds& values) {
  return values.min == values.max
           ? count(values.median)
           : count(values.median) + " (" + count(values.min) + " to " + count(values.max) + ")";
}

std::string workloads_table(const bench_report& report) {
  columns out{{"", "a second", "p50 ms", "p99 ms", "CPU us", "events", "messages", "commits/s"}};
  for (const auto& each : report.workloads) {
    if (each.rounds.empty())
      continue;
    const auto median = [&](auto get) { return decimal(spread_of(each.rounds, get).median); };
    out.row({std::string{each.of->name},
             with_range(spread_of(each.rounds, [](const measured& m) { return m.per_second; })),
             median([](const measured& m) { return m.latency_ms.p50; }),
             median([](const measured& m) { return m.latency_ms.p99; }),
             median([](const measured& m) { return m.cpu_us; }),
             median([](const measured& m) { return m.events; }),
             median([](const measured& m) { return m.messages; }),
             count(spread_of(each.rounds, [](const measured& m) {
                     return m.commits_per_second;
                   }).median)});
  }
  return out.text();
}

void add_once(table& out, const bench_report& report) {
  if (report.recovery) {
    out.row("events replayed per second, after a kill",
            count(report.recovery->replayed_per_second));
    out.row("serves after a kill, ms, with " +
              count(static_cast<double>(report.recovery->events_behind)) + " events behind",
            decimal(report.recovery->serves_after_ms));
  }
  if (report.feed) {
    out.row("records of a stock feed per second, each a new SKU",
            count(report.feed->records_per_second));
    out.row("the same, each with a receipt of its own", count(report.feed->receipts_per_second));
  }
  if (report.memory) {
    out.row("memory of a live order with its payment, KiB",
            decimal(report.memory->kib_per_live_order));
    out.row("memory of an idle SKU, KiB", decimal(report.memory->kib_per_idle_sku));
  }
  if (report.idle_cpu_percent)
    out.row("CPU of an idle engine, % of a core", decimal(*report.idle_cpu_percent));
}

void add_sell_out(table& out, const sell_out_figures& figures) {
  const auto number = [](std::uint64_t value) { return count(static_cast<double>(value)); };
  out.heading("a sell-out: " + number(figures.units) + " units, and " + number(figures.buyers) +
              " buyers at once");
  out.row("sold", number(figures.sold));
  out.row("refused", number(figures.refused));
  out.row("seconds", decimal(figures.seconds));
  out.row("buyers per second", count(figures.buyers_per_second));
  out.row("answered within, p50 ms", count(figures.latency_ms.p50));
  out.row("answered within, p99 ms", count(figures.latency_ms.p99));
}

void add_orders(table& out, const bench_report& report) {
  const auto* orders = find(report, "orders");
  if (orders == nullptr)
    return;
  const auto median = [&](auto get) { return spread_of(orders->rounds, get).median; };
  out.row("disk bytes per event", decimal(median([](const measured& m) { return m.disk_bytes; })));
  out.row("a commit, mean us", count(median([](const measured& m) { return m.commit_us; })));
  out.row("activations per order",
          decimal(median([](const measured& m) { return m.activations; })));
  if (report.options.crash_every > 0) {
    out.row("crashes",
            count(median([](const measured& m) { return static_cast<double>(m.crashes); })));
    out.row("healed within, p99 ms",
            decimal(median([](const measured& m) { return m.healing_ms_p99; })));
  }
}

void add_limits(table& out, const bench_report& report) {
  const auto limits = median_limits(report);
  out.heading("this machine's limits, in the same run");
  out.row("syncs per second (4 KiB)", count(limits.syncs_per_second));
  out.row("a sync, p50 ms", decimal(limits.sync_ms_p50));
  out.row("appended MB per second (1 MiB)", count(limits.append_mb_per_second));
  out.row("actor messages per second", count(limits.messages_per_second));
  if (const auto* one = find(report, "one-client"); one != nullptr && limits.sync_ms_p50 > 0)
    out.row(
      "one client's order, p50, in syncs of this disk",
      decimal(spread_of(one->rounds, [](const measured& m) { return m.latency_ms.p50; }).median /
              limits.sync_ms_p50));
}

} // namespace

void print_json(const bench_report& report) {
  using config::to_json;
  boost::json::object workloads;
  for (const auto& each : report.workloads)
    if (!each.rounds.empty())
      workloads[each.of->name] = json_of(each);
  const auto of_orders = [&](auto get) { return median_of(report, "orders", get); };
  boost::json::object out{
    {"orders_per_second", pair_of(rate_of(report, "orders"), rate_of(report, "hot-orders"))},
    {"reservations_per_second",
     pair_of(rate_of(report, "reservations"), rate_of(report, "hot-reservations"))},
    {"latency_ms",
     to_json(latencies{of_orders([](const measured& m) { return m.latency_ms.p50; }),
                       of_orders([](const measured& m) { return m.latency_ms.p99; }),
                       of_orders([](const measured& m) { return m.latency_ms.max; })})},
    {"cpu_us_per_order", of_orders([](const measured& m) { return m.cpu_us; })},
    {"events_per_order", of_orders([](const measured& m) { return m.events; })},
    {"messages_per_order", of_orders([](const measured& m) { return m.messages; })},
    {"commits_per_second", of_orders([](const measured& m) { return m.commits_per_second; })},
    {"disk_bytes_per_event", of_orders([](const measured& m) { return m.disk_bytes; })},
    {"healing_ms_p99", of_orders([](const measured& m) { return m.healing_ms_p99; })},
    {"crashes", of_orders([](const measured& m) { return static_cast<double>(m.crashes); })},
    {"workloads", std::move(workloads)},
    {"limits", to_json(median_limits(report))},
    {"machine", to_json(report.machine)},
    {"options", options_of(report)},
    {"version", version}};
  if (report.recovery)
    out["recovery"] = to_json(*report.recovery);
  if (report.feed) {
    out["feed_per_second"] = report.feed->records_per_second;
    out["receipts_per_second"] = report.feed->receipts_per_second;
  }
  if (report.memory)
    out["memory"] = to_json(*report.memory);
  if (report.idle_cpu_percent)
    out["idle_cpu_percent"] = *report.idle_cpu_percent;
  if (report.sell_out)
    out["sell_out"] = to_json(*report.sell_out);
  if (report.scale)
    out["scale"] = to_json(*report.scale);
  std::cout << boost::json::serialize(out) << '\n';
}

void print_table(const bench_report& report) {
  std::cout << report.options.clients << " clients, " << report.options.rounds << " rounds of "
            << decimal(report.options.seconds) << " s each, " << grouped(report.options.skus)
            << " SKUs; every answer is durable; medians"
            << (report.options.sales ? "\nthe provider authorizes and captures in one call" : "")
            << "\n\n";
  if (!report.workloads.empty())
    std::cout << workloads_table(report) << '\n';
  if (report.scale)
    std::cout << scale_tables(*report.scale) << '\n';
  table out;
  add_orders(out, report);
  add_once(out, report);
  if (report.sell_out)
    add_sell_out(out, *report.sell_out);
  add_limits(out, report);
  out.heading("on " + report.machine.cpu + ", " + std::to_string(report.machine.cores) +
              " cores, " + report.machine.file_system);
  std::cout << out.text();
}

} // namespace purser::tools
