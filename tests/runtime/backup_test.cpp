// Backup of directories that are being written, and restore.
#include "runtime/backup.hpp"
#include "runtime/journal/archive_reader.hpp"
#include "tests/child_process.hpp"
#include "tests/runtime/backup_fixture.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace purser;
using namespace purser::tests;

namespace {

namespace fs = std::filesystem;

/// Appends for ever in large events and with small buffers, so that RocksDB writes, merges and
/// deletes files all the time; tells each position once it is durable.
int append_heavily(const std::vector<std::string>& arguments) {
  rocks_options how;
  how.write_buffer_mib = 1;
  group_commit_journal log{open_rocks_store(arguments.at(0), how), {}};
  for (auto i = static_cast<int>(log.last());; ++i) {
    std::string payload(60'000, '\0');
    for (std::size_t at = 0; at < payload.size(); ++at)
      payload[at] =
        static_cast<char>((at * 2'654'435'761U + static_cast<std::size_t>(i) * 40'503U) >> 9U);
    const auto at = append_one(log, order_ref(i), 0, std::move(payload));
    log.when_durable([at] {
      if (::write(STDOUT_FILENO, &at, sizeof at) < 0)
        ::_exit(1);
    });
    while (log.last() - log.durable() > 8)
      wait_durable(log);
  }
}
const child_registration append_heavily_child{"append_heavily", append_heavily};

restore_report restored(const std::vector<fs::path>& files, const fs::path& to) {
  return restore({files, to, {}});
}

bool nothing_but(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator{folder})
    found.push_back(entry.path().filename());
  std::ranges::sort(found);
  return found == names;
}

/// Two orders and three letters; order o-1 is quarantined.
void fill_and_give_up(engine& shop) {
  place_orders(shop, 1, 2);
  shop.crash({entity_ref{entity_kind::order, "o-1"}, "order.cancel", 2, true});
  shop.crash({{}, "order.ship", 2, true});
  shop.submit(cancel("o-1", "c-1")).get(); // dead-lettered
  shop.submit(cancel("o-1", "c-2")).get(); // one crash too many
  shop.submit(ship("o-2")).get();
  shop.submit(ship("o-3")).get();
  REQUIRE(shop.dead_letters().size() == 3);
  REQUIRE(shop.quarantines().size() == 1);
}

/// Letters and quarantines as they are stored.
std::vector<std::pair<std::string, std::string>> given_up_in(const fs::path& data) {
  rocks_options how;
  how.read_only = true;
  const auto disk = open_rocks_store(data, how);
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto prefix : marks::kept_in_backups)
    disk->for_each_mark(prefix, [&](std::string_view rest, std::string_view value) {
      found.emplace_back(std::string{prefix} + std::string{rest}, value);
    });
  return found;
}

} // namespace

TEST_CASE("B2: a backup of a directory that another process writes holds all it has acknowledged") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  const child_process writer{"append_heavily", {data.string()}};
  position acknowledged = 0;
  std::uint32_t openings = 0;

  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 60; ++i)
      REQUIRE(writer.read(&acknowledged, sizeof acknowledged) == sizeof acknowledged);
    const auto report = back_up({data, file, true, false, {}});
    CHECK(report.stored.position >= acknowledged);
    CHECK(check_backup({file}, {}).events == report.stored.position);
    openings += report.openings;
  }
  CHECK(openings >= 6); // one that RocksDB's deletions disturbed is repeated
}

TEST_CASE("a host backs up its own running engine, and the backup is a whole shop") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  auto options = engine_in(data);
  options.checkpoint_bytes = 4'000; // so that checkpoints move meanwhile
  const auto shop = engine::start(options);
  place_orders(*shop, 1, 50);
  std::atomic<bool> done{false};
  std::thread client{[&] {
    for (int i = 100; !done; i += 20)
      place_orders(*shop, i, i + 19);
  }};

  for (int round = 0; round < 5; ++round) {
    const auto file = directory.path() / ("backup-" + std::to_string(round) + ".pua");
    const auto before = shop->figures().durable_position;
    const auto report = back_up({data, file, false, false, {}});
    CHECK(report.stored.position >= before);
    const auto made = restored({file}, directory.path() / "restored");
    CHECK(made.verified.events == report.stored.position);
    fs::remove_all(directory.path() / "restored");
  }
  done = true;
  client.join();
}

TEST_CASE("a restored directory is the same shop: events, histories, answers to repeats") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  const auto to = directory.path() / "restored";
  fill(data, 1, 40);
  const auto report = back_up({data, file, false, false, {}});

  const auto made = restored({file}, to);

  CHECK(made.stored.position == report.stored.position);
  CHECK(events_in(to) == events_in(data));
  CHECK(findings_in(to).empty());
  int events = 0;
  inspector::open(to)->history({entity_kind::order, "o-7"}, [&](const event_notice&) { ++events; });
  CHECK(events == 3);
  const auto shop = engine::start(engine_in(to));
  const auto again = shop->submit(order_of("o-7", "mug-1", 1)).get();
  CHECK(again.duplicate);
  place_orders(*shop, 50, 52);
  CHECK(order_in(*shop, "o-52").status == order_status::confirmed);
}

