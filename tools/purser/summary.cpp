#include "tools/purser/summary.hpp"

#include "config/json_writer.hpp"
#include "tools/purser/terminal.hpp"

#include <utility>

namespace purser::tools {

supervision_figures supervision_of(const engine_figures& figures) {
  return {figures.crashes, figures.restarts, figures.redelivered, figures.dead_letters,
          figures.quarantined};
}

run_figures run_of(const engine_figures& figures, double seconds, std::uint64_t commands,
                   std::string data) {
  return {seconds,
          static_cast<double>(commands) / seconds,
          figures.events,
          figures.commits,
          figures.healing_us_p50,
          figures.healing_us_p99,
          figures.activations,
          figures.passivations,
          figures.checkpoints,
          std::move(data),
          {}};
}

boost::json::object to_json(const run_summary& summary) {
  using config::to_json;
  auto run = to_json(summary.run);
  if (summary.run.interrupted.empty())
    run.as_object().erase("interrupted");
  return {{"commands", to_json(summary.commands)},
          {"orders", to_json(summary.report.orders)},
          {"lines", summary.report.lines},
          {"units", summary.report.units},
          {"skus", summary.report.skus},
          {"money", to_json(summary.report.money)},
          {"stock", to_json(summary.report.stock)},
          {"supervision", to_json(summary.supervision)},
          {"invariants", to_json(summary.report.invariants)},
          {"run", std::move(run)}};
}

std::string to_table(const run_summary& summary) {
  const auto count = [](auto value) { return grouped(static_cast<std::int64_t>(value)); };
  table out;
  out.heading("commands");
  out.row("read", count(summary.commands.read));
  out.row("accepted", count(summary.commands.accepted));
  out.row("rejected", count(summary.commands.rejected));
  out.row("duplicate", count(summary.commands.duplicate));
  out.row("invalid", count(summary.commands.invalid));
  out.heading("orders");
  out.row("placed", count(summary.report.orders.placed));
  for (const auto& [status, number] : summary.report.orders.by_status)
    out.row("  " + status, count(number));
  out.row("lines", count(summary.report.lines));
  out.row("units", count(summary.report.units));
  for (const auto& [currency, sums] : summary.report.money) {
    out.heading("money, " + currency);
    out.row("ordered", amount(sums.ordered));
    out.row("authorized", amount(sums.authorized));
    out.row("captured", amount(sums.captured));
    out.row("voided", amount(sums.voided));
    out.row("refunded", amount(sums.refunded));
  }
  out.heading("stock, " + count(summary.report.skus) + " SKUs");
  out.row("received", count(summary.report.stock.received));
  out.row("adjusted", count(summary.report.stock.adjusted));
  out.row("held", count(summary.report.stock.held));
  out.row("committed", count(summary.report.stock.committed));
  out.row("shipped", count(summary.report.stock.shipped));
  out.row("on hand", count(summary.report.stock.on_hand));
  out.heading("supervision");
  out.row("crashes", count(summary.supervision.crashes));
  out.row("restarts", count(summary.supervision.restarts));
  out.row("messages redelivered", count(summary.supervision.redelivered));
  out.row("dead letters", count(summary.supervision.dead_letters));
  out.row("quarantined", count(summary.supervision.quarantined));
  if (summary.supervision.crashes > 0)
    out.row("healed within, p50 / p99",
            count(summary.run.healing_us_p50) + " / " + count(summary.run.healing_us_p99) + " us");
  out.heading("invariants");
  out.row("checked", count(summary.report.invariants.checked));
  out.row("broken", count(summary.report.invariants.broken));
  out.heading("run");
  out.row("seconds", decimal(summary.run.seconds));
  out.row("commands per second", count(summary.run.commands_per_second));
  out.row("events", count(summary.run.events));
  if (!summary.run.interrupted.empty())
    out.row("interrupted by", summary.run.interrupted);
  return out.text();
}

} // namespace purser::tools
