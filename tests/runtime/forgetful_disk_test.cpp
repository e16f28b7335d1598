// RocksDB itself on a disk that fails at the n-th call and every one after it, and then forgets
// what was not synced: as when the power goes.
#include "actors/domain/stock.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/roomy_logs.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <doctest/doctest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>

using namespace purser;
using namespace purser::tests;

namespace {

class forgetful_disk final : public rocksdb::FileSystemWrapper {
public:
  /// Calls that change something are counted from 1; 0: none fails.
  explicit forgetful_disk(std::uint64_t fails_at)
      : rocksdb::FileSystemWrapper(with_roomy_logs(rocksdb::FileSystem::Default())),
        fails_at_(fails_at) {}

  const char* Name() const override { return "forgetful_disk"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& how,
                                    std::unique_ptr<rocksdb::FSWritableFile>* made,
                                    rocksdb::IODebugContext* context) override {
    return wrapped(name, 0, made,
                   [&] { return FileSystemWrapper::NewWritableFile(name, how, made, context); });
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& how,
                                       std::unique_ptr<rocksdb::FSWritableFile>* made,
                                       rocksdb::IODebugContext* context) override {
    std::error_code is_new;
    const auto size = std::filesystem::file_size(name, is_new);
    return wrapped(name, is_new ? 0 : size, made,
                   [&] { return FileSystemWrapper::ReopenWritableFile(name, how, made, context); });
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& how,
                               rocksdb::IODebugContext* context) override {
    if (auto bad = fails(); !bad.ok())
      return bad;
    {
      const std::lock_guard lock{mutex_};
      if (const auto found = synced_.find(from); found != synced_.end()) {
        synced_[to] = found->second;
        synced_.erase(found);
      }
    }
    return FileSystemWrapper::RenameFile(from, to, how, context);
  }
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& how,
                             rocksdb::IODebugContext* context) override {
    if (auto bad = fails(); !bad.ok())
      return bad;
    {
      const std::lock_guard lock{mutex_};
      if (const auto found = synced_.find(from); found != synced_.end())
        synced_[to] = found->second;
    }
    return FileSystemWrapper::LinkFile(from, to, how, context);
  }
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& how,
                               rocksdb::IODebugContext* context) override {
    if (auto bad = fails(); !bad.ok())
      return bad;
    {
      const std::lock_guard lock{mutex_};
      synced_.erase(name);
    }
    return FileSystemWrapper::DeleteFile(name, how, context);
  }

  /// What happens to bytes behind those that were synced.
  enum class loss {
    cut,   ///< the file is shorter
    zeros, ///< they were not written; the file was longer before
    holes, ///< every other page of them was not
  };

  /// Every file is as it was when it was synced last, or a log has some of what came later.
  void forget(loss how) {
    const std::lock_guard lock{mutex_};
    for (const auto& [name, size] : synced_) {
      if (!std::filesystem::exists(name) || std::filesystem::file_size(name) <= size)
        continue;
      if (how == loss::cut || !name.ends_with(".log"))
        std::filesystem::resize_file(name, size);
      else
        lose_pages(name, size, how == loss::zeros ? 1 : 2);
    }
  }

  std::uint64_t calls() const { return calls_; }

  rocksdb::IOStatus fails() {
    const auto number = ++calls_;
    if (fails_at_ == 0 || number < fails_at_)
      return rocksdb::IOStatus::OK();
    return rocksdb::IOStatus::IOError("the power is gone");
  }
  void synced(const std::string& name, std::uint64_t size) {
    const std::lock_guard lock{mutex_};
    synced_[name] = size;
  }

private:
  static void lose_pages(const std::string& name, std::uint64_t from, std::size_t every) {
    constexpr std::size_t page = 4'096;
    auto bytes = read_file(name);
    for (auto at = from; at < bytes.size();) {
      const auto end = std::min<std::uint64_t>((at / page + 1) * page, bytes.size());
      if (at / page % every == 0)
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                  bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
      at = end;
    }
    bytes.resize((bytes.size() / log_room_bytes + 1) *
                 log_room_bytes); // the room behind it is left
    write_file(name, bytes);
  }

  /// `has`: bytes that are there already, and stay as durable as they are.
  template <class Open>
  rocksdb::IOStatus wrapped(const std::string& name, std::uint64_t has,
                            std::unique_ptr<rocksdb::FSWritableFile>* made, Open open);

  const std::uint64_t fails_at_;
  std::atomic<std::uint64_t> calls_{0};
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> synced_; ///< sizes
};

