// The archive file: its bytes, and that damage of every kind is refused.
#include "runtime/journal/archive_files.hpp"
#include "runtime/journal/archive_writer.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

using namespace purser;
using namespace purser::tests;

namespace {

namespace fs = std::filesystem;

using chunk_map = std::map<std::pair<std::uint16_t, std::uint64_t>, std::string>;

/// Chunks of `shards` shards, `each` of them in every one, of one event with a payload. Positions
/// go round the shards, as commits make them.
chunk_map some_chunks(std::uint16_t shards, std::uint64_t each, std::size_t payload) {
  chunk_map made;
  position at = 0;
  for (std::uint64_t number = 1; number <= each; ++number)
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      chunk_writer writer{shard, number};
      writer.add(++at, order_ref(shard), number, event_with(std::string(payload, 'p')));
      made[{shard, number}] = std::move(writer).finish(1'767'225'600'000);
    }
  return made;
}

const std::vector<archive_record> some_records{{"letter/0123456789ab", "a letter"},
                                               {"letter/0123456789ac", ""},
                                               {"quarantine/\1o-1", "its cause"}};

archive_summary write_archive(const fs::path& path, const chunk_map& chunks,
                              const archive_write_options& how = {},
                              const std::vector<archive_record>& records = {}) {
  const auto& last = chunks.rbegin()->first;
  archive_header header{archive_kind::backup, static_cast<std::uint16_t>(last.first + 1),
                        chunks.size(), 1'767'225'600'000, !records.empty()};
  archive_writer writer{path, header, how};
  for (const auto& [key, bytes] : chunks)
    writer.add(read_header(bytes), bytes);
  for (const auto& record : records)
    writer.add(record);
  return writer.finish();
}

chunk_map read_archive(const fs::path& path) {
  chunk_map found;
  archive_files{{path}}.for_each_chunk([&](const chunk_header& header, std::string_view bytes) {
    found[{header.shard, header.number}] = bytes;
  });
  return found;
}

std::vector<archive_record> read_records(const fs::path& path) {
  std::vector<archive_record> found;
  archive_files{{path}}.for_each_record(
    [&](const archive_record& record) { found.push_back(record); });
  return found;
}

void compare_golden(const std::string& name, bool pack,
                    const std::vector<archive_record>& records = {}) {
  const fs::path golden = fs::path{PURSER_SOURCE_DIR "/tests/golden/archive"} / name;
  const auto chunks = some_chunks(2, pack ? 20 : 1, 5);
  archive_write_options how;
  how.pack = pack;
  how.replace = true;
  if (std::getenv("PURSER_UPDATE_GOLDEN") != nullptr)
    write_archive(golden, chunks, how, records);
  CHECK(read_archive(golden) == chunks);
  CHECK(read_records(golden) == records);
  if (pack)
    return; // another zstd may pack otherwise
  scratch_directory directory;
  write_archive(directory.path() / name, chunks, how, records);
  CHECK(read_file(directory.path() / name) == read_file(golden));
}

/// What reading all of it says is wrong; empty: nothing.
std::string complaint_of(const fs::path& path) {
  try {
    read_archive(path);
    read_records(path);
    return {};
  } catch (const journal_corrupt& error) {
    return error.what();
  }
}

} // namespace

TEST_CASE("golden: an archive has exactly these bytes, and a packed one is read") {
  compare_golden("archive_v1.pua", false);
  compare_golden("archive_v1_packed.pua", true);
  compare_golden("archive_v2.pua", false, some_records);
}

TEST_CASE("what is written to an archive is read back, in blocks that are packed") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  const auto chunks = some_chunks(5, 200, 300);
  archive_write_options how;
  how.block_size = 4'000;

  const auto made = write_archive(path, chunks, how);

  CHECK(read_archive(path) == chunks);
  CHECK(made.chunks == 1'000);
  CHECK(made.events == 1'000);
  CHECK(made.bytes == fs::file_size(path));
  CHECK(made.bytes < made.raw_bytes / 2);
  const archive_reader file{path};
  CHECK(file.blocks().size() > 50);
  CHECK(file.ranges() == made.ranges);
  CHECK(file.ranges().size() == 5);
  CHECK(file.find(4, 200) != nullptr);
  CHECK(file.find(4, 201) == nullptr);
  CHECK(file.find(5, 1) == nullptr);
}

TEST_CASE("an archive of nothing is an archive") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";

  archive_writer{path, {archive_kind::backup, 8, 0, 0}}.finish();

  CHECK(read_archive(path).empty());
}

