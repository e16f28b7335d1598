// Restore: a data directory of a backup, whole and verified or not there.
//
// R1 Nothing has the directory's name before everything in it has been verified.
// R2 Chunks, dead letters and quarantines are taken over as they are; snapshots, checkpoints and
//    the index are made from them.
// R3 Into a directory that exists (a mounted volume) the parts are moved one by one, the journal
//    last: what a kill leaves between is refused by every opening, because acknowledged events are
//    missing.
#include "actors/codec.hpp"
#include "runtime/backup.hpp"
#include "runtime/engine_errors.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/archive_files.hpp"
#include "runtime/journal/directory_lock.hpp"
#include "runtime/journal/durable_mark.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_store.hpp"

#include <algorithm>
#include <deque>

namespace purser {

namespace fs = std::filesystem;

namespace {

/// Chunks are written this many bytes at a time.
constexpr std::size_t write_bytes = std::size_t{4} << 20;

/// A shard's chunks are folded into snapshots this many bytes at a time: what bounds the memory.
constexpr std::size_t span_bytes = std::size_t{16} << 20;

constexpr std::uint64_t chunks_between_reports = 256;

/// Calls, and turns what says that stored bytes are bad into backup_damaged.
template <class Call>
auto damage_told(Call call) {
  return translated([&] {
    try {
      return call();
    } catch (const journal_corrupt& error) {
      throw backup_damaged(error.what());
    } catch (const codec::decode_error& error) {
      throw backup_damaged(std::string{"an event cannot be read: "} + error.what());
    } catch (const broken_invariant& error) {
      throw backup_damaged(std::string{"it breaks an invariant: "} + error.what());
    }
  });
}

class counted_progress {
public:
  counted_progress(const run_progress& to, std::string_view stage, std::uint64_t total)
      : to_(to), stage_(stage), total_(total) {}

  void add(const chunk_header& header, std::string_view bytes) {
    ++figures.chunks;
    figures.events += header.count;
    figures.raw_bytes += bytes.size();
    if (to_ && figures.chunks % chunks_between_reports == 0)
      to_(stage_, figures.events, total_);
  }

  stored_figures figures;

private:
  const run_progress& to_;
  std::string_view stage_;
  std::uint64_t total_;
};

void count_record(const archive_record& record, stored_figures& to) {
  ++(record.key.starts_with(marks::letter) ? to.letters : to.quarantines);
}

/// Writes chunks to a new store, and makes what derives from them on the way.
class journal_builder {
public:
  journal_builder(store& disk, std::uint16_t shards) : disk_(disk) {
    store_batch first;
    first.marks.emplace_back(marks::format, marks::encode_number(marks::first_format));
    first.marks.emplace_back(marks::shards, marks::encode_number(shards));
    disk_.write(first);
  }

  void add(const chunk_header& header, std::string_view bytes) {
    if (header.shard != span_.shard) {
      fold_span();
      span_ = {header.shard, 0, 0};
    }
    waiting_.emplace_back(bytes);
    batch_.chunks.push_back({header.shard, header.number, waiting_.back()});
    waiting_bytes_ += bytes.size();
    unfolded_ += bytes.size();
    span_.up_to = header.number;
    if (waiting_bytes_ >= write_bytes)
      write();
    if (unfolded_ >= span_bytes)
      fold_span();
  }

  void add(const archive_record& record) {
    batch_.marks.emplace_back(record.key, record.value);
    waiting_bytes_ += record.key.size() + record.value.size();
    if (waiting_bytes_ >= write_bytes)
      write();
  }

  void finish(position head) {
    fold_span();
    batch_.marks.emplace_back(marks::head, marks::encode_position(head));
    write();
    disk_.sync(head);
  }

private:
  void write() {
    disk_.write(batch_);
    batch_ = {};
    waiting_.clear();
    waiting_bytes_ = 0;
  }

  void fold_span() {
    if (span_.up_to == span_.after)
      return;
    write();
    const checkpoint_part part{span_, result_of(fold(disk_, span_))};
    store_checkpoint(disk_, {&part, 1});
    span_.after = span_.up_to;
    unfolded_ = 0;
  }

