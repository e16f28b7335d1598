#include "runtime/journal/rocks_store.hpp"

#include "actors/codec.hpp"
#include "runtime/journal/archived_chunks.hpp"
#include "runtime/journal/directory_lock.hpp"
#include "runtime/journal/durable_mark.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_database.hpp"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <mutex>

namespace purser {

namespace {

namespace fs = std::filesystem;
using rocksdb::Slice;

constexpr char separator = '\0'; // ids hold no control characters

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

std::uint64_t get_big_endian(std::string_view in) {
  std::uint64_t value = 0;
  for (const char c : in)
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string chunk_key(std::uint16_t shard, std::uint64_t number) {
  std::string key;
  static_assert(sizeof shard == shard_key_bytes);
  put_big_endian(key, shard, shard_key_bytes);
  put_big_endian(key, number, sizeof number);
  return key;
}

std::string index_key(const entity_ref& stream) {
  auto key = store_key(stream);
  key.push_back(separator);
  return key;
}

/// Visits what is in the lists, in the order of all.
template <class Visit>
void merge(std::span<const snapshot_list* const> parts, Visit visit) {
  struct place {
    const snapshot_list* part;
    std::size_t next;
    const entity_ref* entity; ///< of the next
  };
  std::vector<place> heap;
  for (const auto* part : parts)
    if (part->size() > 0)
      heap.push_back({part, 0, &part->entity(0)});
  const auto later = [](const place& one, const place& other) {
    return *other.entity < *one.entity;
  };
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    auto& [part, next, entity] = heap.back();
    visit(*part, next);
    if (++next == part->size()) {
      heap.pop_back();
    } else {
      entity = &part->entity(next);
      std::push_heap(heap.begin(), heap.end(), later);
    }
  }
}

class rocks_store final : public store {
public:
  rocks_store(const fs::path& directory, const rocks_options& options)
      : directory_(directory), archived_(directory / "archive") {
    if (!options.live)
      lock_ = std::make_unique<directory_lock>(directory);
    const auto journal = directory / "journal";
    const bool is_new = !fs::exists(journal);
    if (is_new && options.read_only)
      throw store_error(directory.string() + " holds no journal");
    durable_ = std::make_unique<durable_mark>(directory / "durable", options.read_only);
    const auto acknowledged = durable_->recorded();
    if (is_new) {
      check_recovered(acknowledged, 0);
      create(options);
    } else if (!options.read_only && acknowledged != position{0}) {
      // RocksDB's recovery removes a log that it could read only in part: refuse before it may
      // change anything.
      journal_ = open_marks(journal, options);
      check(acknowledged);
      journal_.reset();
    }
    journal_ = open_journal(journal, options);
    if (!is_new)
      check(acknowledged);
    know_archives();
    if (options.live)
      return;
    if (options.on_warning)
      for (const auto& what : archived_.missing())
        options.on_warning("archive: " + what);
    if (options.read_only && !fs::exists(directory / "index" / "CURRENT"))
      return; // without it: histories are refused, everything else can be read
    index_ = open_index(directory / "index", options);
  }

  /// One moment of another.
  // NOLINTNEXTLINE(google-explicit-constructor): a moment of a store is not a copy of it
  explicit rocks_store(rocks_store& live)
      : directory_(live.directory_), journal_(std::make_unique<database>(*live.journal_)),
        archived_(live.directory_ / "archive") {
    know_archives();
  }

  std::unique_ptr<store> moment() override { return std::make_unique<rocks_store>(*this); }

  void write(const store_batch& batch) override {
    count_nothing();
    rocksdb::WriteBatch made{room_for(batch)};
    for (const auto& chunk : batch.chunks)
      put(made, chunks, chunk_key(chunk.shard, chunk.number),
          Slice{chunk.bytes.data(), chunk.bytes.size()});
    for (const auto& [key, value] : batch.marks)
      put(made, marks_family, key, value);
    for (const auto& key : batch.unmarks)
      require((made.Delete(journal_->family(marks_family), key)), "a mark");
    for (const auto& range : batch.moved)
      require(made.DeleteRange(journal_->family(chunks), chunk_key(range.shard, range.first),
                               chunk_key(range.shard, range.last + 1)),
              "a batch");
    rocksdb::WriteOptions unsynced;
    unsynced.sync = false;
    while_good(
      [&] { require((*journal_)->Write(unsynced, &made), "the journal cannot be written"); });
    if (!batch.moved.empty())
      know_archives();
  }

