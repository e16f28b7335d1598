// Archiving: old chunks leave RocksDB, and nothing is lost whatever happens.
#include "runtime/backup.hpp"
#include "runtime/journal/archived_chunks.hpp"
#include "tests/child_process.hpp"
#include "tests/runtime/backup_fixture.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace purser;
using namespace purser::tests;

namespace {

namespace fs = std::filesystem;

archive_options archive_of(const fs::path& data) {
  archive_options options;
  options.directory = data;
  options.file_bytes = 600; // several files
  return options;
}

/// Archives, and ends as a kill would at the n-th step.
int archive_and_die(const std::vector<std::string>& arguments) {
  auto options = archive_of(arguments.at(0));
  options.at_step = [left = std::stoi(arguments.at(1))](std::string_view) mutable {
    if (--left == 0)
      ::_exit(7);
  };
  archive(options);
  return 0;
}
const child_registration archive_and_die_child{"archive_and_die", archive_and_die};

std::uint64_t archived_in(const fs::path& data) {
  rocks_options how;
  how.read_only = true;
  const auto disk = open_rocks_store(data, how);
  std::uint64_t chunks = 0;
  for (std::uint16_t shard = 0; shard < marks::shards_of(*disk); ++shard)
    chunks += disk->archived(shard).last;
  return chunks;
}

std::vector<fs::path> files_in(const fs::path& data) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator{data / "archive"})
    found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

/// A directory of which most has been archived.
struct archived_shop {
  scratch_directory directory;
  fs::path data = directory.path() / "data";
  std::vector<std::string> events;
  archive_report report;

  archived_shop() {
    fill(data, 1, 30);
    fill(data, 31, 60);
    events = events_in(data);
    report = archive(archive_of(data));
  }
};

} // namespace

TEST_CASE("an archived directory tells what it told before, and goes on") {
  const archived_shop shop;

  CHECK(shop.report.files.size() > 3);
  CHECK(shop.report.moved.chunks == archived_in(shop.data));
  CHECK(shop.report.strangers.empty());
  CHECK(format_of(shop.data) == marks::listed_format); // it does not go back to that of archives
  CHECK(events_in(shop.data) == shop.events);
  CHECK(findings_in(shop.data).empty());
  int events = 0;
  inspector::open(shop.data)->history({entity_kind::order, "o-7"},
                                      [&](const event_notice&) { ++events; });
  CHECK(events == 3);
  {
    const auto opened = engine::start(engine_in(shop.data));
    CHECK(opened->submit(order_of("o-7", "mug-1", 1)).get().duplicate);
    place_orders(*opened, 100, 110);
  }
  CHECK(findings_in(shop.data).empty());
  CHECK(events_in(shop.data).size() > shop.events.size());
}

TEST_CASE("A1: the last chunk of every shard stays, so that an opening needs no archive") {
  const archived_shop shop;
  rocks_options how;
  how.read_only = true;
  const auto disk = open_rocks_store(shop.data, how);

  for (std::uint16_t shard = 0; shard < 3; ++shard)
    CHECK(disk->archived(shard).last == disk->last_chunk(shard) - 1);
}

TEST_CASE("another run finds nothing to move, and a later one what came since") {
  const archived_shop shop;

  CHECK(archive(archive_of(shop.data)).files.empty());
  fill(shop.data, 100, 120);
  const auto events = events_in(shop.data);
  const auto again = archive(archive_of(shop.data));

  CHECK(again.moved.chunks > 0);
  CHECK(events_in(shop.data) == events);
  CHECK(findings_in(shop.data).empty());
}

TEST_CASE("what is young or among the newest stays, as it is asked") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  fill(data, 1, 30);

  auto young = archive_of(data);
  young.keep_days = std::chrono::days{1};
  CHECK(archive(young).moved.chunks == 0);
  CHECK_FALSE(fs::exists(data / "archive"));
  auto newest = archive_of(data);
  newest.keep_bytes = std::uint64_t{1} << 30;
  CHECK(archive(newest).moved.chunks == 0);
  newest.keep_bytes = 3'000;
  const auto moved = archive(newest).moved.raw_bytes;
  CHECK(moved > 0);
  CHECK(archive(archive_of(data)).moved.raw_bytes > 1'000);
}

