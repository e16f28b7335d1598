#include "tools/purser/bench_report.hpp"

#include "config/json_writer.hpp"
#include "runtime/version.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <iostream>

namespace purser::tools {

namespace {

struct rate_pair {
  double spread = 0;
  double hot = 0;
};
BOOST_DESCRIBE_STRUCT(rate_pair, (), (spread, hot))

std::string count(double value) {
  return grouped(static_cast<std::int64_t>(value));
}

void add_workloads(table& out, const bench_report& report) {
  out.heading(std::to_string(report.options.clients) + " clients, " +
              decimal(report.options.seconds) + " s each, " + count(report.options.skus) +
              " SKUs; every answer is durable");
  out.row("orders per second, spread", count(report.orders.per_second()));
  out.row("orders per second, one SKU", count(report.hot_orders.per_second()));
  out.row("reservations per second, spread", count(report.reservations.per_second()));
  out.row("reservations per second, one SKU", count(report.hot_reservations.per_second()));
  out.row("latency of an order, p50 ms", decimal(report.orders.latency_ms.p50));
  out.row("latency of an order, p99 ms", decimal(report.orders.latency_ms.p99));
  out.row("CPU per order, us", decimal(report.orders.cpu_us));
  out.row("events per order", decimal(report.orders.events));
  out.row("messages per order", decimal(report.orders.messages));
  out.row("activations per order", decimal(report.orders.activations));
  out.row("disk bytes per event", decimal(report.orders.disk_bytes));
  out.row("commits per second", count(report.orders.commits_per_second));
  out.row("a commit, mean us", count(report.orders.commit_us));
  if (report.options.crash_every > 0) {
    out.row("crashes", count(static_cast<double>(report.orders.crashes)));
    out.row("healed within, p99 ms", decimal(report.orders.healing_ms_p99));
  }
}

void add_limits(table& out, const bench_report& report) {
  out.heading("this machine's limits, in the same run");
  out.row("syncs per second (4 KiB)", count(report.limits.syncs_per_second));
  out.row("a sync, p50 ms", decimal(report.limits.sync_ms_p50));
  out.row("appended MB per second (1 MiB)", count(report.limits.append_mb_per_second));
  out.row("actor messages per second", count(report.limits.messages_per_second));
  out.heading("on " + report.machine.cpu + ", " + std::to_string(report.machine.cores) +
              " cores, " + report.machine.file_system);
}

} // namespace

void print_json(const bench_report& report) {
  using config::to_json;
  const boost::json::object out{
    {"orders_per_second",
     to_json(rate_pair{report.orders.per_second(), report.hot_orders.per_second()})},
    {"reservations_per_second",
     to_json(rate_pair{report.reservations.per_second(), report.hot_reservations.per_second()})},
    {"latency_ms", to_json(report.orders.latency_ms)},
    {"cpu_us_per_order", report.orders.cpu_us},
    {"events_per_order", report.orders.events},
    {"messages_per_order", report.orders.messages},
    {"activations_per_order", report.orders.activations},
    {"commits_per_second", report.orders.commits_per_second},
    {"commit_us", report.orders.commit_us},
    {"disk_bytes_per_event", report.orders.disk_bytes},
    {"healing_ms_p99", report.orders.healing_ms_p99},
    {"crashes", report.orders.crashes},
    {"limits", to_json(report.limits)},
    {"machine", to_json(report.machine)},
    {"options", boost::json::object{{"clients", report.options.clients},
                                    {"seconds", report.options.seconds},
                                    {"skus", report.options.skus},
                                    {"crash_every", report.options.crash_every}}},
    {"version", version}};
  std::cout << boost::json::serialize(out) << '\n';
}

void print_table(const bench_report& report) {
  table out;
  add_workloads(out, report);
  add_limits(out, report);
  std::cout << out.text();
}

} // namespace purser::tools