  void sync() override {
    while_good([&] { require((*journal_)->SyncWAL(), "the journal cannot be synced"); });
  }

  void sync(position durable) override {
    sync();
    durable_->record(durable);
  }

  std::optional<std::string> chunk(std::uint16_t shard, std::uint64_t number) override {
    if (auto bytes = journal_->get(chunks, chunk_key(shard, number)))
      return bytes;
    return archived_.chunk(shard, number);
  }

  void for_each_chunk(std::uint16_t shard, std::uint64_t after, std::uint64_t up_to,
                      const chunk_bytes_visitor& visit) override {
    if (up_to <= after)
      return;
    count_nothing();
    const auto archived = std::clamp(archived_.all_of(shard).last, after, up_to);
    store::for_each_chunk(shard, after, archived, visit);
    auto number = archived;
    const std::unique_ptr<rocksdb::Iterator> at{
      (*journal_)->NewIterator(journal_->reading(), journal_->family(chunks))};
    for (at->Seek(chunk_key(shard, number + 1)); number < up_to && at->Valid(); at->Next()) {
      if (shown(at->key()) != chunk_key(shard, number + 1))
        break;
      visit(++number, shown(at->value()));
    }
    require(at->status(), "the data directory cannot be read");
    store::for_each_chunk(shard, number, up_to, visit); // none are left, or one is missing
  }

  /// RocksDB's table in memory is read forward only (rocks_database.cpp): so this asks whether
  /// there is anything from some number on. Chunks behind one that is missing are found as well.
  std::uint64_t last_chunk(std::uint16_t shard) override {
    const std::unique_ptr<rocksdb::Iterator> at{
      (*journal_)->NewIterator(journal_->reading(), journal_->family(chunks))};
    const auto first_from = [&](std::uint64_t number) -> std::uint64_t { // 0: there is none
      at->Seek(chunk_key(shard, number));
      require(at->status(), "the data directory cannot be read");
      if (!at->Valid())
        return 0;
      const auto key = shown(at->key());
      return get_big_endian(key.substr(0, shard_key_bytes)) == shard
               ? get_big_endian(key.substr(shard_key_bytes))
               : 0;
    };
    auto last = first_from(archived_.all_of(shard).last + 1); // not past all that was deleted there
    if (last == 0)
      return 0;
    std::uint64_t step = 1;
    for (; step != 0; step *= 2) { // until nothing is that far behind the last one found
      const auto found = first_from(last + step);
      if (found == 0)
        break;
      last = found;
    }
    for (step /= 2; step != 0; step /= 2)
      if (const auto found = first_from(last + step); found != 0)
        last = found;
    return last;
  }

  chunk_range archived(std::uint16_t shard) override { return archived_.all_of(shard); }

  void reclaim() override {
    journal_->flush();
    const auto shards = marks::shards_of(*this);
    for (std::uint16_t shard = 0; shard < shards; ++shard)
      if (const auto last = archived_.all_of(shard).last)
        journal_->reclaim(chunks, chunk_key(shard, 0), chunk_key(shard, last + 1));
  }

  void write_snapshots(std::span<const snapshot_list* const> parts) override {
    count_nothing();
    std::string name;
    std::string frame;
    journal_->add_table(snapshots, [&](const database::table_entry& put) {
      merge(parts, [&](const snapshot_list& part, std::size_t index) {
        name.clear();
        append_store_key(name, part.entity(index));
        frame.clear();
        part.append_frame(index, frame);
        put(name, frame);
      });
    });
  }

  std::optional<std::string> snapshot(const entity_ref& stream) override {
    return journal_->get(snapshots, store_key(stream));
  }