class counted_file final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  counted_file(forgetful_disk& disk, std::string name, std::uint64_t has,
               std::unique_ptr<rocksdb::FSWritableFile>&& file)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), name_(std::move(name)),
        has_(has) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& how,
                           rocksdb::IODebugContext* context) override {
    const auto bad = disk_.fails();
    return bad.ok() ? FSWritableFileOwnerWrapper::Append(data, how, context) : bad;
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& how,
                           const rocksdb::DataVerificationInfo&,
                           rocksdb::IODebugContext* context) override {
    return Append(data, how, context);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& how, rocksdb::IODebugContext* context) override {
    return synced([&] { return FSWritableFileOwnerWrapper::Sync(how, context); });
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& how,
                          rocksdb::IODebugContext* context) override {
    return synced([&] { return FSWritableFileOwnerWrapper::Fsync(how, context); });
  }

private:
  template <class Sync>
  rocksdb::IOStatus synced(Sync sync) {
    if (auto bad = disk_.fails(); !bad.ok())
      return bad;
    const auto size = has_ + GetFileSize({}, nullptr);
    auto done = sync();
    if (done.ok())
      disk_.synced(name_, size);
    return done;
  }

  forgetful_disk& disk_;
  const std::string name_;
  const std::uint64_t has_;
};

template <class Open>
rocksdb::IOStatus forgetful_disk::wrapped(const std::string& name, std::uint64_t has,
                                          std::unique_ptr<rocksdb::FSWritableFile>* made,
                                          Open open) {
  if (auto bad = fails(); !bad.ok())
    return bad;
  auto done = open();
  if (!done.ok())
    return done;
  if (has == 0)
    synced(name, 0);
  *made = std::make_unique<counted_file>(*this, name, has, std::move(*made));
  return done;
}

entity_ref sku_ref(int number) {
  return {entity_kind::stock, "sku-" + std::to_string(number)};
}

std::vector<event_record> received() {
  return {record_of(stock_received{{std::string(60'000, 'w'), 10}})};
}

constexpr int events_written = 40;
constexpr int checkpoint_every = 15;

struct life {
  position acknowledged = 0;
  std::uint64_t calls = 0;
};

/// Writes, until all is written or the disk fails; then the power goes.
life write_until(const std::filesystem::path& data, std::uint64_t fails_at,
                 forgetful_disk::loss how_much) {
  life result;
  const auto disk = std::make_shared<forgetful_disk>(fails_at);
  const auto machine = rocksdb::NewCompositeEnv(disk);
  rocks_options how;
  how.machine = machine.get();
  how.write_buffer_mib = 1; // so that tables are written, too
  how.logs_mib = 1;
  try {
    group_commit_journal log{open_rocks_store(data, how), {}};
    for (int i = 0; i < events_written; ++i) {
      const auto at = log.append_once(sku_ref(i), 0, received());
      wait_durable(log);
      result.acknowledged = at;
      if (i % checkpoint_every == checkpoint_every - 1)
        run_checkpoints(log);
    }
  } catch (const std::exception&) { // the disk said no: at the opening, or the journal gave up
  }
  disk->forget(how_much);
  result.calls = disk->calls();
  return result;
}

} // namespace

TEST_CASE("whatever call to the disk fails first, what was acknowledged is there when it works") {
  scratch_directory directory;
  using enum forgetful_disk::loss;
  const auto calls = write_until(directory.path() / "whole", 0, cut).calls;
  CHECK(calls > 150);
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  const std::uint64_t every = 17;
#else
  const std::uint64_t every = 7;
#endif
  position most = 0;
  for (std::uint64_t fails_at = 1; fails_at <= calls; fails_at += every) {
    INFO("from call " << fails_at << " of " << calls);
    const auto data = directory.path() / ("data-" + std::to_string(fails_at));
    const auto before = write_until(data, fails_at, std::array{cut, zeros, holes}[fails_at % 3]);
    most = std::max(most, before.acknowledged);

    group_commit_journal log{open_rocks_store(data), {}};
    REQUIRE(log.last() >= before.acknowledged);
    journal_scan scan{log};
    recorded_event event;
    position count = 0;
    while (scan.next(event))
      REQUIRE(event.at_position == ++count);
    REQUIRE(count == log.last());
    for (position number = 0; number < count; ++number)
      REQUIRE(load_entity(log, sku_ref(static_cast<int>(number))).version() == 1);
    log.append_once(sku_ref(events_written), 0, received()); // and it goes on
    wait_durable(log);
    run_checkpoints(log);
  }
  CHECK(most > events_written / 2);
}
