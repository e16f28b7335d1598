#include "runtime/journal/rocks_database.hpp"

#include "runtime/journal/roomy_logs.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <cstdio>

namespace purser {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// RocksDB's warnings go to our log. Its own log file would be one more thing to fail on a full
/// disk: in Debian's build, which has assertions, that ends the process.
class forwarding_log final : public rocksdb::Logger {
public:
  explicit forwarding_log(std::function<void(const std::string&)> to)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), to_(std::move(to)) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    if (!to_)
      return;
    char text[512];
    static_cast<void>(std::vsnprintf(text, sizeof text, format, arguments)); // cut off is fine
    to_(text);
  }

private:
  std::function<void(const std::string&)> to_;
};

/// Remembers that a thread of RocksDB's own has failed.
class failure_listener final : public rocksdb::EventListener {
public:
  explicit failure_listener(std::shared_ptr<std::atomic<bool>> failed)
      : failed_(std::move(failed)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    *failed_ = true;
  }

private:
  std::shared_ptr<std::atomic<bool>> failed_;
};

rocksdb::Options base_options(const rocks_options& settings) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.compression = rocksdb::kLZ4Compression;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.max_background_jobs = 2;
  // RocksDB would keep a log for as long as its smallest family has something in it, and all logs
  // up to four times all buffers. At this size it begins to write tables.
  options.max_total_wal_size = settings.logs_mib * mib;
  options.info_log = std::make_shared<forwarding_log>(settings.on_warning);
  options.max_write_buffer_number = 4;
  options.allow_concurrent_memtable_write = false; // the chunks' tables take one writer at a time
  options.env = settings.machine != nullptr ? settings.machine
                : settings.live             ? machine_with_logs_being_written()
                                            : machine_with_roomy_logs();
  return options;
}

/// What is not there is looked up, too: a filter says so before a table is searched.
rocksdb::ColumnFamilyOptions with_bloom(rocksdb::ColumnFamilyOptions options) {
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

/// Chunks come at the ends of as many runs as there are shards. One list for all of them has to be
/// searched for each; with a list for each shard, the last place there is the next. Such a table is
/// read forward only, and within a shard. What leaves it for the disk is not compressed until it is
/// merged: it is read again soon, and a start waits until all of it is written.
rocksdb::ColumnFamilyOptions with_a_run_for_each_shard(rocksdb::ColumnFamilyOptions options) {
  constexpr std::size_t runs = 256; // shards may share one
  constexpr int levels = 12;
  constexpr int branching = 4;
  options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(shard_key_bytes));
  options.memtable_factory.reset(rocksdb::NewHashSkipListRepFactory(runs, levels, branching));
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  return options;
}

} // namespace

#ifdef __SANITIZE_THREAD__
__attribute__((no_sanitize("thread"))) std::string shown(const rocksdb::Slice& by_iterator) {
  std::string copy(by_iterator.size(), '\0');
  char* const to = copy.data();
  const volatile char* const from = by_iterator.data(); // volatile: no memcpy, which it looks into
  for (std::size_t i = 0; i < by_iterator.size(); ++i)
    to[i] = from[i];
  return copy;
}
#endif

void require(const rocksdb::Status& status, const std::string& what) {
  if (status.ok())
    return;
  const auto text = what + ": " + status.ToString();
  if (status.IsCorruption())
    throw journal_corrupt(text);
  throw store_error(status.IsNoSpace() || status.subcode() == rocksdb::Status::SubCode::kNoSpace
                      ? what + ": the disk is full (" + status.ToString() + ")"
                      : text);
}

database::database(const fs::path& path, const rocksdb::Options& settings,
                   const std::vector<rocksdb::ColumnFamilyDescriptor>& families, bool read_only)
    : path_(path) {
  const auto failed = std::make_shared<std::atomic<bool>>(false);
  failed_ = failed;
  auto options = settings;
  options.listeners.push_back(std::make_shared<failure_listener>(failed));
  rocksdb::DB* db = nullptr;
  require(read_only ? rocksdb::DB::OpenForReadOnly(options, path.string(), families, &handles_, &db)
                    : rocksdb::DB::Open(options, path.string(), families, &handles_, &db),
          path.string() + " cannot be opened");
  own_.reset(db);
  db_ = db;
}

database::database(database& live) : db_(live.db_), handles_(live.handles_) {
  reading_.snapshot = db_->GetSnapshot();
}

database::~database() {
  if (reading_.snapshot != nullptr) {
    db_->ReleaseSnapshot(reading_.snapshot);
    return; // the handles are the other one's
  }
  for (auto* handle : handles_) // a failure leaks the handle; there is nobody left to tell
    static_cast<void>(db_->DestroyColumnFamilyHandle(handle));
}

