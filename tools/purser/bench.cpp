// `purser bench`: what this build does on this machine, beside what the machine can do at all.
#include "runtime/engine.hpp"
#include "tools/purser/bench_report.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/terminal.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace purser::tools {

namespace {

// What is measured once.
constexpr std::string_view recovery = "recovery", feed = "feed", memory = "memory", idle = "idle",
                           sell_out = "sell-out";

// And this only when it is asked for: it takes many minutes.
constexpr std::string_view scale = "scale";

std::set<std::string> all_names() {
  std::set<std::string> names;
  for (const auto name : {recovery, feed, memory, idle, sell_out, scale})
    names.emplace(name);
  for (const auto& each : all_workloads())
    names.emplace(each.name);
  return names;
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
    interruption_.on_overdue([this] {
      remove();
      return std::vector<std::string>{"what it wrote in " + directory_.string() + " is removed"};
    });
  }

  ~bench_run() {
    interruption_.on_overdue(nullptr);
    remove();
  }
  bench_run(const bench_run&) = delete;
  bench_run& operator=(const bench_run&) = delete;

  int run() {
    if (asked_for(scale))
      require_room(directory_.parent_path(), options_.scale);
    bench_report report;
    report.options = options_;
    report.machine = bench::describe_machine(directory_);
    if (report.machine.in_memory)
      complain(directory_.string() + " is on " + report.machine.file_system +
               ": nothing is durable there, and syncs cost nothing");
    for (const auto& each : all_workloads())
      if (wanted(each.name))
        report.workloads.push_back({&each, {}});
    for (round_ = 1; round_ <= options_.rounds && !interruption_.happened(); ++round_)
      one_round(report);
    round_ = 0;
    once(report);
    if (interruption_.happened()) { // half a measurement is none
      complain(interruption_.name() + ": nothing is reported");
      return interruption_.exit_code();
    }
    options_.json ? print_json(report) : print_table(report);
    return exit_ok;
  }

private:
  /// Also while an engine goes on writing there.
  void remove() const {
    constexpr int attempts = 100;
    std::error_code ignored;
    for (int i = 0; i < attempts && std::filesystem::exists(directory_, ignored); ++i)
      std::filesystem::remove_all(directory_, ignored);
  }

  bool asked_for(std::string_view name) const {
    return std::find(options_.only.begin(), options_.only.end(), name) != options_.only.end();
  }

  bool wanted(std::string_view name) const { return options_.only.empty() || asked_for(name); }

  /// Says what is measured next. @returns false when nothing is any more.
  bool next(std::string_view what) {
    if (interruption_.happened())
      return false;
    if (!options_.quiet)
      complain("measuring " + std::string{what} +
               (round_ == 0 ? ""
                            : ", round " + std::to_string(round_) + " of " +
                                std::to_string(options_.rounds)));
    interruption_.now_at(std::string{what});
    return true;
  }

  /// Each workload once, so that what is compared ran side by side.
  void one_round(bench_report& report) {
    if (!next("the machine's limits"))
      return;
    constexpr double most_for_limits = 1;
    report.limits.push_back(
      bench::measure_limits(directory_, std::min(options_.seconds / 3, most_for_limits)));
    double peak = 0;
    for (auto& each : report.workloads) {
      if (each.of->half_load && peak == 0)
        peak = run_workload(all_workloads().front(), 0).per_second;
      if (!next(each.of->what))
        return;
      each.rounds.push_back(run_workload(*each.of, peak / 2));
      if (each.of == &all_workloads().front())
        peak = each.rounds.back().per_second;
    }
  }

  measured run_workload(const workload& which, double rate) {
    const auto skus = which.one_sku ? 1 : options_.skus;
    const scratch_data data{directory_ / "data"};
    auto settings = data.options();
    settings.crash_every = options_.crash_every;
    settings.simulated.sales = options_.sales;
    settings.control_socket = true;
    const auto target = engine::start(settings);
    stock_up(*target, skus);
    const auto clients = which.one_client ? 1 : options_.clients;
    auto made = which.half_load
                  ? open_loop(*target, rate, options_.seconds, which.make(skus), stop())
                  : closed_loop(*target, clients, options_.seconds, which.make(skus), stop());
    target->audit(); // checkpoints: snapshots and index are part of what an event costs
    const auto after = target->figures();
    made.disk_bytes = static_cast<double>(after.disk_bytes) /
                      static_cast<double>(std::max<std::uint64_t>(after.events, 1));
    target->stop();
    return made;
  }

  void once(bench_report& report) {
    const once_settings how{directory_ / "data", options_.clients, options_.skus, options_.seconds,
                            stop()};
    if (wanted(recovery) && next("starts after a kill"))
      report.recovery = measure_recovery(how);
    if (wanted(feed) && next("a stock feed"))
      report.feed = measure_feed(how);
    if (wanted(memory) && next("memory"))
      report.memory = measure_memory(how);
    if (wanted(idle) && next("an idle engine"))
      report.idle_cpu_percent = measure_idle_cpu(how);
    if (wanted(sell_out) && next("a sell-out"))
      report.sell_out = measure_sell_out(how);
    if (asked_for(scale) && next("how it scales"))
      report.scale = measure_scale(how, options_.scale, !options_.quiet);
  }

  std::function<bool()> stop() {
    return [this] { return interruption_.happened(); };
  }

  bench_options options_;
  interruption interruption_;
  std::filesystem::path directory_;
  std::uint32_t round_ = 0; ///< 0: outside of them
};

} // namespace

void add_bench(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<bench_options>();
  auto* sub =
    app.add_subcommand("bench", "Measure this build on this machine, beside the machine's limits");
  sub->add_option("--clients", options->clients, "clients, each with one command under way [64]")
    ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}));
  sub->add_option("--seconds", options->seconds, "of each workload in each round [3]")
    ->check(CLI::Range(0.1, 3'600.0));
  sub->add_option("--rounds", options->rounds, "each runs every workload once; medians count [3]")
    ->check(CLI::Range(1U, 1'000U));
  sub->add_option("--skus", options->skus, "of the spread workloads [10000]")
    ->check(CLI::Range(1, 10'000'000));
  sub->add_option("--only", options->only, "measure only this; may be repeated")
    ->check(CLI::IsMember(all_names()));
  sub->add_option("--data", options->data,
                  "a directory on the disk to measure [/var/tmp]; what is made in it is removed");
  sub->add_option("--scale-skus", options->scale.skus, "of --only scale [1000000]")
    ->check(CLI::Range(fewest_skus, most_skus));
  sub->add_option("--scale-orders", options->scale.orders, "of --only scale [1000000]")
    ->check(CLI::Range(fewest_orders, most_orders));
  sub->add_option("--crash-every", options->crash_every, "crash the actor of every N-th command");
  sub->add_flag(
    "--sales", options->sales,
    "the provider authorizes and captures in one call: two waits for the disk, not three");
  add_stop_within(*sub, options->stop_within_ms);
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer(
    "Examples:\n  purser bench\n  purser bench --only orders --only hot-orders --rounds 5\n"
    "  purser bench --only scale --scale-skus 30000000 --scale-orders 10000000 --data /srv/data\n"
    "scale is measured only when it is named, and takes up to 300 bytes of disk a SKU and 1,800 an "
    "order.\n"
    "The engine and its clients share this machine; compare only what ran side by side.");
  sub->callback([&chosen, options] { chosen = [options] { return bench_run{*options}.run(); }; });
}

} // namespace purser::tools
