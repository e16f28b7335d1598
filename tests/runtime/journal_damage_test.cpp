// Damage of every kind: it is refused with a clear message, never read as data and never silently
// dropped.
#include "runtime/journal/directory_lock.hpp"
#include "runtime/journal/marks.hpp"
#include "tests/child_process.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

using namespace purser;
using namespace purser::tests;

namespace {

std::string some_chunk() {
  chunk_writer writer{3, 42};
  auto placed = event_with("hello");
  placed.cause = "command/c-1";
  placed.fingerprint = 0x1122334455667788;
  writer.add(100, {entity_kind::order, "o-1"}, 1, placed);
  writer.add(103, {entity_kind::stock, "mug"}, 7, event_with(""));
  return std::move(writer).finish(1'767'225'600'000);
}

/// The write-ahead log of the journal with the most bytes.
std::filesystem::path newest_log(const std::filesystem::path& data) {
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::directory_iterator{data / "journal"})
    if (entry.path().extension() == ".log" &&
        (found.empty() || entry.file_size() > std::filesystem::file_size(found)))
      found = entry.path();
  return found;
}

/// Bytes of a log that hold something: the process that was killed left the log's room, too.
std::size_t used_bytes(const std::string& log) {
  return log.find_last_not_of('\0') + 1;
}

/// Appends durable events and ends without an orderly close, as a killed process does.
int append_and_die(const std::vector<std::string>& arguments) {
  group_commit_journal log{open_rocks_store(arguments.at(0)), {}};
  for (int i = 0; i < std::stoi(arguments.at(1)); ++i) {
    append_one(log, order_ref(i), 0, std::string(200, 'p'));
    wait_durable(log);
  }
  ::_exit(0);
}
const child_registration append_and_die_child{"append_and_die", append_and_die};

void fill_and_die(const std::filesystem::path& data, int commits) {
  REQUIRE(child_process{"append_and_die", {data.string(), std::to_string(commits)}}.wait() == 0);
}

/// Appends for ever, and tells each position once it is durable.
int append_and_tell(const std::vector<std::string>& arguments) {
  group_commit_journal log{open_rocks_store(arguments.at(0)), {}};
  for (auto i = static_cast<int>(log.last());; ++i) {
    const auto at = append_one(log, order_ref(i), 0, "payload");
    log.when_durable([at] {
      if (::write(STDOUT_FILENO, &at, sizeof at) < 0)
        ::_exit(1);
    });
    while (log.last() - log.durable() > 64)
      wait_durable(log);
  }
}
const child_registration append_and_tell_child{"append_and_tell", append_and_tell};

int just_open(const std::vector<std::string>& arguments) {
  open_rocks_store(arguments.at(0)).reset();
  return 0;
}
const child_registration just_open_child{"just_open", just_open};

void open_all(const std::filesystem::path& data) {
  group_commit_journal log{open_rocks_store(data), {}};
}

} // namespace

TEST_CASE("golden: a chunk has exactly these bytes") {
  const std::filesystem::path golden = PURSER_SOURCE_DIR "/tests/golden/journal/chunk_v1.bin";
  if (std::getenv("PURSER_UPDATE_GOLDEN") != nullptr)
    write_file(golden, some_chunk());

  CHECK(some_chunk() == read_file(golden));

  std::vector<recorded_event> events;
  read_chunk(read_file(golden),
             [&](recorded_event&& event) { events.push_back(std::move(event)); });
  REQUIRE(events.size() == 2);
  CHECK(events[0].at_position == 100);
  CHECK(events[0].event.cause == "command/c-1");
  CHECK(events[0].event.fingerprint == 0x1122334455667788);
  CHECK(events[0].event.payload == "hello");
  CHECK(events[1].at_position == 103);
  CHECK(events[1].stream == entity_ref{entity_kind::stock, "mug"});
  CHECK(events[1].version == 7);
}

TEST_CASE("every bit of a chunk that flips is detected, and so is every shorter chunk") {
  const auto whole = some_chunk();
  const auto ignore = [](recorded_event&&) {};

  for (std::size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      CHECK_THROWS_AS(read_chunk(damaged, ignore), journal_corrupt);
    }
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_THROWS_AS(read_chunk(whole.substr(0, size), ignore), journal_corrupt);
}