  void for_each_snapshot(
    const std::function<void(const entity_ref&, std::string_view)>& visit) override {
    journal_->for_each(snapshots, {}, [&](std::string_view key, std::string_view value) {
      visit(entity_of(key), value);
    });
  }

  std::optional<std::string> mark(std::string_view key) override {
    return journal_->get(marks_family, std::string{key});
  }

  void
  for_each_mark(std::string_view prefix,
                const std::function<void(std::string_view, std::string_view)>& visit) override {
    journal_->for_each(marks_family, prefix, visit);
  }

  void for_each_mark_from(
    std::string_view prefix, std::string_view first,
    const std::function<bool(std::string_view, std::string_view)>& visit) override {
    journal_->for_each_from(marks_family, prefix, first, visit);
  }

  // -- The index ----------------------------------------------------------------------------------

  void write_index(const index_batch& batch) override {
    count_nothing();
    rocksdb::WriteBatch made;
    for (const auto& posting : batch.postings) {
      if (posting.chunks.empty())
        continue;
      auto key = index_key(posting.stream);
      put_big_endian(key, posting.chunks.front(), sizeof(std::uint64_t));
      put_index(made, postings_family, key, codec::to_bytes(posting.chunks));
    }
    for (const auto& id : batch.ids) {
      std::string value;
      codec::put_varint(value, id.outcome.fingerprint);
      codec::put_varint(value, id.outcome.version);
      codec::put_varint(value, id.outcome.rejection);
      put_index(made, ids_family, index_key(id.stream) + id.key, value);
    }
    if (batch.covered != 0)
      put_index(made, index_defaults, covered_key(batch.shard),
                marks::encode_number(batch.covered));
    if (batch.rebuilt != 0)
      put_index(made, index_defaults, rebuilt_key(batch.shard),
                marks::encode_number(batch.rebuilt));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    require((*index_)->Write(synced, &made), "the index cannot be written");
  }

  std::uint64_t index_covered(std::uint16_t shard) override {
    return index_number(covered_key(shard), "covered");
  }

  std::uint64_t index_rebuilt(std::uint16_t shard) override {
    return index_number(rebuilt_key(shard), "rebuilt");
  }

  std::vector<std::uint64_t> postings(const entity_ref& stream) override {
    std::vector<std::uint64_t> all;
    if (!index_)
      return all;
    const auto prefix = index_key(stream);
    index_->for_each(postings_family, prefix, [&](std::string_view rest, std::string_view value) {
      if (rest.size() != sizeof(std::uint64_t))
        return;
      const auto part = codec::from_bytes<std::vector<std::uint64_t>>(value);
      for (const auto number : part)
        if (all.empty() || number > all.back())
          all.push_back(number);
    });
    return all;
  }

  std::optional<command_outcome> outcome(const entity_ref& stream, std::string_view key) override {
    if (!index_)
      return std::nullopt;
    const auto value = index_->get(ids_family, index_key(stream) + std::string{key});
    if (!value)
      return std::nullopt;
    std::string_view in{*value};
    command_outcome found;
    found.fingerprint = codec::take_varint(in);
    found.version = codec::take_varint(in);
    found.rejection = static_cast<std::uint16_t>(codec::take_varint(in));
    return found;
  }

  std::uint64_t disk_bytes() override {
    std::uint64_t sum = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator at{directory_, error}, end; !error && at != end;
         at.increment(error)) {
      std::error_code gone; // RocksDB removes files meanwhile
      const auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
      sum += gone ? 0 : size;
    }
    return sum;
  }

private:
  /// One write or sync of the log at a time, and none after one that failed: a sync behind another
  /// thread's failed write ends the process, by an assertion that Debian's build of RocksDB has on.
  template <class Call>
  void while_good(Call call) {
    const std::lock_guard lock{writing_};
    if (failure_.empty() && journal_->has_failed())
      failure_ = "the journal's tables or an older log cannot be written";
    if (!failure_.empty())
      throw store_error(failure_);
    try {
      call();
    } catch (const std::exception& error) {
      failure_ = error.what();
      throw;
    }
  }

