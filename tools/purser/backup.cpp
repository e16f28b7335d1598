// `purser backup`, `restore` and `archive`: copies of a data directory, and its growth.
#include "runtime/backup.hpp"

#include "tools/purser/commands.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>

#include <iostream>

namespace purser::tools {

namespace {

struct output_options {
  bool json = false;
  bool quiet = false;
};

std::string count(std::uint64_t value) {
  return grouped(static_cast<std::int64_t>(value));
}

std::string mib(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// A progress bar for each stage of a run, and how long it has taken.
class staged_run {
public:
  explicit staged_run(bool quiet) : enabled_(!quiet), began_(std::chrono::steady_clock::now()) {}

  run_progress progress() {
    return [this](std::string_view stage, std::uint64_t done, std::uint64_t total) {
      if (!bar_ || stage != stage_) {
        stage_ = stage;
        bar_.reset(); // clears its line before the next draws one
        bar_ = std::make_unique<progress_bar>(stage_, total, enabled_);
      }
      bar_->show(done, count(done) + (total == 0 ? " chunks" : " events"));
    };
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

private:
  bool enabled_;
  std::chrono::steady_clock::time_point began_;
  std::string stage_;
  std::unique_ptr<progress_bar> bar_;
};

boost::json::object json_of(const stored_figures& stored) {
  return {{"chunks", stored.chunks},
          {"events", stored.events},
          {"position", stored.position},
          {"raw_bytes", stored.raw_bytes},
          {"file_bytes", stored.file_bytes}};
}

void add_rows(table& out, const stored_figures& stored) {
  out.row("chunks", count(stored.chunks));
  out.row("events", count(stored.events));
  out.row("position", count(stored.position));
  out.row("chunks' bytes", mib(stored.raw_bytes));
  out.row("in files", mib(stored.file_bytes));
}

/// Of a backup; `purser archive` moves chunks alone.
boost::json::object json_of_backup(const stored_figures& stored) {
  auto made = json_of(stored);
  made["dead_letters"] = stored.letters;
  made["quarantined"] = stored.quarantines;
  return made;
}

void add_backup_rows(table& out, const stored_figures& stored) {
  add_rows(out, stored);
  out.row("dead letters", count(stored.letters));
  out.row("quarantined", count(stored.quarantines));
}

void print(boost::json::object made, double seconds) {
  made["seconds"] = seconds;
  std::cout << boost::json::serialize(made) << '\n';
}

// -- backup ---------------------------------------------------------------------------------------

int back_up_directory(backup_options options, const output_options& output) {
  staged_run run{output.quiet};
  options.progress = run.progress();
  const auto report = back_up(options);
  if (output.json) {
    auto made = json_of_backup(report.stored);
    made["file"] = options.to.string();
    made["id"] = report.id;
    made["openings"] = report.openings;
    print(std::move(made), run.seconds());
    return exit_ok;
  }
  table out;
  out.heading("backup " + options.to.string());
  add_backup_rows(out, report.stored);
  out.row("id", report.id);
  out.row("seconds", decimal(run.seconds()));
  std::cout << out.text();
  return exit_ok;
}

// -- restore --------------------------------------------------------------------------------------

int check_files(const restore_options& options, const output_options& output) {
  staged_run run{output.quiet};
  const auto stored = check_backup(options.files, run.progress());
  if (output.json) {
    auto made = json_of_backup(stored);
    made["ok"] = true;
    print(std::move(made), run.seconds());
    return exit_ok;
  }
  table out;
  out.heading("check " + options.files.front().string());
  add_backup_rows(out, stored);
  out.row("seconds", decimal(run.seconds()));
  std::cout << out.text();
  return exit_ok;
}

int restore_directory(restore_options options, const output_options& output) {
  staged_run run{output.quiet};
  options.progress = run.progress();
  const auto report = restore(options);
  if (output.json) {
    auto made = json_of_backup(report.stored);
    made["data"] = options.directory.string();
    made["entities"] = report.verified.entities;
    made["invariants_checked"] = report.verified.sums.invariants.checked;
    print(std::move(made), run.seconds());
    return exit_ok;
  }
  table out;
  out.heading("restore " + options.directory.string());
  add_backup_rows(out, report.stored);
  out.row("entities", count(report.verified.entities));
  out.row("invariants checked", count(report.verified.sums.invariants.checked));
  out.row("seconds", decimal(run.seconds()));
  std::cout << out.text();
  return exit_ok;
}

int restore_or_check(const restore_options& options, bool check, const output_options& output) {
  if (!check && options.directory.empty()) {
    complain("restore needs --data DIR, the new directory, or --check");
    return exit_could_not;
  }
  try {
    return check ? check_files(options, output) : restore_directory(options, output);
  } catch (const backup_damaged& error) {
    complain(error.what());
    if (output.json)
      std::cout << boost::json::serialize(
                     boost::json::object{{"ok", false}, {"finding", error.what()}})
                << '\n';
    return exit_findings;
  }
}

// -- archive --------------------------------------------------------------------------------------

int archive_directory(archive_options options, const output_options& output) {
  staged_run run{output.quiet};
  options.progress = run.progress();
  const auto report = archive(options);
  for (const auto& name : report.strangers)
    complain((options.directory / "archive" / name).string() +
             " belongs to no journal here; it was left alone");
  if (output.json) {
    auto made = json_of(report.moved);
    made["files"] = boost::json::array(report.files.begin(), report.files.end());
    made["strangers"] = boost::json::array(report.strangers.begin(), report.strangers.end());
    made["journal_bytes_before"] = report.journal_bytes_before;
    made["journal_bytes_after"] = report.journal_bytes_after;
    print(std::move(made), run.seconds());
    return exit_ok;
  }
  table out;
  out.heading("archive " + options.directory.string());
  add_rows(out, report.moved);
  out.row("files made", count(report.files.size()));
  out.row("journal before", mib(report.journal_bytes_before));
  out.row("journal after", mib(report.journal_bytes_after));
  out.row("seconds", decimal(run.seconds()));
  std::cout << out.text();
  return exit_ok;
}

void add_output(CLI::App& sub, output_options& output) {
  sub.add_flag("--json", output.json, "print one JSON document");
  sub.add_flag("--quiet", output.quiet, "no progress");
}

} // namespace

void add_backup(CLI::App& app, chosen_action& chosen) {
  struct given {
    backup_options options;
    output_options output;
  };
  auto what = std::make_shared<given>();
  auto* sub =
    app.add_subcommand("backup", "Copy a data directory to a file, also while it is used");
  sub->add_option("--data", what->options.directory, "data directory")->required();
  sub->add_option("--to", what->options.to, "file to write")->required();
  sub->add_flag("--force", what->options.replace, "replace a file of that name");
  sub->add_flag("--without-archive", what->options.without_archive,
                "leave out what was archived: keep DIR/archive beside the file");
  add_output(*sub, what->output);
  sub->footer("Example:\n  purser backup --data /var/lib/shop --to /backup/shop-2026-02-01.pua\n"
              "Every command answered before it began is in it. Try it: purser restore FILE --data "
              "NEW.\nExit code: 0 written, 2 it could not be; nothing has the file's name then.");
  sub->callback([&chosen, what] {
    chosen = [what] { return back_up_directory(what->options, what->output); };
  });
}

void add_restore(CLI::App& app, chosen_action& chosen) {
  struct given {
    restore_options options;
    bool check = false;
    output_options output;
  };
  auto what = std::make_shared<given>();
  auto* sub = app.add_subcommand("restore", "Make a data directory of a backup, and verify it");
  sub
    ->add_option("FILES", what->options.files,
                 "a backup; after --without-archive also the files of its archive")
    ->required();
  auto* data = sub->add_option("--data", what->options.directory,
                               "directory to make; must not exist, or be empty");
  sub->add_flag("--check", what->check, "only read the files: checksums, numbers and positions")
    ->excludes(data);
  add_output(*sub, what->output);
  sub->footer("Example:\n  purser restore /backup/shop-2026-02-01.pua --data /var/lib/shop\n"
              "  purser restore --check /backup/shop-2026-02-01.pua\n"
              "  purser restore shop.pua archive/*.pua --data /var/lib/shop\n"
              "Exit code: 0 restored, 1 the backup is damaged, 2 it could not be run. Nothing is "
              "left behind then.");
  sub->callback([&chosen, what] {
    chosen = [what] { return restore_or_check(what->options, what->check, what->output); };
  });
}

void add_archive(CLI::App& app, chosen_action& chosen) {
  struct given {
    archive_options options;
    std::int64_t keep_days = 0;
    std::uint64_t keep_mib = 0;
    std::uint64_t file_mib = 256;
    output_options output;
  };
  auto what = std::make_shared<given>();
  auto* sub =
    app.add_subcommand("archive", "Move old chunks of a data directory to files, to keep it small");
  sub->add_option("--data", what->options.directory, "data directory; nobody may have it open")
    ->required();
  sub->add_option("--keep-days", what->keep_days, "what was committed since stays [0]")
    ->check(CLI::Range(0, 36'500));
  sub->add_option("--keep-mib", what->keep_mib, "of the newest chunks stay [0]")
    ->check(CLI::Range(0, 1 << 30));
  sub->add_option("--file-mib", what->file_mib, "about the size of a file [256]")
    ->check(CLI::Range(1, 1 << 20));
  add_output(*sub, what->output);
  sub->footer("Example:\n  purser archive --data /var/lib/shop --keep-days 90\n"
              "The files are in DIR/archive, which may be a link to another disk. Nothing may ever "
              "be removed from it.\nExit code: 0 done, also when nothing was old enough; 2 it "
              "could not be run.");
  sub->callback([&chosen, what] {
    chosen = [what] {
      what->options.keep_days = std::chrono::days{what->keep_days};
      what->options.keep_bytes = what->keep_mib << 20;
      what->options.file_bytes = what->file_mib << 20;
      return archive_directory(what->options, what->output);
    };
  });
}

} // namespace purser::tools
