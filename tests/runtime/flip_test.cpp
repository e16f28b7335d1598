// Every byte of a journal on disk, flipped: detected, or provably without effect.
// PURSER_EVERY_BYTE=1 flips each of them (minutes); else some hundreds.
#include "runtime/engine.hpp"
#include "runtime/inspect.hpp"
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace purser;
using namespace purser::tests;

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t journal_bytes = 64 * 1024;

void fill(const fs::path& data) {
  const auto shop = engine::start({.data_dir = data, .shards = 2});
  shop->submit(receive("mug", 10'000)).get();
  for (int i = 0; i < 50; ++i)
    shop->submit(order_of("o-" + std::to_string(i), "mug", 1)).get();
  shop->kill(); // everything is in the log, and nothing in tables
}

/// All that a reader is told: every event with its fields.
std::vector<std::string> told_by(inspector& source) {
  std::vector<std::string> all;
  source.export_events([&](const event_notice& event) {
    all.push_back(std::to_string(event.position) + to_string(event.stream) + event.name +
                  event.cause + event.data);
    return true;
  });
  return all;
}

/// Nothing when the damage was found, else what is told in spite of it.
std::optional<std::vector<std::string>> read_in_spite(const fs::path& data) {
  try {
    const auto source = inspector::open(data);
    if (!source->verify([](std::uint64_t) {}).findings.empty())
      return std::nullopt;
    return told_by(*source);
  } catch (const engine_error&) {
    return std::nullopt;
  }
}

std::vector<fs::path> files_of(const fs::path& data) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator{data / "journal"})
    if (entry.is_regular_file() && entry.file_size() > 0 && entry.path().filename() != "LOCK")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace

TEST_CASE("a byte that flips anywhere in a journal is found, or changes nothing that is told") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  fill(data);
  const auto whole = read_in_spite(data);
  REQUIRE(whole);
  const auto files = files_of(data);
  std::uintmax_t size = 0;
  for (const auto& file : files)
    size += fs::file_size(file);
  CHECK(size >= journal_bytes);
  const bool all = std::getenv("PURSER_EVERY_BYTE") != nullptr; // NOLINT(concurrency-mt-unsafe)
  const std::uintmax_t step = all ? 1 : size / 300;

  std::uint64_t flipped = 0;
  std::uint64_t found = 0;
  for (const auto& file : files) {
    const auto bytes = read_file(file);
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
      write_file(file, damaged);
      const auto told = read_in_spite(data);
      ++flipped;
      found += told ? 0 : 1;
      if (told && *told != *whole)
        FAIL_CHECK(file.filename().string()
                   << ", byte " << i << ": nothing was found, and " << told->size() << " events of "
                   << whole->size() << " are told");
    }
    write_file(file, bytes);
  }
  MESSAGE(flipped << " bytes of " << size << " flipped, " << found
                  << " found, the others without effect");
  CHECK(found > flipped / 2);
  CHECK(read_in_spite(data) == whole);
}
