// Logs with room, as files (runtime/journal/roomy_logs.hpp). That the journal stands them is for
// journal_damage_test.cpp and forgetful_disk_test.cpp.
#include "runtime/journal/roomy_logs.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace purser;
using namespace purser::tests;

namespace {

/// All that a reader of a log being written gets, beginning before and ending after `meanwhile`.
template <class Meanwhile>
std::string read_while(const std::string& name, Meanwhile meanwhile) {
  std::unique_ptr<rocksdb::SequentialFile> file;
  REQUIRE(machine_with_logs_being_written()->NewSequentialFile(name, &file, {}).ok());
  meanwhile();
  std::string all;
  std::array<char, 10'000> room{};
  for (;;) {
    rocksdb::Slice part;
    REQUIRE(file->Read(room.size(), &part, room.data()).ok());
    if (part.empty())
      return all;
    all.append(part.data(), part.size());
  }
}

} // namespace

TEST_CASE("a log has room while it is written, and none once it is closed") {
  scratch_directory directory;
  for (const std::string name : {"000004.log", "000005.sst"}) {
    CAPTURE(name);
    const auto path = directory.path() / name;
    std::unique_ptr<rocksdb::WritableFile> file;
    REQUIRE(machine_with_roomy_logs()->NewWritableFile(path.string(), &file, {}).ok());
    std::string written;
    for (std::size_t i = 0; i < 100; ++i) {
      const std::string part(1 + i * 97, static_cast<char>('a' + i % 26));
      REQUIRE(file->Append(part).ok());
      REQUIRE(file->Sync().ok());
      written += part;
    }
    REQUIRE(written.size() > log_room_bytes); // it was made twice
    const auto found = read_file(path);
    CHECK(found.substr(0, written.size()) == written);
    CHECK(found.find_first_not_of('\0', written.size()) == std::string::npos);
    CHECK((found.size() > written.size()) == name.ends_with(".log"));
    CHECK(found.size() <= written.size() + log_room_bytes);
    CHECK(file->GetFileSize() == written.size());
    REQUIRE(file->Close().ok());
    CHECK(read_file(path) == written);
  }
}

TEST_CASE("a reader of a log that is written meanwhile ends where its room began") {
  scratch_directory directory;
  const auto path = directory.path() / "000004.log";
  const std::string room(log_room_bytes, '\0');
  const auto put_more = [&] { write_file(path, std::string(200'000, 'b') + room); };
  for (const std::size_t used : {0U, 1U, 4'000U, 4'096U, 70'001U}) {
    CAPTURE(used);
    write_file(path, std::string(used, 'a') + room);
    const auto found = read_while(path.string(), put_more);
    CHECK(found.size() >= used);
    CHECK(found.size() < used + std::size_t{2} * 4'096);
  }
  const auto ends_with_zeros = std::string(4'090, 'a') + std::string(20, '\0');
  write_file(path, ends_with_zeros + room);
  CHECK(read_while(path.string(), [] {}).size() >= ends_with_zeros.size());
  write_file(path, std::string(5'000, 'a')); // without room
  CHECK(read_while(path.string(), put_more).size() == 5'000);
}