  static std::string covered_key(std::uint16_t shard) { return "covered/" + std::to_string(shard); }

  static std::string rebuilt_key(std::uint16_t shard) { return "rebuilt/" + std::to_string(shard); }

  /// 0 when it is not there.
  std::uint64_t index_number(const std::string& key, std::string_view what) const {
    const auto value = index_ ? index_->get(index_defaults, key) : std::nullopt;
    return value ? marks::decode_number(*value, what) : 0;
  }

  /// About what a batch takes, so that it grows once.
  static std::size_t room_for(const store_batch& batch) {
    constexpr std::size_t of_an_entry = 48;
    std::size_t room = of_an_entry * (1 + batch.marks.size() + batch.unmarks.size());
    for (const auto& chunk : batch.chunks)
      room += of_an_entry + chunk.bytes.size();
    return room;
  }

  void put(rocksdb::WriteBatch& batch, std::size_t family, const std::string& key,
           const Slice& value) {
    require(batch.Put(journal_->family(family), key, value), "a batch");
  }

  void put_index(rocksdb::WriteBatch& batch, std::size_t family, const std::string& key,
                 const std::string& value) {
    require(batch.Put(index_->family(family), key, value), "a batch");
  }

  void know_archives() {
    std::vector<archived_file> files;
    for_each_mark(marks::archive, [&](std::string_view name, std::string_view value) {
      files.push_back(decode_archived_file(name, value));
    });
    archived_.know(std::move(files));
  }

  /// A kill at any moment leaves either no journal, or a whole one with a record beside it.
  void create(const rocks_options& options) {
    const auto unfinished = directory_ / "journal.new";
    std::error_code error;
    fs::remove_all(unfinished, error);
    if (!error) {
      open_journal(unfinished, options).reset();
      durable_->create();
      fs::rename(unfinished, directory_ / "journal", error);
    }
    if (error)
      throw store_error(unfinished.string() + " cannot be replaced: " + error.message());
    sync_directory(directory_);
  }

  void check(std::optional<position> acknowledged) {
    if (const auto format = mark(marks::format)) {
      const auto version = marks::decode_number(*format, marks::format);
      if (version > marks::format_version)
        throw store_error(directory_.string() + " was written by a newer purser (format " +
                          std::to_string(version) + ", this program knows " +
                          std::to_string(marks::format_version) + ")");
    }
    const auto head = mark(marks::head);
    const auto recovered = head ? marks::decode_number(*head, marks::head) : 0;
    if (!acknowledged && recovered != 0)
      throw journal_corrupt((directory_ / "durable").string() +
                            " is missing, so it cannot be told whether the journal is whole;"
                            " restore the directory from a backup");
    check_recovered(acknowledged, recovered);
  }

  /// The trap: what was acknowledged must have been recovered.
  void check_recovered(std::optional<position> acknowledged, position recovered) const {
    if (acknowledged && recovered < *acknowledged)
      throw journal_corrupt(directory_.string() + ": acknowledged events up to position " +
                            std::to_string(*acknowledged) + " are missing: the journal could be " +
                            "recovered only to " + std::to_string(recovered) +
                            ". The log is damaged; restore the directory from a backup");
  }

  fs::path directory_;
  std::unique_ptr<directory_lock> lock_; ///< none in a live view
  std::unique_ptr<durable_mark> durable_;
  std::unique_ptr<database> journal_;
  std::unique_ptr<database> index_;
  archived_chunks archived_;
  std::mutex writing_;
  std::string failure_; ///< of the first write or sync of the log that failed
};

} // namespace

std::unique_ptr<store> open_rocks_store(const fs::path& directory, const rocks_options& options) {
  std::error_code error;
  if (options.read_only && !fs::is_directory(directory))
    throw store_error(directory.string() + " does not exist");
  fs::create_directories(directory, error);
  if (error)
    throw store_error(directory.string() + " cannot be created: " + error.message());
  return std::make_unique<rocks_store>(directory, options);
}

} // namespace purser
