// Backup of a live directory.
//
// B1 A view is one moment: RocksDB opened for reading, with every file of it held open.
// B2 The durable position is read before the view is opened, and the view must reach it.
// B3 A view is checked before it counts: its chunks must be dense in every shard, and hold as many
//    events as its head says. What RocksDB removed between two looks of an opening shows here.
// B4 A view that does not hold is given up for a new one; the same complaint twice is damage.
// B5 Dead letters and quarantines are those of the view, copied as they are, readable or not. A
// view
//    without any makes a file that programs of before can read.
#include "runtime/backup.hpp"

#include "runtime/engine_errors.hpp"
#include "runtime/journal/archive_writer.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_store.hpp"
#include "runtime/system_ports.hpp"

#include <spdlog/fmt/fmt.h>

#include <set>

namespace purser {

namespace fs = std::filesystem;

namespace {

/// Openings of a directory whose files change meanwhile, before its error is believed.
constexpr int most_openings = 50;

/// The same complaint this often in a row is no matter of chance: a file that went away has another
/// name each time.
constexpr int same_complaints = 2;

/// Whole copies that are begun, before what is wrong is told.
constexpr int most_views = 5;

/// Progress is told once in so many chunks.
constexpr std::uint64_t chunks_between_reports = 256;

std::set<fs::path> logs_of(const fs::path& directory) {
  std::set<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at{directory / "journal", error}, end; !error && at != end;
       at.increment(error))
    if (at->path().extension() == ".log")
      found.insert(at->path().filename());
  return found;
}

/// Opens a view. A log that went away during the opening may have been needed: then again (B3 would
/// find out, but only at the end of a long copy).
std::unique_ptr<store> open_view(const fs::path& directory, std::uint32_t& openings) {
  rocks_options how;
  how.read_only = true;
  how.live = true;
  std::string complaint;
  int repeated = 0;
  for (int attempt = 1;; ++attempt) {
    ++openings;
    try {
      const auto before = logs_of(directory);
      auto view = open_rocks_store(directory, how);
      const auto after = logs_of(directory);
      if (std::ranges::includes(after, before) || attempt >= most_openings)
        return view;
    } catch (const std::runtime_error& error) { // store_error, journal_corrupt
      repeated = error.what() == complaint ? repeated + 1 : 0;
      if (attempt >= most_openings || repeated >= same_complaints)
        throw;
      complaint = error.what();
    }
  }
}

class copier {
public:
  copier(store& view, const backup_options& options)
      : view_(view), options_(options), shards_(marks::shards_of(view)) {
    if (const auto head = view.mark(marks::head))
      head_ = marks::decode_number(*head, marks::head);
  }

  /// Throws journal_corrupt when the view is not one moment (B3).
  backup_report copy(archive_writer& to) {
    for (std::uint16_t shard = 0; shard < shards_; ++shard)
      copy_shard(shard, to);
    if (events_ != head_)
      throw journal_corrupt("the journal ends at position " + std::to_string(head_) +
                            " and holds " + std::to_string(events_) + " events");
    backup_report report;
    report.stored.letters = copy_records(marks::letter, to);
    report.stored.quarantines = copy_records(marks::quarantine, to);
    const auto made = to.finish();
    report.stored.chunks = made.chunks;
    report.stored.events = made.events;
    report.stored.raw_bytes = made.raw_bytes;
    report.stored.file_bytes = made.bytes;
    report.stored.position = head_;
    report.id = fmt::format("{:016x}", made.id);
    return report;
  }

  archive_header header() const {
    return {archive_kind::backup, shards_, head_, system_clock{}.now(), has_records()};
  }

private:
  bool has_records() const {
    bool found = false;
    for (const auto prefix : marks::kept_in_backups)
      view_.for_each_mark_from(prefix, {}, [&](std::string_view, std::string_view) {
        found = true;
        return false;
      });
    return found;
  }

  /// B5. @returns how many there are.
  std::uint64_t copy_records(std::string_view prefix, archive_writer& to) {
    std::uint64_t records = 0;
    view_.for_each_mark(prefix, [&](std::string_view rest, std::string_view value) {
      to.add({std::string{prefix} + std::string{rest}, std::string{value}});
      ++records;
    });
    return records;
  }

  void copy_shard(std::uint16_t shard, archive_writer& to) {
    const auto last = view_.last_chunk(shard);
    const auto left_out = options_.without_archive ? view_.archived(shard) : chunk_range{};
    position before = 0;
    events_ += left_out.events;
    view_.for_each_chunk(shard, left_out.last, last,
                         [&](std::uint64_t number, std::string_view bytes) {
                           const auto header = checked_header(bytes, shard, number);
                           if (header.first <= before || header.last > head_)
                             throw journal_corrupt(chunk_place(shard, number) + " is out of order");
                           before = header.last;
                           events_ += header.count;
                           to.add(header, bytes);
                           if (options_.progress && ++chunks_ % chunks_between_reports == 0)
                             options_.progress("backup", events_, head_);
                         });
  }

  store& view_;
  const backup_options& options_;
  std::uint16_t shards_;
  position head_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t chunks_ = 0;
};

backup_report copy_once(const backup_options& options, std::uint32_t& openings) {
  const auto view = open_view(options.directory, openings);
  copier copies{*view, options};
  archive_write_options how;
  how.replace = options.replace;
  archive_writer to{options.to, copies.header(), how};
  return copies.copy(to);
}

} // namespace

backup_report back_up(const backup_options& options) {
  return translated([&] {
    std::string complaint;
    std::uint32_t openings = 0;
    for (int views = 1;; ++views) {
      try {
        auto report = copy_once(options, openings);
        report.openings = openings;
        return report;
      } catch (const journal_corrupt& error) {
        if (views >= most_views || error.what() == complaint)
          throw;
        complaint = error.what();
      }
    }
  });
}

} // namespace purser