TEST_CASE("records are read back from blocks of their own, and are no chunks") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  const auto chunks = some_chunks(3, 20, 30);
  std::vector<archive_record> letters;
  for (int i = 1'000; i < 1'500; ++i)
    letters.push_back({"letter/" + std::to_string(i), std::string(40, 'l')});
  archive_write_options how;
  how.block_size = 4'000;

  const auto made = write_archive(path, chunks, how, letters);

  CHECK(read_records(path) == letters);
  CHECK(read_archive(path) == chunks);
  CHECK(made.records == 500);
  CHECK(made.chunks == 60);
  const archive_reader file{path};
  CHECK(std::ranges::count_if(file.blocks(), &archive_block::of_records) > 3);
  CHECK(file.trailer().chunks == 60);
  CHECK(file.ranges() == made.ranges);
  CHECK(file.ranges().size() == 3);
}

TEST_CASE("a file is of format 2 only when it holds records") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  archive_write_options how;
  how.replace = true;

  write_archive(path, some_chunks(1, 1, 5), how);
  const auto without = read_file(path)[8];
  write_archive(path, some_chunks(1, 1, 5), how, some_records);
  const auto with = read_file(path)[8];

  CHECK(without == 1);
  CHECK(with == 2);
  archive_writer untold{directory.path() / "b.pua", {archive_kind::backup, 1, 0, 0}};
  CHECK_THROWS_AS(untold.add(some_records.front()), std::logic_error);
}

TEST_CASE("records that no backup has are refused by their number") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  const auto told = [&](const std::vector<archive_record>& records) {
    archive_write_options how;
    how.replace = true;
    write_archive(path, some_chunks(1, 1, 5), how, records);
    return complaint_of(path);
  };
  const auto damaged = path.string() + " is damaged: record ";

  CHECK(told({{"letter/a", ""}, {"head", "7"}}) ==
        damaged + "2: it is a mark that no backup holds");
  CHECK(told({{"letter/b", ""}, {"letter/a", ""}}) == damaged + "2: it is out of order");
  CHECK(told({{"letter/a", ""}, {"letter/a", ""}}) == damaged + "2: it is out of order");
}

TEST_CASE("every bit of an archive that flips is detected, and so is every shorter file") {
  for (const bool pack : {false, true}) {
    scratch_directory directory;
    const auto path = directory.path() / "a.pua";
    archive_write_options how;
    how.pack = pack;
    write_archive(path, some_chunks(2, 2, 40), how, some_records);
    const auto whole = read_file(path);
    const auto damaged = directory.path() / "damaged.pua";

    for (std::size_t i = 0; i < whole.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        auto bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
        write_file(damaged, bytes);
        CHECK(complaint_of(damaged).starts_with(damaged.string() + " is damaged: "));
      }
    for (std::size_t size = 0; size < whole.size(); ++size) {
      write_file(damaged, whole.substr(0, size));
      CHECK_FALSE(complaint_of(damaged).empty());
    }
    write_file(damaged, whole + "x");
    CHECK_FALSE(complaint_of(damaged).empty());
  }
}

TEST_CASE("a damaged block is named with its place") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  write_archive(path, some_chunks(3, 7, 40));
  auto bytes = read_file(path);
  const auto place = archive_reader{path}.find(1, 1)->offset;
  bytes[place + 10] = static_cast<char>(bytes[place + 10] ^ 1);
  write_file(path, bytes);

  CHECK(complaint_of(path) == path.string() + " is damaged: the block at byte " +
                                std::to_string(place) +
                                " (chunks 1 to 7 of shard 1): its checksum is wrong");

  write_archive(directory.path() / "b.pua", some_chunks(1, 1, 5), {}, some_records);
  const auto records = archive_reader{directory.path() / "b.pua"}.blocks().back();
  bytes = read_file(directory.path() / "b.pua");
  bytes[records.offset] = static_cast<char>(bytes[records.offset] ^ 1);
  write_file(path, bytes);

  CHECK(complaint_of(path) == path.string() + " is damaged: the block at byte " +
                                std::to_string(records.offset) +
                                " (records 1 to 3): its checksum is wrong");
}

TEST_CASE("files that are no archives, and none at all, are refused by name") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";

  CHECK_THROWS_WITH_AS(archive_reader{path}, (path.string() + " does not exist").c_str(),
                       store_error);
  CHECK_THROWS_WITH_AS(archive_reader{directory.path()},
                       (directory.path().string() + " is no file").c_str(), store_error);
  write_file(path, "");
  CHECK(complaint_of(path) == path.string() + " is damaged: it is too short for an archive");
  write_file(path, std::string(500, 'x'));
  CHECK(complaint_of(path) == path.string() + " is damaged: it is no purser archive");
}