TEST_CASE("A3: killed between any two steps, nothing is lost, and another run finishes") {
  scratch_directory directory;
  const auto whole = directory.path() / "whole";
  fill(whole, 1, 40);
  const auto events = events_in(whole);
  bool finished = false;
  int deaths = 0;
  for (int step = 1; !finished; ++step) {
    const auto data = directory.path() / ("data-" + std::to_string(step));
    fs::copy(whole, data, fs::copy_options::recursive);
    finished = child_process{"archive_and_die", {data.string(), std::to_string(step)}}.wait() == 0;
    deaths += finished ? 0 : 1;

    CHECK(events_in(data) == events);
    CHECK(findings_in(data).empty());
    const auto rest = archive(archive_of(data));
    CHECK(rest.strangers.empty());
    CHECK(events_in(data) == events);
    CHECK(findings_in(data).empty());
    std::uint64_t chunks = 0;
    for (const auto& file : files_in(data))
      chunks += archive_reader{file}.trailer().chunks;
    CHECK(chunks == archived_in(data)); // each chunk in one file, and no other file
    fs::remove_all(data);
  }
  CHECK(deaths > 6);
}

TEST_CASE("A4: a file that is another journal's is left alone, and its name too") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const archived_shop other;
  fill(data, 1, 10);
  const auto events = events_in(data);
  fs::create_directories(data / "archive");
  fs::copy_file(files_in(other.data).front(), data / "archive" / "000001.pua");
  const auto before = read_file(data / "archive" / "000001.pua");

  const auto report = archive(archive_of(data));

  CHECK(report.strangers == std::vector<std::string>{"000001.pua"});
  CHECK(read_file(data / "archive" / "000001.pua") == before);
  CHECK(report.files.front() == "000002.pua");
  CHECK(events_in(data) == events);
}

TEST_CASE("the archive may be on another disk, behind a link") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  fill(data, 1, 30);
  const auto events = events_in(data);
  fs::create_directories(directory.path() / "elsewhere");
  fs::create_directory_symlink(directory.path() / "elsewhere", data / "archive");

  archive(archive_of(data));

  CHECK_FALSE(fs::is_empty(directory.path() / "elsewhere"));
  CHECK(events_in(data) == events);
}

TEST_CASE("a missing archive file is told by name, and does not stop an engine") {
  const archived_shop shop;
  const auto gone = shop.data / "archive" / "000001.pua";
  fs::rename(gone, shop.directory.path() / "kept");

  const auto findings = findings_in(shop.data);
  REQUIRE(findings.size() > 0);
  CHECK(findings.front() == "chunk 1 of shard 0 was archived: " + gone.string() + " is missing");
  CHECK(findings.size() < 4); // not one for each chunk
  CHECK(complaint([&] { events_in(shop.data); }).find(gone.string() + " is missing") !=
        std::string::npos);
  CHECK(complaint([&] {
          back_up({shop.data, shop.directory.path() / "b.pua", false, false, {}});
        }).find("000001.pua is missing") != std::string::npos);
  {
    const auto opened = engine::start(engine_in(shop.data));
    for (int i = 1; i <= 60; ++i) {
      const auto id = "o-" + std::to_string(i);
      CHECK(order_in(*opened, id).status == order_status::confirmed);
      CHECK(opened->submit(order_of(id, i <= 30 ? "mug-1" : "mug-31", 1)).get().duplicate);
    }
    place_orders(*opened, 100, 105);
  }
  fs::rename(shop.directory.path() / "kept", gone);
  CHECK(findings_in(shop.data).empty());
}

TEST_CASE("without the archive a lost index cannot be made: an engine would not know repeats") {
  const archived_shop shop;
  const auto gone = shop.data / "archive" / "000001.pua";
  fs::rename(gone, shop.directory.path() / "kept");
  fs::remove_all(shop.data / "index");

  CHECK(complaint([&] { engine::start(engine_in(shop.data)); }).find("000001.pua is missing") !=
        std::string::npos);
  fs::rename(shop.directory.path() / "kept", gone);
  CHECK(engine::start(engine_in(shop.data))->submit(order_of("o-7", "mug-1", 1)).get().duplicate);
}

