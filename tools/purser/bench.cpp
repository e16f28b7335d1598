// `purser bench`: what this build does on this machine, beside what the machine can do at all.
#include "config/json_writer.hpp"
#include "runtime/bench/limits.hpp"
#include "runtime/engine.hpp"
#include "runtime/version.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>

namespace purser::tools {

namespace {

using steady = std::chrono::steady_clock;

struct bench_options {
  std::size_t clients = 64;
  double seconds = 5;
  std::uint32_t skus = 10'000;
  std::string data;
  std::uint64_t crash_every = 0;
  bool json = false;
  bool quiet = false;
};

struct rate_pair {
  double spread = 0;
  double hot = 0;
};
BOOST_DESCRIBE_STRUCT(rate_pair, (), (spread, hot))

struct latencies {
  double p50 = 0;
  double p99 = 0;
  double max = 0;
};
BOOST_DESCRIBE_STRUCT(latencies, (), (p50, p99, max))

/// What one workload did.
struct measured {
  std::uint64_t answers = 0;
  double seconds = 0;
  latencies latency_ms;
  double cpu_us = 0;     ///< per answer
  double events = 0;     ///< per answer
  double disk_bytes = 0; ///< per event
  double commits_per_second = 0;
  std::uint64_t crashes = 0;
  double healing_ms_p99 = 0;

  double per_second() const { return static_cast<double>(answers) / seconds; }
};

/// Clients that each send their next command when the last was answered.
class closed_loop {
public:
  using maker = std::function<command(std::uint64_t number, std::uint64_t random)>;

  closed_loop(engine& target, std::size_t clients, maker make)
      : engine_(target), clients_(clients), make_(std::move(make)) {}

  measured run(double seconds) {
    const auto before = engine_.figures();
    const auto cpu_before = bench::cpu_us();
    const auto began = steady::now();
    end_ =
      began + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds));
    running_ = clients_;
    for (std::size_t client = 0; client < clients_; ++client)
      next(client * 0x9e3779b97f4a7c15ULL + 1);
    std::unique_lock lock{mutex_};
    idle_.wait(lock, [this] { return running_ == 0; });
    measured made;
    made.seconds = std::chrono::duration<double>(steady::now() - began).count();
    made.answers = took_us_.size();
    if (failed_ != 0)
      throw std::runtime_error(std::to_string(failed_) +
                               " commands were not accepted: " + failure_);
    const auto answers = static_cast<double>(std::max<std::uint64_t>(made.answers, 1));
    made.cpu_us = static_cast<double>(bench::cpu_us() - cpu_before) / answers;
    const auto after = engine_.figures();
    made.events = static_cast<double>(after.events - before.events) / answers;
    made.commits_per_second = static_cast<double>(after.commits - before.commits) / made.seconds;
    made.crashes = after.crashes - before.crashes;
    made.healing_ms_p99 = static_cast<double>(after.healing_us_p99) / 1e3;
    made.latency_ms = quantiles();
    return made;
  }

private:
  /// Latency counts from when the command was sent; in a closed loop nobody waits to send.
  void next(std::uint64_t state) {
    std::mt19937_64 random{state};
    const auto sent = steady::now();
    engine_.submit(make_(number_.fetch_add(1), random()),
                   [this, sent, state = random()](const answer& result) {
                     answered(sent, result);
                     if (steady::now() < end_)
                       return next(state);
                     const std::lock_guard lock{mutex_};
                     if (--running_ == 0)
                       idle_.notify_all();
                   });
  }

  void answered(steady::time_point sent, const answer& result) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - sent);
    const std::lock_guard lock{mutex_};
    took_us_.push_back(static_cast<std::uint32_t>(us.count()));
    if (result.result != outcome::accepted) {
      ++failed_;
      failure_ = std::string{to_string(result.why)} + result.detail;
    }
  }

  latencies quantiles() {
    if (took_us_.empty())
      return {};
    std::sort(took_us_.begin(), took_us_.end());
    const auto at = [this](double q) {
      return took_us_[static_cast<std::size_t>(q * static_cast<double>(took_us_.size() - 1))] / 1e3;
    };
    return {at(0.5), at(0.99), at(1)};
  }

  engine& engine_;
  std::size_t clients_;
  maker make_;
  steady::time_point end_;
  std::atomic<std::uint64_t> number_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
  std::vector<std::uint32_t> took_us_;
  std::uint64_t failed_ = 0;
  std::string failure_;
};

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
  explicit bench_run(const bench_options& options) : options_(options) {
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
    const auto machine = bench::describe_machine(directory_);
    if (machine.in_memory)
      std::fprintf(stderr,
                   "purser: %s is on %s: nothing is durable there, and syncs cost nothing\n",
                   directory_.c_str(), machine.file_system.c_str());
    note("the machine's limits");
    const auto limits = bench::measure_limits(directory_, std::min(options_.seconds / 3, 2.0));
    const auto skus = options_.skus;
    const auto orders = workload("orders, spread", skus, [skus](auto number, auto random) {
      return two_line_order(number, random % skus, (random >> 32) % skus);
    });
    const auto hot_orders = workload(
      "orders, one SKU", 1, [](auto number, auto) { return two_line_order(number, 0, 0); });
    const auto reservations =
      workload("reservations, spread", skus,
               [skus](auto number, auto random) { return one_reservation(number, random % skus); });
    const auto hot_reservations = workload(
      "reservations, one SKU", 1, [](auto number, auto) { return one_reservation(number, 0); });
    if (options_.json)
      print_json(machine, limits, orders, hot_orders, reservations, hot_reservations);
    else
      print_table(machine, limits, orders, hot_orders, reservations, hot_reservations);
    return exit_ok;
  }