TEST_CASE("an archive of a newer format is refused clearly") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  write_archive(path, some_chunks(1, 1, 5));
  auto bytes = read_file(path);
  bytes[8] = 3; // the format
  const auto sum = archive_format::checksum(std::string_view{bytes}.substr(0, 56));
  bytes.replace(56, sizeof sum, reinterpret_cast<const char*>(&sum), sizeof sum);
  write_file(path, bytes);

  CHECK_THROWS_WITH_AS(archive_reader{path},
                       (path.string() + " was written by a newer purser (archive format 3, this "
                                        "program knows 2)")
                         .c_str(),
                       store_error);
}

TEST_CASE("a gap between files is named, and files of other journals do not go together") {
  scratch_directory directory;
  const auto chunks = some_chunks(1, 9, 5);
  const auto write_part = [&](const std::string& name, archive_kind kind, std::uint64_t first,
                              std::uint64_t last, std::uint16_t shards) {
    archive_writer writer{directory.path() / name, {kind, shards, 9, 0}};
    for (auto number = first; number <= last; ++number)
      writer.add(read_header(chunks.at({0, number})), chunks.at({0, number}));
    writer.finish();
    return directory.path() / name;
  };
  const auto backup = write_part("b.pua", archive_kind::backup, 7, 9, 1);
  const auto early = write_part("1.pua", archive_kind::stretch, 1, 3, 1);
  const auto late = write_part("2.pua", archive_kind::stretch, 4, 8, 1);
  const auto other = write_part("o.pua", archive_kind::stretch, 4, 6, 2);
  const auto ignore = [](const chunk_header&, std::string_view) {};
  std::uint64_t seen = 0;

  archive_files{{backup, early, late}}.for_each_chunk(
    [&](const chunk_header& header, std::string_view) { CHECK(header.number == ++seen); });
  CHECK(seen == 9);
  CHECK_THROWS_AS((archive_files{{backup, early}}), journal_corrupt); // too few events
  CHECK_THROWS_AS((archive_files{{backup, other}}), store_error);
  CHECK_THROWS_AS((archive_files{{early, late}}), store_error); // no backup
  CHECK_THROWS_AS((archive_files{{}}), store_error);
  CHECK_THROWS_WITH_AS(
    (archive_files{{backup, early, early, early}}.for_each_chunk(ignore)),
    ("chunk 4 of shard 0 is in no file, but chunk 7 of shard 0 is in " + backup.string()).c_str(),
    journal_corrupt);
}

TEST_CASE("an archive has its name when it is whole, and never takes another file's") {
  scratch_directory directory;
  const auto path = directory.path() / "a.pua";
  const auto chunks = some_chunks(1, 1, 5);
  const auto files = [&] {
    return std::distance(fs::directory_iterator{directory.path()}, fs::directory_iterator{});
  };
  {
    archive_writer abandoned{path, {archive_kind::backup, 1, 1, 0}};
    CHECK_FALSE(fs::exists(path));
    CHECK_THROWS_WITH_AS(archive_writer(path, {archive_kind::backup, 1, 1, 0}),
                         (path.string() + ".partial is being written by another process").c_str(),
                         store_error);
  }
  CHECK(files() == 0);

  write_file(path.string() + ".partial", std::string(10'000, 'x')); // of a killed writer
  write_archive(path, chunks);
  CHECK(read_archive(path) == chunks);
  CHECK(files() == 1);

  CHECK_THROWS_AS(write_archive(path, some_chunks(1, 2, 5)), store_error);
  CHECK(read_archive(path) == chunks);
  archive_write_options how;
  how.replace = true;
  write_archive(path, some_chunks(1, 2, 5), how);
  CHECK(read_archive(path).size() == 2);
  CHECK_THROWS_AS(write_archive(directory.path() / "none" / "a.pua", chunks), store_error);
}

TEST_CASE("a full disk leaves no file" * doctest::skip(::geteuid() != 0)) { // needs root for tmpfs
  scratch_directory directory;
  REQUIRE(::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=1m") == 0);
  const auto path = directory.path() / "a.pua";
  archive_write_options how;
  how.pack = false;
  try {
    write_archive(path, some_chunks(1, 100, 30'000), how);
    FAIL("the disk was never full");
  } catch (const store_error& error) {
    CHECK(std::string{error.what()}.find("(the disk is full)") != std::string::npos);
  }
  CHECK(fs::is_empty(directory.path()));
  CHECK(::umount(directory.path().c_str()) == 0);
}
