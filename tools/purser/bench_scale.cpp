#include "tools/purser/bench_scale.hpp"

#include "tools/purser/bench_workloads.hpp"
#include "tools/purser/engine_sample.hpp"
#include "tools/purser/terminal.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace purser::tools {

namespace {

using steady = std::chrono::steady_clock;

// What a disk must have room for: what was measured, 131 and 1,668, and some more.
constexpr std::uint64_t disk_bytes_of_a_sku = 300;
constexpr std::uint64_t disk_bytes_of_an_order = 1'800;

constexpr std::uint32_t units_of_a_sku = 1'000'000;
constexpr std::uint32_t loading_points = 10;
constexpr double mib = 1'024 * 1'024;

std::string counted(double value) {
  return grouped(static_cast<std::int64_t>(value));
}

std::string in_mib(double bytes) {
  return counted(bytes / mib);
}

/// Every power of ten from 10,000 on, and all.
std::vector<std::uint64_t> serving_points(std::uint64_t orders) {
  constexpr std::uint64_t first = 10'000;
  std::vector<std::uint64_t> points;
  for (auto point = first; point < orders; point *= 10)
    points.push_back(point);
  points.push_back(orders);
  return points;
}

/// How far something is: a bar on a terminal, else nothing but what `point` writes.
class progress {
public:
  progress(std::string what, std::uint64_t before, std::uint64_t all, bool notes)
      : what_(std::move(what)), before_(before), all_(all), notes_(notes),
        bar_("scale", all, notes) {}

  void show(std::uint64_t done) { bar_.show(done, text(done)); }

  /// A line that stays.
  void point(std::uint64_t done) {
    bar_.clear();
    if (notes_)
      complain("scale: " + text(done));
  }

private:
  std::string text(std::uint64_t done) const {
    const auto rate = static_cast<double>(done - before_) / std::max(seconds_since(began_), 1e-6);
    auto made = counted(static_cast<double>(done)) + " of " + counted(static_cast<double>(all_)) +
                " " + what_ + ", " + counted(rate) + "/s, " + in_mib(resident_bytes()) +
                " MiB resident";
    if (done < all_ && rate > 1)
      made +=
        ", about " +
        duration_text(static_cast<std::int64_t>(static_cast<double>(all_ - done) / rate * 1e3)) +
        " left";
    return made;
  }

  std::string what_;
  std::uint64_t before_;
  std::uint64_t all_;
  bool notes_;
  progress_bar bar_;
  steady::time_point began_ = steady::now();
};

class scale_run {
public:
  scale_run(const once_settings& how, const scale_size& size, bool notes)
      : how_(how), size_(size), notes_(notes), data_(how.data),
        target_(engine::start(data_.options())), orders_of_all_(two_line_orders(size.skus)) {}

  /// Whatever was interrupted has fewer points.
  scale_figures run() {
    load();
    for (const auto behind : serving_points(size_.orders))
      if (!how_.stop())
        serve(behind);
    made_.events_behind = target_->figures().events;
    target_->kill();
    target_.reset();
    if (!how_.stop()) {
      note("starts after a kill, " + counted(static_cast<double>(made_.events_behind)) +
           " events behind it");
      made_.serves_after_ms = seconds_to_serve(data_.options()) * 1e3;
    }
    return std::move(made_);
  }

private:
  void note(const std::string& text) const {
    if (notes_)
      complain("scale: " + text);
  }

  std::uint64_t disk_bytes() const { return target_->figures().disk_bytes; }

  void load() {
    made_.loading.push_back({0, 0, resident_bytes(), disk_bytes()});
    progress shown{"SKUs", 0, size_.skus, notes_};
    const auto lines = std::min(feed_lines, size_.skus / loading_points);
    const auto make = batches_of_new_skus(lines, units_of_a_sku, size_.skus);
    const auto records = [&](std::uint64_t batches) {
      return std::min<std::uint64_t>(batches * lines, size_.skus);
    };
    const std::uint64_t batches = (size_.skus + lines - 1) / lines;
    std::uint64_t fed = 0;
    for (std::uint32_t point = 1; point <= loading_points && !how_.stop(); ++point) {
      const auto upto = batches * point / loading_points;
      const auto began = steady::now();
      const auto before = records(fed);
      fed += send_all(*target_, {fed, upto - fed, feed_clients}, make, how_.stop,
                      [&](std::uint64_t now) { shown.show(records(fed + now)); });
      const auto done = records(fed);
      made_.loading.push_back({done, static_cast<double>(done - before) / seconds_since(began),
                               resident_bytes(), disk_bytes()});
      shown.point(done);
    }
    made_.disk_bytes_per_sku = static_cast<double>(disk_bytes()) / size_.skus;
  }

