// RocksDB as we use it: the two instances of a data directory, their families and options, and its
// errors as ours.
#pragma once

#include "runtime/journal/rocks_store.hpp"

#include <rocksdb/db.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace purser {

/// Throws what a status means: store_error (the disk says no), journal_corrupt (stored bytes are
/// not what was written).
void require(const rocksdb::Status& status, const std::string& what);

/// RocksDB counts every comparison of keys, for each thread: a third of what a comparison costs.
/// From now on it does not on this thread.
void count_nothing() noexcept;

/// What an iterator of RocksDB shows, for as long as it stays there.
#ifdef __SANITIZE_THREAD__
/// ThreadSanitizer does not see how RocksDB orders its threads: a copy, made where it does not
/// look.
std::string shown(const rocksdb::Slice& by_iterator);
#else
inline std::string_view shown(const rocksdb::Slice& by_iterator) {
  return {by_iterator.data(), by_iterator.size()};
}
#endif

/// One RocksDB instance with its column families.
class database {
public:
  /// Throws store_error, journal_corrupt.
  database(const std::filesystem::path& path, const rocksdb::Options& options,
           const std::vector<rocksdb::ColumnFamilyDescriptor>& families, bool read_only);
  ~database();
  /// The same instance as it is now, for reading only. It must go first.
  // NOLINTNEXTLINE(google-explicit-constructor): a moment of a database is not a copy of it
  explicit database(database& live);
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  rocksdb::DB* operator->() const { return db_; }
  const rocksdb::ReadOptions& reading() const { return reading_; }
  rocksdb::ColumnFamilyHandle* family(std::size_t index) const { return handles_[index]; }

  std::optional<std::string> get(std::size_t index, const std::string& key) const;

  /// Whether a thread of RocksDB's own has failed: to write a table, or to sync an older log.
  bool has_failed() const { return failed_ && failed_->load(); }

  /// Visits every entry whose key begins with `prefix`, in order.
  template <class Visit>
  void for_each(std::size_t index, std::string_view prefix, Visit visit) const {
    for_each_from(index, prefix, {}, [&](std::string_view rest, std::string_view value) {
      visit(rest, value);
      return true;
    });
  }

  /// The same from `prefix` + `first` on, until the visitor says false.
  template <class Visit>
  void for_each_from(std::size_t index, std::string_view prefix, std::string_view first,
                     Visit visit) const {
    const std::unique_ptr<rocksdb::Iterator> at{db_->NewIterator(reading_, family(index))};
    for (at->Seek(std::string{prefix} + std::string{first}); at->Valid(); at->Next()) {
      const auto key = shown(at->key());
      if (!key.starts_with(prefix) || !visit(key.substr(prefix.size()), shown(at->value())))
        break;
    }
    require(at->status(), "the data directory cannot be read");
  }

  /// Adds a table without a way through the log: entries in the order of their keys, as `fill`
  /// tells them. Durable and whole when it returns, or not there. Throws store_error.
  using table_entry = std::function<void(std::string_view key, std::string_view value)>;
  void add_table(std::size_t index, const std::function<void(const table_entry&)>& fill);

  /// Writes what is in memory to tables, so that the log can go. Throws store_error.
  void flush();

  /// Gives back the space of deleted entries from `begin` up to `end`, which is not included.
  void reclaim(std::size_t index, const std::string& begin, const std::string& end);

private:
  std::filesystem::path path_;
  std::shared_ptr<const std::atomic<bool>> failed_;
  std::unique_ptr<rocksdb::DB> own_; ///< none in a database of one moment
  rocksdb::DB* db_ = nullptr;
  rocksdb::ReadOptions reading_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

/// A chunk's key begins with the number of its shard.
inline constexpr std::size_t shard_key_bytes = 2;

// Column families, in the order of opening.
enum journal_family : std::size_t { defaults, chunks, snapshots, marks_family };
enum index_family : std::size_t { index_defaults, postings_family, ids_family };

/// The instance of chunks, snapshots and marks. Throws store_error, journal_corrupt.
std::unique_ptr<database> open_journal(const std::filesystem::path& path,
                                       const rocks_options& settings);

/// The same for its marks alone, and read only: what the logs hold of chunks is read, checked and
/// put aside. Throws store_error, journal_corrupt.
std::unique_ptr<database> open_marks(const std::filesystem::path& path,
                                     const rocks_options& settings);

/// The instance of histories and ids. Throws store_error, journal_corrupt.
std::unique_ptr<database> open_index(const std::filesystem::path& path,
                                     const rocks_options& settings);

} // namespace purser