void count_nothing() noexcept {
  thread_local bool told = false;
  if (!std::exchange(told, true))
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

std::optional<std::string> database::get(std::size_t index, const std::string& key) const {
  count_nothing();
  std::string value;
  const auto status = db_->Get(reading_, family(index), key, &value);
  if (status.IsNotFound())
    return std::nullopt;
  require(status, "the data directory cannot be read");
  return value;
}

/// RocksDB takes the file over by a second name for it. A process that was killed between the two
/// may have left the first, and what is written to it would be written to the table.
void database::add_table(std::size_t index, const std::function<void(const table_entry&)>& fill) {
  const std::string what = "a table of the data directory cannot be written";
  const auto file = path_ / "table.new";
  std::error_code error;
  if (std::filesystem::remove(file, error); error)
    throw store_error(file.string() + " cannot be removed: " + error.message());
  constexpr bool drop_from_cache = false;
  rocksdb::SstFileWriter table{{}, db_->GetOptions(family(index)), family(index), drop_from_cache};
  require(table.Open(file.string()), what);
  bool is_empty = true;
  fill([&](std::string_view key, std::string_view value) {
    require(table.Put({key.data(), key.size()}, {value.data(), value.size()}), what);
    is_empty = false;
  });
  if (is_empty)
    return; // RocksDB knows no such table
  require(table.Finish(), what);
  rocksdb::IngestExternalFileOptions how;
  how.move_files = true;
  how.write_global_seqno = false; // it is in RocksDB's list of tables
  require(db_->IngestExternalFile(family(index), {file.string()}, how), what);
}

void database::flush() {
  require(db_->Flush({}, handles_), "the data directory cannot be written");
}

/// Whole tables go first: what is rewritten then is only what shares a table with the range.
void database::reclaim(std::size_t index, const std::string& begin, const std::string& end) {
  const rocksdb::Slice from{begin};
  const rocksdb::Slice to{end};
  require(rocksdb::DeleteFilesInRange(db_, family(index), &from, &to, false),
          "tables cannot be deleted");
  rocksdb::CompactRangeOptions how;
  how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  require(db_->CompactRange(how, family(index), &from, &to), "tables cannot be compacted");
}

namespace {

/// A family that RocksDB brings into memory from its log without ordering it. What is looked up
/// there waits until it is ordered.
rocksdb::ColumnFamilyOptions as_it_comes(rocksdb::ColumnFamilyOptions options) {
  options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
  return options;
}

struct journal_families {
  rocksdb::ColumnFamilyOptions defaults, chunks, snapshots, marks;
};

journal_families families_for(const rocksdb::Options& options, const rocks_options& settings) {
  rocksdb::ColumnFamilyOptions family{options};
  family.write_buffer_size = settings.write_buffer_mib * mib;
  family.max_write_buffer_number = 4;
  rocksdb::ColumnFamilyOptions small{options};
  small.write_buffer_size = 4 * mib;
  return {small, with_a_run_for_each_shard(family), with_bloom(family), small};
}

std::unique_ptr<database> open_journal_with(const fs::path& path, const rocksdb::Options& options,
                                            const journal_families& with, bool read_only) {
  return std::make_unique<database>(
    path, options,
    std::vector<rocksdb::ColumnFamilyDescriptor>{{rocksdb::kDefaultColumnFamilyName, with.defaults},
                                                 {"chunks", with.chunks},
                                                 {"snapshots", with.snapshots},
                                                 {"meta", with.marks}},
    read_only);
}

} // namespace

std::unique_ptr<database> open_journal(const fs::path& path, const rocks_options& settings) {
  const auto options = base_options(settings);
  return open_journal_with(path, options, families_for(options, settings), settings.read_only);
}

std::unique_ptr<database> open_marks(const fs::path& path, const rocks_options& settings) {
  const auto options = base_options(settings);
  auto families = families_for(options, settings);
  families.chunks = as_it_comes(families.chunks);
  constexpr bool read_only = true;
  return open_journal_with(path, options, families, read_only);
}

std::unique_ptr<database> open_index(const fs::path& path, const rocks_options& settings) {
  const auto options = base_options(settings);
  rocksdb::ColumnFamilyOptions family{options};
  family.write_buffer_size = 16 * mib;
  return std::make_unique<database>(
    path, options,
    std::vector<rocksdb::ColumnFamilyDescriptor>{{rocksdb::kDefaultColumnFamilyName, family},
                                                 {"postings", family},
                                                 {"ids", with_bloom(family)}},
    settings.read_only);
}

} // namespace purser