TEST_CASE("a byte that flipped anywhere in an archive file is found by verify") {
  const archived_shop shop;
  const auto file = files_in(shop.data).at(1);
  const auto whole = read_file(file);

  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 2);
    write_file(file, bytes);
    const auto findings = findings_in(shop.data);
    REQUIRE(findings.size() > 0);
    CHECK(findings.front().find(file.string() + " is damaged") != std::string::npos);
  }
  write_file(file, read_file(files_in(shop.data).at(0)));
  CHECK(findings_in(shop.data).front().find("is not the file that was archived here") !=
        std::string::npos);
}

TEST_CASE("an opening warns of archive files that are not there") {
  const archived_shop shop;
  fs::remove(files_in(shop.data).at(2));
  std::vector<std::string> warnings;
  rocks_options how;
  how.on_warning = [&](const std::string& text) { warnings.push_back(text); };

  open_rocks_store(shop.data, how).reset();

  REQUIRE(warnings.size() == 1);
  CHECK(warnings.front().find("000003.pua cannot be read") != std::string::npos);
}

TEST_CASE("backups of an archived directory: with the archive, and beside it") {
  const archived_shop shop;
  const auto all = shop.directory.path() / "all.pua";
  const auto rest = shop.directory.path() / "rest.pua";
  back_up({shop.data, all, false, false, {}});
  const auto small = back_up({shop.data, rest, false, true, {}});

  CHECK(small.stored.chunks == 3); // the last of each shard
  restore({{all}, shop.directory.path() / "from-all", {}});
  CHECK(events_in(shop.directory.path() / "from-all") == shop.events);
  CHECK(format_of(shop.directory.path() / "from-all") == marks::listed_format);
  auto files = files_in(shop.data);
  files.insert(files.begin(), rest);
  restore({files, shop.directory.path() / "from-both", {}});
  CHECK(events_in(shop.directory.path() / "from-both") == shop.events);
  CHECK_THROWS_AS(restore({{rest}, shop.directory.path() / "none", {}}), backup_damaged);
  files.erase(files.begin() + 2);
  CHECK_THROWS_AS(restore({files, shop.directory.path() / "none", {}}), backup_damaged);
}

TEST_CASE("long histories and forgotten ids are told after archiving, and after a restore") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  constexpr int receipts = 90; // more than a snapshot remembers, and of more chunks than it lists
  const auto receipt = [](int number) { return receive("mug", 1, "r-" + std::to_string(number)); };
  for (int i = 0; i < receipts;) {
    const auto shop = engine::start(engine_in(data));
    do
      CHECK_FALSE(shop->submit(receipt(i)).get().duplicate);
    while (++i % 9 != 0);
    if (i % 2 == 0)
      shop->audit(); // moves all checkpoints
  }
  archive(archive_of(data));
  const auto backup = directory.path() / "all.pua";
  back_up({data, backup, false, false, {}});
  restore({{backup}, directory.path() / "restored", {}});

  for (const auto& at : {data, directory.path() / "restored"}) {
    CAPTURE(at.string());
    int events = 0;
    inspector::open(at)->history({entity_kind::stock, "mug"},
                                 [&](const event_notice&) { ++events; });
    CHECK(events == receipts);
    const auto shop = engine::start(engine_in(at));
    for (int i = 0; i < receipts; ++i)
      CHECK(shop->submit(receipt(i)).get().duplicate);
    CHECK(stock_in(*shop, "mug").received == receipts);
  }
}

TEST_CASE("archiving gives the disk its space back") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  fill(data, 1, 900);

  const auto report = archive({.directory = data});

  CHECK(report.journal_bytes_after < report.journal_bytes_before / 2);
}

TEST_CASE("archiving is for directories that nobody has open, and that hold a journal") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  fill(data, 1, 2);

  CHECK(complaint([&] { archive({.directory = directory.path()}); }) ==
        directory.path().string() + " holds no journal");
  CHECK_FALSE(fs::exists(directory.path() / "lock"));
  const auto shop = engine::start(engine_in(data));
  CHECK(complaint([&] { archive({.directory = data}); }).find("is in use by") != std::string::npos);
}