TEST_CASE("B5: letters and quarantines come back, and a quarantined entity stays so") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  const auto to = directory.path() / "restored";
  {
    const auto shop = engine::start(engine_in(data));
    fill_and_give_up(*shop);

    const auto report = back_up({data, file, false, false, {}}); // while it runs

    CHECK(report.stored.letters == 3);
    CHECK(report.stored.quarantines == 1);
    shop->kill();
  }

  const auto checked = check_backup({file}, {});
  const auto made = restored({file}, to);

  CHECK(checked.letters == 3);
  CHECK(checked.quarantines == 1);
  CHECK(made.stored.letters == 3);
  CHECK(made.stored.quarantines == 1);
  CHECK(given_up_in(to).size() == 4);
  CHECK(given_up_in(to) == given_up_in(data));
  CHECK(format_of(to) == marks::listed_format);
  CHECK(findings_in(to).empty());
  const auto shop = engine::start(engine_in(to));
  CHECK(shop->submit(cancel("o-1", "c-3")).get().why == rejection::quarantined);
  CHECK(order_in(*shop, "o-2").status == order_status::confirmed);
  CHECK(shop->release({entity_kind::order, "o-1"}));
  CHECK(shop->redrive(shop->dead_letters().front().id).get().result == outcome::accepted);
  CHECK(shop->dead_letters().size() == 2);
}

TEST_CASE("B5: a letter is in every backup that is made after its sender was told") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  const auto shop = engine::start(engine_in(data));
  shop->crash({{}, "order.cancel", 10, true});

  for (std::uint64_t letters = 1; letters <= 10; ++letters) {
    shop->submit(cancel("o-" + std::to_string(letters), "c-1")).get();
    CHECK(back_up({data, file, true, false, {}}).stored.letters == letters);
  }
  for (const auto& letter : shop->dead_letters())
    shop->drop(letter.id);

  CHECK(back_up({data, file, true, false, {}}).stored.letters == 0);
  CHECK(read_file(file)[8] == 1); // of the first format again
}

TEST_CASE("B5: a letter that cannot be read is copied as it is") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  const auto to = directory.path() / "restored";
  fill(data, 1, 2);
  {
    const auto disk = open_rocks_store(data);
    store_batch foreign;
    foreign.marks.emplace_back("letter/0123456789ab", std::string{"\0what is this?", 14});
    foreign.marks.emplace_back("quarantine/\1o-1", std::string{"\xff\xff", 2});
    disk->write(foreign);
    disk->sync(0);
  }

  back_up({data, file, false, false, {}});
  restored({file}, to);

  CHECK(given_up_in(to).size() == 2);
  CHECK(given_up_in(to) == given_up_in(data));
  CHECK(inspector::open(to)->dead_letters().at(0).cannot_redrive.find("cannot be read") !=
        std::string::npos);
}

TEST_CASE("R1: every bit of an archive's letters that flips is told, and leaves nothing behind") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  {
    const auto shop = engine::start(engine_in(data));
    fill_and_give_up(*shop);
  }
  back_up({data, file, false, false, {}});
  const auto whole = read_file(file);
  const auto records = archive_reader{file}.blocks().back();
  REQUIRE(records.of_records());

  for (auto at = records.offset; at < records.offset + records.stored; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      write_file(file, bytes);
      CHECK(complaint<backup_damaged>([&] { check_backup({file}, {}); }).find("(records 1 to 4)") !=
            std::string::npos);
    }
  CHECK(complaint<backup_damaged>([&] {
          restored({file}, directory.path() / "to");
        }).find("(records 1 to 4): its checksum is wrong") != std::string::npos);
  write_file(file, whole.substr(0, records.offset + records.stored / 2));
  CHECK(complaint<backup_damaged>([&] {
          restored({file}, directory.path() / "to");
        }).find("is damaged") != std::string::npos);
  CHECK(nothing_but(directory.path(), {"backup.pua", "data"}));
}

TEST_CASE("a restore takes a directory that does not exist or is empty, and no other") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  const auto to = directory.path() / "to";
  fill(data, 1, 3);
  back_up({data, file, false, false, {}});

  CHECK(complaint([&] { restored({file}, data); }).find("data is not empty") != std::string::npos);
  CHECK(complaint([&] { restored({file}, to / "deeper"); }) == to.string() + " does not exist");
  CHECK(complaint([&] { restored({file}, file); }) == file.string() + " is no directory");
  fs::create_directories(to / "lost+found");
  fs::create_directories(to / "restoring" / "journal"); // of a restore that was killed
  restored({file}, to);
  CHECK(events_in(to) == events_in(data));
  CHECK(nothing_but(to, {"durable", "index", "journal", "lock", "lost+found"}));
  restored({file}, directory.path() / "new" / ""); // with a slash at its end
  CHECK(events_in(directory.path() / "new") == events_in(data));
}