TEST_CASE("a damaged snapshot is refused by name") {
  const entity_ref ref{entity_kind::order, "o-1"};
  const std::vector<std::uint64_t> chunks{7, 300};
  const auto sealed = sealed_snapshot(3, chunks, "state");
  CHECK(marks::open_snapshot(ref, sealed).version == 3);

  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CHECK_THROWS_WITH_AS(marks::open_snapshot(ref, damaged),
                         "the snapshot of order/o-1 has a wrong checksum", journal_corrupt);
  }
}

TEST_CASE("what was acknowledged before a kill is there after it") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  for (int round = 1; round <= 5; ++round) {
    child_process child{"append_and_tell", {data.string()}};
    position acknowledged = 0;
    position at = 0;
    while (acknowledged < static_cast<position>(round) * 300 &&
           child.read(&at, sizeof at) == sizeof at)
      acknowledged = at;
    child.kill();
    while (child.read(&at, sizeof at) == sizeof at)
      acknowledged = at;
    child.wait();

    group_commit_journal log{open_rocks_store(data), {}};
    CHECK(log.last() >= acknowledged);
    journal_scan scan{log};
    recorded_event event;
    position count = 0;
    while (scan.next(event))
      CHECK(event.at_position == ++count);
    CHECK(count == log.last());
  }
}

TEST_CASE("a kill while a directory is made leaves one that opens, and nothing acknowledged") {
  std::mt19937 random{7};
  for (int round = 0; round < 40; ++round) {
    scratch_directory directory;
    {
      child_process child{"just_open", {directory.path().string()}};
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 60'000}); // then the kill
    }
    group_commit_journal log{open_rocks_store(directory.path()), {}};
    CHECK(log.last() == 0);
    append_one(log, order_ref(1), 0, "a");
  }
}

TEST_CASE("a journal that is gone is missed") {
  scratch_directory directory;
  fill_and_die(directory.path(), 5);
  std::filesystem::remove_all(directory.path() / "journal");

  CHECK_THROWS_AS(open_all(directory.path()), journal_corrupt);
}

TEST_CASE("a byte that flipped in the middle of the log is refused, not silently cut off") {
  scratch_directory directory;
  fill_and_die(directory.path(), 100);
  const auto log = newest_log(directory.path());
  const auto whole = read_file(log);
  const auto used = used_bytes(whole);
  REQUIRE(used > 10'000);
  REQUIRE(used < whole.size());

  int refused = 0;
  for (const auto place : {used / 4, used / 2, used - 400}) {
    auto damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x01);
    write_file(log, damaged);
    try {
      open_all(directory.path());
    } catch (const journal_corrupt& error) {
      ++refused;
      CHECK(std::string{error.what()}.find("acknowledged events up to position 100 are missing") !=
            std::string::npos);
    }
    // RocksDB may have begun a new log for what it recovered: put everything back.
    std::filesystem::remove_all(directory.path());
    std::filesystem::create_directories(directory.path());
    fill_and_die(directory.path(), 100);
  }
  CHECK(refused == 3);
}

TEST_CASE("a log that was cut off in what was acknowledged is refused") {
  scratch_directory directory;
  fill_and_die(directory.path(), 50);
  const auto log = newest_log(directory.path());
  const auto whole = read_file(log);
  const auto kept = used_bytes(whole) - 300;
  SUBCASE("shorter") {
    write_file(log, whole.substr(0, kept));
  }
  SUBCASE("its room begins earlier") {
    write_file(log, whole.substr(0, kept) + std::string(whole.size() - kept, '\0'));
  }

  CHECK_THROWS_AS(open_all(directory.path()), journal_corrupt);
}

TEST_CASE("a page of zeros in what was acknowledged is refused, though room looks the same") {
  scratch_directory directory;
  fill_and_die(directory.path(), 400);
  const auto log = newest_log(directory.path());
  auto bytes = read_file(log);
  constexpr std::size_t page = 4'096;
  REQUIRE(used_bytes(bytes) > 12 * page);
  bytes.replace(8 * page, page, page, '\0'); // RocksDB looks for records 32 KiB apart
  write_file(log, bytes);

  CHECK_THROWS_AS(open_all(directory.path()), journal_corrupt);
}

TEST_CASE("a torn write behind what was acknowledged is cut off") {
  scratch_directory directory;
  fill_and_die(directory.path(), 50);
  const auto log = newest_log(directory.path());
  const auto whole = read_file(log);
  const std::string torn(333, '\x5a');
  SUBCASE("at the end of the file") {
    write_file(log, whole + torn);
  }
  SUBCASE("in its room") {
    auto written = whole;
    written.replace(used_bytes(whole), torn.size(), torn);
    write_file(log, written);
  }
  SUBCASE("without room") {
    write_file(log, whole.substr(0, used_bytes(whole)) + torn);
  }

  group_commit_journal opened{open_rocks_store(directory.path()), {}};

  CHECK(opened.last() == 50);
}

