// Archive: old chunks leave RocksDB for files.
//
// A1 A chunk leaves only when its shard's snapshots cover it, and never a shard's last one.
// A2 A file is whole, synced, under its name and read back before a chunk of it is deleted.
// A3 One batch deletes the chunks of a file and says which file holds them now: a crash leaves them
//    in RocksDB, where the file is a stranger, or in the file.
// A4 A stranger is removed only when this journal holds every byte of it; its number is not reused
//    otherwise.
#include "runtime/backup.hpp"
#include "runtime/engine_errors.hpp"
#include "runtime/fold.hpp"
#include "runtime/journal/archive_writer.hpp"
#include "runtime/journal/archived_chunks.hpp"
#include "runtime/journal/durable_mark.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_store.hpp"
#include "runtime/system_ports.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>

namespace purser {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".pua";
constexpr std::uint64_t chunks_between_reports = 256;

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator{folder})
    sum += entry.is_regular_file() ? entry.file_size() : 0;
  return sum;
}

std::string file_name(std::uint64_t number) {
  return fmt::format("{:06}{}", number, suffix);
}

/// 0: that is no name of an archive file.
std::uint64_t number_of(const fs::path& name) {
  const auto stem = name.stem().string();
  return name.extension() == suffix && !stem.empty() &&
             std::ranges::all_of(stem, [](char c) { return c >= '0' && c <= '9'; })
           ? std::strtoull(stem.c_str(), nullptr, 10)
           : 0;
}

class mover {
public:
  mover(group_commit_journal& journal, const archive_options& options, archive_report& report)
      : journal_(journal), disk_(journal.disk()), options_(options), report_(report),
        folder_(options.directory / "archive"),
        keep_since_(options.keep_days.count() > 0
                      ? system_clock{}.now() - std::chrono::milliseconds{options.keep_days}.count()
                      : INT64_MAX) {}

  void run() {
    run_checkpoints(journal_);
    look_at_folder();
    for (std::uint16_t shard = 0; shard < journal_.shards(); ++shard)
      move_shard(shard);
    finish_file();
    disk_.reclaim();
    step("space");
  }

private:
  void step(std::string_view name) const {
    if (options_.at_step)
      options_.at_step(name);
  }

  /// A4: what is in the folder and in no mark, and the next number that is free.
  void look_at_folder() {
    std::vector<std::string> known;
    disk_.for_each_mark(marks::archive, [&](std::string_view name, std::string_view) {
      known.emplace_back(name);
      next_ = std::max(next_, number_of(fs::path{name}) + 1);
    });
    if (!fs::is_directory(folder_))
      return;
    for (const auto& entry : fs::directory_iterator{folder_}) {
      const auto name = entry.path().filename().string();
      if (number_of(name) == 0 || std::ranges::find(known, name) != known.end())
        continue;
      if (is_ours(entry.path())) {
        fs::remove(entry.path());
        continue;
      }
      report_.strangers.push_back(name);
      next_ = std::max(next_, number_of(name) + 1);
    }
  }

  /// Whether this journal holds every chunk of the file, byte for byte.
  bool is_ours(const fs::path& path) {
    try {
      const archive_reader file{path};
      for (const auto& place : file.blocks()) {
        const auto block = file.read(place);
        for (auto number = place.first; number <= place.last_chunk(); ++number)
          if (disk_.chunk(place.shard, number) != block->chunk(number))
            return false;
      }
      return true;
    } catch (const std::runtime_error&) { // damaged, or it cannot be read: not ours to judge
      return false;
    }
  }

  /// The last chunk of a shard that may leave for its age and size (A1).
  std::uint64_t last_to_move(std::uint16_t shard) {
    const auto newest = disk_.last_chunk(shard);
    auto last = std::min(journal_.checkpoint(shard), newest == 0 ? 0 : newest - 1);
    const auto share = options_.keep_bytes / journal_.shards();
    std::uint64_t kept = 0;
    for (auto number = newest; number > disk_.archived(shard).last && kept < share; --number) {
      kept += disk_.chunk(shard, number).value_or("").size();
      last = std::min(last, number - 1);
    }
    return last;
  }

  void move_shard(std::uint16_t shard) {
    const auto last = last_to_move(shard);
    for (auto number = disk_.archived(shard).last + 1; number <= last; ++number) {
      const auto bytes = disk_.chunk(shard, number);
      if (!bytes)
        throw journal_corrupt(chunk_place(shard, number) + " is missing");
      const auto header = checked_header(*bytes, shard, number);
      if (header.committed_at >= keep_since_)
        return;
      if (!file_)
        begin_file();
      file_->add(header, *bytes);
      if (options_.progress && ++seen_ % chunks_between_reports == 0)
        options_.progress("archive", seen_, 0);
      if (file_->size() >= options_.file_bytes)
        finish_file();
    }
  }

  void begin_file() {
    fs::create_directories(folder_);
    sync_directory(options_.directory);
    const archive_header header{archive_kind::stretch, journal_.shards(), journal_.durable(),
                                system_clock{}.now()};
    name_ = file_name(next_++);
    file_ = std::make_unique<archive_writer>(folder_ / name_, header);
  }

  /// A2, A3.
  void finish_file() {
    if (!file_)
      return;
    const auto made = file_->finish();
    file_.reset();
    if (!is_ours(folder_ / name_))
      throw store_error((folder_ / name_).string() +
                        " does not hold what was written to it; nothing was deleted");
    step("file");
    store_batch batch;
    batch.marks.emplace_back(std::string{marks::archive} + name_,
                             encode(archived_file{name_, made.id, made.bytes, made.ranges}));
    marks::raise_format(disk_, batch, marks::archived_format);
    batch.moved = made.ranges;
    disk_.sync(); // the checkpoint that covers them comes first
    disk_.write(batch);
    disk_.sync(journal_.durable());
    step("marks");
    report_.files.push_back(name_);
    report_.moved.chunks += made.chunks;
    report_.moved.events += made.events;
    report_.moved.raw_bytes += made.raw_bytes;
    report_.moved.file_bytes += made.bytes;
  }

  group_commit_journal& journal_;
  store& disk_;
  const archive_options& options_;
  archive_report& report_;
  fs::path folder_;
  std::int64_t keep_since_;
  std::uint64_t next_ = 1;
  std::uint64_t seen_ = 0;
  std::string name_;
  std::unique_ptr<archive_writer> file_;
};

} // namespace

archive_report archive(const archive_options& options) {
  return translated([&] {
    try {
      const auto inside = options.directory / "journal";
      if (!fs::is_directory(inside))
        throw store_error(options.directory.string() + " holds no journal");
      archive_report report;
      report.journal_bytes_before = bytes_in(inside);
      {
        auto disk = open_rocks_store(options.directory);
        journal_options how;
        how.shards = marks::shards_of(*disk);
        group_commit_journal journal{std::move(disk), how};
        report.moved.position = journal.durable();
        mover{journal, options, report}.run();
      }
      report.journal_bytes_after = bytes_in(inside);
      return report;
    } catch (const fs::filesystem_error& error) {
      throw store_error(error.what());
    }
  });
}

} // namespace purser