TEST_CASE("R1: a damaged backup leaves nothing behind") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  fill(data, 1, 20);
  back_up({data, file, false, false, {}});
  const auto whole = read_file(file);
  for (const auto at : {whole.size() / 4, whole.size() / 2, whole.size() - 40}) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    write_file(file, bytes);

    CHECK(complaint<backup_damaged>([&] {
            restored({file}, directory.path() / "to");
          }).find("is damaged") != std::string::npos);
    CHECK(complaint<backup_damaged>([&] { check_backup({file}, {}); }).find("is damaged") !=
          std::string::npos);
    CHECK(nothing_but(directory.path(), {"backup.pua", "data"}));
  }
}

TEST_CASE("R1: a backup that is whole and breaks an invariant is refused by the verification") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  {
    group_commit_journal log{open_rocks_store(data), {}};
    append_one(log, order_ref(1), 0, "this is no event of an order");
    wait_durable(log);
  }
  const auto file = directory.path() / "backup.pua";
  back_up({data, file, false, false, {}});

  CHECK_NOTHROW(check_backup({file}, {}));
  CHECK_THROWS_AS(restored({file}, directory.path() / "to"), backup_damaged);
  CHECK(nothing_but(directory.path(), {"backup.pua", "data"}));
}

TEST_CASE("B4: damage in a directory is told, and leaves no backup") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  {
    group_commit_journal log{open_rocks_store(data), {}};
    for (int i = 0; i < 5; ++i)
      append_one(log, order_ref(i), 0);
    wait_durable(log);
    store_batch bad; // chunk 1 of that shard, in place of what it was
    const auto shard = shard_of(order_ref(1), 8);
    bad.chunks.push_back({shard, 1, "these are other bytes"});
    log.disk().write(bad);
  }

  CHECK(complaint([&] {
          back_up({data, file, false, false, {}});
        }) == "chunk 1 of shard " + std::to_string(shard_of(order_ref(1), 8)) +
                " is corrupted: these bytes are no chunk");
  CHECK(nothing_but(directory.path(), {"data"}));
}

TEST_CASE("B3: a view that lacks a chunk is no backup, wherever the chunk was") {
  for (const std::uint64_t lost : {1, 2, 3}) { // with 3, the shard's last, only the count tells
    scratch_directory directory;
    const auto data = directory.path() / "data";
    const auto shard = shard_of(order_ref(1), 8);
    {
      group_commit_journal log{open_rocks_store(data), {}};
      for (std::uint64_t version = 0; version < 3; ++version) {
        append_one(log, order_ref(1), version);
        wait_durable(log);
      }
      store_batch hole;
      hole.moved.push_back({shard, lost, lost, 1}); // and no mark says where to
      log.disk().write(hole);
    }

    const auto told = complaint([&] {
      back_up({data, directory.path() / "backup.pua", false, false, {}});
    });

    CHECK(told == (lost == 3 ? "the journal ends at position 3 and holds 2 events"
                             : "chunk " + std::to_string(lost) + " of shard " +
                                 std::to_string(shard) + " is missing"));
    CHECK(nothing_but(directory.path(), {"data"}));
  }
}

TEST_CASE("what is no data directory is not backed up") {
  scratch_directory directory;
  const auto file = directory.path() / "backup.pua";

  CHECK(complaint([&] {
          back_up({directory.path() / "none", file, false, false, {}});
        }) == (directory.path() / "none").string() + " does not exist");
  CHECK(complaint([&] {
          back_up({directory.path(), file, false, false, {}});
        }) == directory.path().string() + " holds no journal");
  CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("an empty shop is backed up and restored") {
  scratch_directory directory;
  const auto file = directory.path() / "backup.pua";
  engine::start(engine_in(directory.path() / "data"))->stop();

  CHECK(back_up({directory.path() / "data", file, false, false, {}}).stored.events == 0);
  restored({file}, directory.path() / "to");

  CHECK(engine::start(engine_in(directory.path() / "to"))->figures().durable_position == 0);
}

TEST_CASE("every opening refuses a directory of a newer program clearly") {
  scratch_directory directory;
  const auto data = directory.path() / "data";
  const auto file = directory.path() / "backup.pua";
  fill(data, 1, 2);
  make_newer(data);
  const auto expected =
    data.string() + " was written by a newer purser (format 4, this program knows 3)";

  CHECK(complaint([&] { engine::start(engine_in(data)); }) == expected);
  CHECK(complaint([&] { inspector::open(data); }) == expected);
  CHECK(complaint([&] { back_up({data, file, false, false, {}}); }) == expected);
  CHECK(complaint([&] { archive({.directory = data}); }) == expected);
  CHECK(nothing_but(directory.path(), {"data"}));
}