private:
  void note(const std::string& what) const {
    if (!options_.quiet)
      std::fprintf(stderr, "purser: measuring %s\n", what.c_str());
  }

  measured workload(const std::string& what, std::uint32_t skus, closed_loop::maker make) {
    note(what);
    const auto data = directory_ / "data";
    std::filesystem::remove_all(data);
    engine_options settings;
    settings.data_dir = data;
    settings.max_in_flight = std::max<std::size_t>(options_.clients * 2, 4'096);
    settings.crash_every = options_.crash_every;
    const auto target = engine::start(settings);
    stock_up(*target, skus);
    auto made = closed_loop{*target, options_.clients, std::move(make)}.run(options_.seconds);
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

  // -- Printing -----------------------------------------------------------------------------------

  void print_json(const bench::machine_description& machine, const bench::machine_limits& limits,
                  const measured& orders, const measured& hot_orders, const measured& reservations,
                  const measured& hot_reservations) const {
    using config::to_json;
    const boost::json::object out{
      {"orders_per_second", to_json(rate_pair{orders.per_second(), hot_orders.per_second()})},
      {"reservations_per_second",
       to_json(rate_pair{reservations.per_second(), hot_reservations.per_second()})},
      {"latency_ms", to_json(orders.latency_ms)},
      {"cpu_us_per_order", orders.cpu_us},
      {"events_per_order", orders.events},
      {"commits_per_second", orders.commits_per_second},
      {"disk_bytes_per_event", orders.disk_bytes},
      {"healing_ms_p99", orders.healing_ms_p99},
      {"crashes", orders.crashes},
      {"limits", to_json(limits)},
      {"machine", to_json(machine)},
      {"options", boost::json::object{{"clients", options_.clients},
                                      {"seconds", options_.seconds},
                                      {"skus", options_.skus},
                                      {"crash_every", options_.crash_every}}},
      {"version", version}};
    std::cout << boost::json::serialize(out) << '\n';
  }

  void print_table(const bench::machine_description& machine, const bench::machine_limits& limits,
                   const measured& orders, const measured& hot_orders, const measured& reservations,
                   const measured& hot_reservations) const {
    const auto count = [](double value) { return grouped(static_cast<std::int64_t>(value)); };
    const auto decimal = [](double value) {
      char text[32];
      std::snprintf(text, sizeof text, "%.2f", value);
      return std::string{text};
    };
    table out;
    out.heading(std::to_string(options_.clients) + " clients, " + decimal(options_.seconds) +
                " s each, " + count(options_.skus) + " SKUs; every answer is durable");
    out.row("orders per second, spread", count(orders.per_second()));
    out.row("orders per second, one SKU", count(hot_orders.per_second()));
    out.row("reservations per second, spread", count(reservations.per_second()));
    out.row("reservations per second, one SKU", count(hot_reservations.per_second()));
    out.row("latency of an order, p50 ms", decimal(orders.latency_ms.p50));
    out.row("latency of an order, p99 ms", decimal(orders.latency_ms.p99));
    out.row("CPU per order, us", decimal(orders.cpu_us));
    out.row("events per order", decimal(orders.events));
    out.row("disk bytes per event", decimal(orders.disk_bytes));
    out.row("commits per second", count(orders.commits_per_second));
    if (options_.crash_every > 0) {
      out.row("crashes", count(static_cast<double>(orders.crashes)));
      out.row("healed within, p99 ms", decimal(orders.healing_ms_p99));
    }
    out.heading("this machine's limits, in the same run");
    out.row("syncs per second (4 KiB)", count(limits.syncs_per_second));
    out.row("a sync, p50 ms", decimal(limits.sync_ms_p50));
    out.row("appended MB per second (1 MiB)", count(limits.append_mb_per_second));
    out.row("actor messages per second", count(limits.messages_per_second));
    out.heading("on " + machine.cpu + ", " + std::to_string(machine.cores) + " cores, " +
                machine.file_system);
    std::cout << out.text();
  }

  bench_options options_;
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
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer("Example:\n  purser bench --clients 64 --seconds 5\n"
              "The engine and its clients share this machine; compare only what ran side by side.");
  sub->callback([&chosen, options] { chosen = [options] { return bench_run{*options}.run(); }; });
}

} // namespace purser::tools