  store& disk_;
  checkpoint_span span_;
  store_batch batch_;
  std::deque<std::string> waiting_; ///< the bytes of the batch
  std::size_t waiting_bytes_ = 0;
  std::size_t unfolded_ = 0;
};

/// Where the directory is built before it gets its name.
class building_site {
public:
  explicit building_site(const fs::path& wanted) {
    std::error_code error;
    exists_ = fs::exists(fs::symlink_status(wanted, error));
    error.clear(); // that there is none is what we want
    target_ = exists_ ? fs::canonical(wanted, error) : fs::absolute(wanted).lexically_normal();
    if (!target_.has_filename())
      target_ = target_.parent_path();
    if (error || (exists_ && !fs::is_directory(target_)))
      throw store_error(wanted.string() + " is no directory");
    if (!exists_ && !fs::is_directory(target_.parent_path()))
      throw store_error(target_.parent_path().string() + " does not exist");
    site_ = exists_ ? target_ / "restoring" : fs::path{target_.string() + ".restoring"};
    if (exists_)
      refuse_used(wanted);
    if (fs::exists(site_)) {
      const directory_lock free{site_}; // another restore that is under way says so
      fs::remove_all(site_);
    }
  }

  ~building_site() {
    std::error_code ignored;
    fs::remove_all(site_, ignored);
  }
  building_site(const building_site&) = delete;
  building_site& operator=(const building_site&) = delete;

  const fs::path& path() const noexcept { return site_; }

  /// R1, R3.
  void finish() {
    sync_directory(site_);
    if (exists_) {
      for (const auto* part : {"lock", "durable", "index", "journal"})
        rename(site_ / part, target_ / part);
      sync_directory(target_);
    } else {
      rename(site_, target_);
      sync_directory(target_.parent_path());
    }
  }

private:
  void refuse_used(const fs::path& wanted) const {
    for (const auto& entry : fs::directory_iterator{target_})
      if (entry.path().filename() != "lost+found" && entry.path() != site_)
        throw store_error(wanted.string() + " is not empty (" + entry.path().filename().string() +
                          " is there); restore into a new directory");
  }

  static void rename(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error)
      throw store_error(from.string() + " cannot be renamed to " + to.string() + ": " +
                        error.message());
  }

  fs::path target_;
  fs::path site_;
  bool exists_ = false;
};

stored_figures build(const archive_files& files, const fs::path& site,
                     const run_progress& progress) {
  auto disk = open_rocks_store(site);
  counted_progress counted{progress, "restore", files.head()};
  journal_builder builder{*disk, files.shards()};
  files.for_each_chunk([&](const chunk_header& header, std::string_view bytes) {
    builder.add(header, bytes);
    counted.add(header, bytes);
  });
  auto figures = counted.figures;
  files.for_each_record([&](const archive_record& record) {
    builder.add(record);
    count_record(record, figures);
  });
  builder.finish(files.head());
  journal_options how;
  how.shards = files.shards();
  const group_commit_journal opened{std::move(disk), how}; // this makes the index
  figures.file_bytes = files.bytes();
  figures.position = files.head();
  return figures;
}

/// The inspector looks at events. What was given up has to be there byte for byte.
void verify_records(const archive_files& files, const fs::path& site) {
  rocks_options how;
  how.read_only = true;
  const auto disk = open_rocks_store(site, how);
  files.for_each_record([&](const archive_record& record) {
    if (disk->mark(record.key) != record.value)
      throw backup_damaged("what was restored has not the dead letters and quarantines of " +
                           files.name().string());
  });
}

verify_report verified(const fs::path& site, const run_progress& progress) {
  const auto source = inspector::open(site);
  const auto last = source->last_position();
  auto report = source->verify([&](std::uint64_t events) {
    if (progress)
      progress("verify", events, last);
  });
  if (!report.findings.empty())
    throw backup_damaged("what was restored does not verify: " + report.findings.front() +
                         (report.findings.size() > 1
                            ? " (and " + std::to_string(report.findings.size() - 1) + " more)"
                            : ""));
  return report;
}

} // namespace

restore_report restore(const restore_options& options) {
  return damage_told([&] {
    const archive_files files{options.files};
    building_site site{options.directory};
    restore_report report;
    report.stored = build(files, site.path(), options.progress);
    verify_records(files, site.path());
    report.verified = verified(site.path(), options.progress);
    site.finish();
    return report;
  });
}

stored_figures check_backup(const std::vector<fs::path>& names, const run_progress& progress) {
  return damage_told([&] {
    const archive_files files{names};
    counted_progress counted{progress, "check", files.head()};
    std::vector<bool> seen(files.head() + 1); // head is no more than the events of the files
    files.for_each_chunk([&](const chunk_header& header, std::string_view bytes) {
      read_chunk(bytes, [&](recorded_event&& event) {
        if (event.at_position > files.head() || seen[event.at_position])
          throw journal_corrupt(chunk_place(header.shard, header.number) + " holds position " +
                                std::to_string(event.at_position) + " once more");
        seen[event.at_position] = true;
      });
      counted.add(header, bytes);
    });
    auto figures = counted.figures;
    files.for_each_record([&](const archive_record& record) { count_record(record, figures); });
    figures.file_bytes = files.bytes();
    figures.position = files.head();
    return figures;
  });
}

} // namespace purser
