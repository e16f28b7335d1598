// Data directories with real orders, to back up and archive.
#pragma once

#include "runtime/inspect.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_store.hpp"
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <filesystem>
#include <future>
#include <string>
#include <vector>

namespace purser::tests {

inline engine_options engine_in(const std::filesystem::path& data) {
  engine_options options;
  options.data_dir = data;
  options.shards = 3;
  options.threads = 1;
  return options;
}

/// Receives stock for and places orders number `from` to `to`, and waits for the answers.
inline void place_orders(engine& in, int from, int to) {
  std::vector<std::future<answer>> answers;
  const auto sku = "mug-" + std::to_string(from);
  in.submit(receive(sku, 1'000)).get();
  for (int i = from; i <= to; ++i)
    answers.push_back(in.submit(order_of("o-" + std::to_string(i), sku, 1)));
  for (auto& found : answers)
    found.get();
  in.wait_settled(10'000);
}

inline void fill(const std::filesystem::path& data, int from, int to) {
  const auto shop = engine::start(engine_in(data));
  place_orders(*shop, from, to);
}

/// Every event as a line.
inline std::vector<std::string> events_in(const std::filesystem::path& data) {
  std::vector<std::string> lines;
  inspector::open(data)->export_events([&](const event_notice& event) {
    lines.push_back(std::to_string(event.position) + " " + to_string(event.stream) + " " +
                    std::to_string(event.version) + " " + event.name + " " + event.data);
    return true;
  });
  return lines;
}

inline std::vector<std::string> findings_in(const std::filesystem::path& data) {
  return inspector::open(data)->verify([](std::uint64_t) {}).findings;
}

/// Makes a directory one that a later program wrote.
inline void make_newer(const std::filesystem::path& data) {
  const auto disk = open_rocks_store(data);
  store_batch newer;
  newer.marks.emplace_back(marks::format, marks::encode_number(marks::format_version + 1));
  disk->write(newer);
  disk->sync(0);
}

inline std::uint64_t format_of(const std::filesystem::path& data) {
  rocks_options how;
  how.read_only = true;
  return marks::decode_number(open_rocks_store(data, how)->mark(marks::format).value(), "format");
}

/// What a call throws, as text; empty when it throws nothing.
template <class Error = engine_error, class Call>
std::string complaint(Call call) {
  try {
    call();
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

} // namespace purser::tests
