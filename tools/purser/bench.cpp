// `purser bench`: what this build does on this machine, beside what the machine can do at all.
#include "runtime/bench/limits.hpp"
#include "runtime/engine.hpp"
#include "tools/purser/bench_report.hpp"
#include "tools/purser/closed_loop.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/interruption.hpp"
#include "tools/purser/terminal.hpp"

#include <algorithm>
#include <cstdlib>

namespace purser::tools {

namespace {

std::string sku_name(std::uint64_t number) {
  return "sku-" + std::to_string(number);
}

/// An order of two lines of one unit.
command two_line_order(std::uint64_t number, std::uint64_t first, std::uint64_t second) {
  place_order order;
  order.order_id = "o-" + std::to_string(number);
  order.customer_id = "c-1";
  order.currency = "EUR";
  order.payment.method = "card";
  for (const auto sku : {first, second}) {
    order_line line;
    line.sku = sku_name(sku);
    line.quantity = 1;
    line.unit_price = 1'000;
    order.lines.push_back(std::move(line));
  }
  command made;
  made.command_id = order.order_id;
  made.body = std::move(order);
  return made;
}

command one_reservation(std::uint64_t number, std::uint64_t sku) {
  command made;
  made.command_id = "v-" + std::to_string(number);
  made.body =
    reserve_stock{made.command_id, {{sku_name(sku), std::string{default_location}, 1}}, 3'600};
  return made;
}

class bench_run {
public:
  explicit bench_run(const bench_options& options)
      : options_(options), interruption_(options.stop_within_ms, !options.quiet) {
    const auto base = options.data.empty() ? std::filesystem::path{"/var/tmp"}
                                           : std::filesystem::path{options.data};
    std::filesystem::create_directories(base);
    auto pattern = (base / "purser-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error(base.string() + " cannot be written");
    directory_ = pattern;
  }

  ~bench_run() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  bench_run(const bench_run&) = delete;
  bench_run& operator=(const bench_run&) = delete;

  int run() {
    bench_report report;
    report.options = options_;
    report.machine = bench::describe_machine(directory_);
    if (report.machine.in_memory)
      complain(directory_.string() + " is on " + report.machine.file_system +
               ": nothing is durable there, and syncs cost nothing");
    note("the machine's limits");
    report.limits = bench::measure_limits(directory_, std::min(options_.seconds / 3, 2.0));
    const auto skus = options_.skus;
    report.orders = workload("orders", skus, [skus](auto number, auto random) {
      return two_line_order(number, random % skus, (random >> 32) % skus);
    });
    report.hot_orders =
      workload("hot-orders", 1, [](auto number, auto) { return two_line_order(number, 0, 0); });
    report.reservations = workload("reservations", skus, [skus](auto number, auto random) {
      return one_reservation(number, random % skus);
    });
    report.hot_reservations =
      workload("hot-reservations", 1, [](auto number, auto) { return one_reservation(number, 0); });
    if (interruption_.happened()) { // half a measurement is none
      complain(interruption_.name() + ": nothing is reported");
      return interruption_.exit_code();
    }
    options_.json ? print_json(report) : print_table(report);
    return exit_ok;
  }

private:
  void note(const std::string& what) const {
    if (!options_.quiet)
      complain("measuring " + what);
  }

  bool wanted(const std::string& workload) const {
    const auto& only = options_.workloads;
    return only.empty() || std::find(only.begin(), only.end(), workload) != only.end();
  }

  measured workload(const std::string& what, std::uint32_t skus, closed_loop::maker make) {
    if (interruption_.happened() || !wanted(what))
      return {};
    note(what);
    interruption_.now_at(what);
    const auto data = directory_ / "data";
    std::filesystem::remove_all(data);
    engine_options settings;
    settings.data_dir = data;
    settings.max_in_flight = std::max<std::size_t>(options_.clients * 2, 4'096);
    settings.crash_every = options_.crash_every;
    settings.control_socket = true;
    const auto target = engine::start(settings);
    stock_up(*target, skus);
    auto made = closed_loop{*target, options_.clients, std::move(make)}.run(
      options_.seconds, [this] { return interruption_.happened(); });
    target->audit(); // checkpoints: snapshots and index are part of what an event costs
    const auto after = target->figures();
    made.disk_bytes = static_cast<double>(after.disk_bytes) /
                      static_cast<double>(std::max<std::uint64_t>(after.events, 1));
    target->stop();
    return made;
  }

  static void stock_up(engine& target, std::uint32_t skus) {
    constexpr int per_receipt = 1'000'000;
    constexpr int receipts = 10;
    std::vector<std::future<answer>> answers;
    for (std::uint32_t sku = 0; sku < skus; ++sku)
      for (int i = 0; i < (skus == 1 ? receipts : 1); ++i) {
        command made;
        made.command_id = "r-" + std::to_string(sku) + "-" + std::to_string(i);
        made.body = receive_stock{"", sku_name(sku), std::string{default_location}, per_receipt};
        answers.push_back(target.submit(std::move(made)));
        if (answers.size() == 1'000) {
          for (auto& answer : answers)
            answer.get();
          answers.clear();
        }
      }
    for (auto& answer : answers)
      answer.get();
  }

  bench_options options_;
  interruption interruption_;
  std::filesystem::path directory_;
};

} // namespace

void add_bench(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<bench_options>();
  auto* sub =
    app.add_subcommand("bench", "Measure this build on this machine, beside the machine's limits");
  sub->add_option("--clients", options->clients, "clients, each with one command under way")
    ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}));
  sub->add_option("--seconds", options->seconds, "of each workload")
    ->check(CLI::Range(0.1, 3'600.0));
  sub->add_option("--skus", options->skus, "of the spread workloads")
    ->check(CLI::Range(1, 10'000'000));
  sub->add_option("--data", options->data,
                  "a directory on the disk to measure [/var/tmp]; what is made in it is removed");
  sub->add_option("--crash-every", options->crash_every, "crash the actor of every N-th command");
  sub->add_option("--workload", options->workloads, "measure only this one; may be repeated")
    ->check(CLI::IsMember({"orders", "hot-orders", "reservations", "hot-reservations"}));
  add_stop_within(*sub, options->stop_within_ms);
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer("Example:\n  purser bench --clients 64 --seconds 5\n"
              "The engine and its clients share this machine; compare only what ran side by side.");
  sub->callback([&chosen, options] { chosen = [options] { return bench_run{*options}.run(); }; });
}

} // namespace purser::tools
