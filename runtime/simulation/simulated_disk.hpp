// The journal of a simulated node: a disk that outlives its processes, and for each of them a
// journal that behaves like the group commit of the product, but for threads: `sync` is called by
// the schedule.
#pragma once

#include "actors/ports/journal.hpp"
#include "runtime/simulation/dice.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace purser::simulation {

/// What is written, the newest of it perhaps not synced yet.
struct simulated_disk {
  std::vector<recorded_event> events;                                    ///< by position
  std::map<entity_ref, std::vector<position>> places;                    ///< of a stream's events
  std::map<entity_ref, std::pair<std::uint64_t, std::string>> snapshots; ///< version and bytes
  std::vector<position> appends; ///< where each append after `durable` ended
  position durable = 0;
  std::uint64_t writes = 0; ///< appends and syncs so far, to count them

  position last() const { return events.size(); }
  void place(const entity_ref& stream, const event_record& event);
  /// Forgets everything after a position.
  void cut(position after);
};

/// The process is over: nothing more may happen in it.
struct process_killed : journal_stopped {
  using journal_stopped::journal_stopped;
};

/// What to do about a write. The two numbers count all writes of a run.
enum class write_fate : std::uint8_t {
  done,
  killed_before, ///< nothing of it is on the disk
  killed_after,  ///< all of it is, synced
  killed_within, ///< what was not synced is there in part
  fails,         ///< an error is returned, and nothing is known of it
};

class simulated_journal final : public journal {
public:
  struct hooks {
    std::function<write_fate(bool sync)> fate;    ///< asked before every write
    std::function<bool(const entity_ref&)> fails; ///< whether a stream cannot be read now
    std::function<void(const std::string& why)> on_failure;
  };

  simulated_journal(simulated_disk& disk, dice& chance, hooks faults)
      : disk_(disk), chance_(chance), faults_(std::move(faults)) {}

  position append(const entity_ref& stream, std::uint64_t expected_version,
                  std::span<const event_record> events, stream_place& place) override;
  position last() const override { return disk_.last(); }
  position durable() const override { return disk_.durable; }
  void when_durable(task output) override;
  void load(const entity_ref& stream, load_callback callback) override;
  void find_command(const entity_ref& stream, const std::string& key,
                    outcome_callback callback) override;

  /// Makes durable what is appended, and lets out what waited for it.
  void sync();
  bool has_to_sync() const { return !over_ && disk_.durable < disk_.last(); }

  /// One answer of the disk to a question.
  void read();
  bool has_to_read() const { return !over_ && !reads_.empty(); }

  /// A snapshot of a stream that is durable, if it has one.
  void take_snapshot(const entity_ref& stream);

  /// The process ends here: outputs and answers are lost, and what is not synced is lost too, or
  /// but for a part (`torn`).
  void kill(bool torn);
  /// The journal gives up, as on an error of the disk.
  void fail(const std::string& why);
  bool killed() const { return killed_; }
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

private:
  struct output {
    position after = 0;
    task run;
  };

  void check_fate(bool sync);
  void answer(task what);

  simulated_disk& disk_;
  dice& chance_;
  hooks faults_;
  std::deque<output> outputs_;
  std::deque<task> reads_;
  bool over_ = false; ///< killed or failed
  bool killed_ = false;
  std::string failure_;
};

} // namespace purser::simulation