  /// Places orders until so many are behind it, then measures.
  void serve(std::uint64_t behind) {
    if (behind > orders_) {
      progress shown{"orders", orders_, behind, notes_};
      orders_ += send_all(*target_, {orders_, behind - orders_, how_.clients}, orders_of_all_,
                          how_.stop, [&](std::uint64_t now) { shown.show(orders_ + now); });
      shown.point(orders_);
    }
    // Other SKUs and other ids than any before.
    const auto later = [this, first = orders_](bench_client& client, std::uint64_t number) {
      client.random ^= first * 0x9e3779b97f4a7c15ULL;
      return orders_of_all_(client, first + number);
    };
    const auto did = closed_loop(*target_, how_.clients, how_.seconds, later, how_.stop);
    made_.serving.push_back(
      {orders_, did.per_second, did.latency_ms, did.cpu_us, resident_bytes(), disk_bytes()});
    orders_ += did.answers;
    made_.disk_bytes_per_order =
      (static_cast<double>(disk_bytes()) - made_.disk_bytes_per_sku * size_.skus) /
      static_cast<double>(orders_);
  }

  const once_settings& how_;
  scale_size size_;
  bool notes_;
  scratch_data data_;
  std::unique_ptr<engine> target_;
  command_maker orders_of_all_;
  std::uint64_t orders_ = 0; ///< placed so far
  scale_figures made_;
};

} // namespace

void require_room(const std::filesystem::path& directory, const scale_size& size) {
  const auto needed = size.skus * disk_bytes_of_a_sku + size.orders * disk_bytes_of_an_order;
  const auto free = std::filesystem::space(directory).available;
  if (free < needed)
    throw std::runtime_error(directory.string() + " has " + in_mib(static_cast<double>(free)) +
                             " MiB free, and " + counted(size.skus) + " SKUs and " +
                             counted(static_cast<double>(size.orders)) + " orders need about " +
                             in_mib(static_cast<double>(needed)) +
                             " MiB: choose another --data, or lower --scale-skus, --scale-orders");
}

scale_figures measure_scale(const once_settings& how, const scale_size& size, bool notes) {
  return scale_run{how, size, notes}.run();
}

std::string scale_tables(const scale_figures& figures) {
  columns loading{{"SKUs", "records/s", "resident MiB", "disk MiB"}};
  for (const auto& point : figures.loading)
    loading.row({counted(static_cast<double>(point.skus)), counted(point.per_second),
                 in_mib(point.resident_bytes), in_mib(static_cast<double>(point.disk_bytes))});
  columns serving{
    {"orders behind", "orders/s", "p50 ms", "p99 ms", "CPU us", "resident MiB", "disk MiB"}};
  for (const auto& point : figures.serving)
    serving.row({counted(static_cast<double>(point.orders_behind)), counted(point.per_second),
                 decimal(point.latency_ms.p50), decimal(point.latency_ms.p99),
                 decimal(point.cpu_us), in_mib(point.resident_bytes),
                 in_mib(static_cast<double>(point.disk_bytes))});
  table rest;
  rest.row("disk bytes of a SKU", counted(figures.disk_bytes_per_sku));
  rest.row("disk bytes of an order", counted(figures.disk_bytes_per_order));
  rest.row("serves after a kill, ms, with " + counted(static_cast<double>(figures.events_behind)) +
             " events behind",
           decimal(figures.serves_after_ms));
  return loading.text() + '\n' + serving.text() + '\n' + rest.text();
}

} // namespace purser::tools