TEST_CASE("a lost or damaged record of what is durable is refused") {
  scratch_directory directory;
  fill_and_die(directory.path(), 5);
  const auto file = directory.path() / "durable";
  const auto whole = read_file(file);

  write_file(file, std::string(whole.size(), '\x11'));
  CHECK_THROWS_AS(open_all(directory.path()), journal_corrupt);
  std::filesystem::remove(file);
  CHECK_THROWS_AS(open_all(directory.path()), journal_corrupt);
  write_file(file, whole);
  CHECK_NOTHROW(open_all(directory.path()));
}

TEST_CASE("a directory of a newer format is refused clearly") {
  scratch_directory directory;
  {
    const auto disk = open_rocks_store(directory.path());
    store_batch newer;
    newer.marks.emplace_back(marks::format, marks::encode_number(marks::format_version + 1));
    disk->write(newer);
    disk->sync(0);
  }

  CHECK_THROWS_AS(open_all(directory.path()), store_error);
}

TEST_CASE("a directory that another engine has open says whose it is") {
  scratch_directory directory;
  const auto first = open_rocks_store(directory.path());

  try {
    open_rocks_store(directory.path());
    FAIL("it opened twice");
  } catch (const store_error& error) {
    CHECK(std::string{error.what()}.find("process " + std::to_string(::getpid())) !=
          std::string::npos);
  }
}

TEST_CASE("a lost index is rebuilt from the journal") {
  scratch_directory directory;
  const auto ref = order_ref(1);
  {
    group_commit_journal log{open_rocks_store(directory.path()), {}};
    auto event = event_with("a");
    event.cause = "command/c-1";
    event.fingerprint = 5;
    log.append_once(ref, 0, std::vector{event});
    const auto span = log.begin_checkpoint(shard_of(ref, 8));
    log.complete_checkpoints(one_part(span, {}));
  }
  std::filesystem::remove_all(directory.path() / "index");

  group_commit_journal log{open_rocks_store(directory.path()), {}};

  int events = 0;
  log.history(ref, [&](recorded_event&&) { ++events; });
  CHECK(events == 1);
  log.find_command(ref, "command/c-1", [](auto found, const std::string&) {
    REQUIRE(found.has_value());
    CHECK(found->fingerprint == 5);
  });
}

TEST_CASE("reading changes nothing in a directory but the lock's owner") {
  scratch_directory directory;
  fill_and_die(directory.path(), 20);
  const auto listing = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{directory.path()})
      if (entry.is_regular_file() && entry.path().filename() != "lock")
        files[entry.path().string()] = read_file(entry.path());
    return files;
  };
  const auto before = listing();

  rocks_options how;
  how.read_only = true;
  journal_options reading;
  reading.read_only = true;
  {
    group_commit_journal log{open_rocks_store(directory.path(), how), reading};
    CHECK(log.last() == 20);
    CHECK_THROWS_AS(append_one(log, order_ref(1), 1), journal_stopped);
  }

  CHECK(listing() == before);
}

TEST_CASE("a full disk ends the journal with a clear message, and what was durable stays good" *
          doctest::skip(::geteuid() != 0)) { // needs root for the small tmpfs
  scratch_directory directory;
  REQUIRE(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=12m") == 0);
  const auto data = directory.path() / "data";
  position durable = 0;
  {
    std::promise<std::string> failed;
    journal_options options;
    options.on_failure = [&failed](const std::string& why) { failed.set_value(why); };
    group_commit_journal log{open_rocks_store(data), options};
    try {
      for (int i = 0; i < 100'000; ++i) {
        append_one(log, order_ref(i), 0, std::string(4'000, 'p'));
        wait_durable(log);
      }
      FAIL("the disk was never full");
    } catch (const journal_stopped&) {
    } catch (const std::future_error&) { // the output was dropped
    }
    CHECK(failed.get_future().get().find("full") != std::string::npos);
    durable = log.durable();
    CHECK(durable > 100);
  }

  REQUIRE(::mount("tmpfs", directory.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
  {
    group_commit_journal log{open_rocks_store(data), {}};
    CHECK(log.last() >= durable);
  }
  CHECK(::umount(directory.path().c_str()) == 0);
}
