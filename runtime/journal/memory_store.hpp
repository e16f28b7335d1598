// A store without a disk: for engines without a data directory, and for tests, which can make it
// forget what was not synced and fail at a chosen call.
#pragma once

#include "runtime/journal/store.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace purser {

class memory_store final : public store {
public:
  void write(const store_batch& batch) override;
  void sync() override;
  void sync(position) override { sync(); }
  std::optional<std::string> chunk(std::uint16_t shard, std::uint64_t number) override;
  std::uint64_t last_chunk(std::uint16_t shard) override;
  void write_snapshots(std::span<const snapshot_list* const> parts) override;
  std::optional<std::string> snapshot(const entity_ref& stream) override;
  void
  for_each_snapshot(const std::function<void(const entity_ref&, std::string_view)>& visit) override;
  std::optional<std::string> mark(std::string_view key) override;
  void for_each_mark(std::string_view prefix,
                     const std::function<void(std::string_view, std::string_view)>& visit) override;
  void
  for_each_mark_from(std::string_view prefix, std::string_view first,
                     const std::function<bool(std::string_view, std::string_view)>& visit) override;
  std::unique_ptr<store> moment() override;
  void write_index(const index_batch& batch) override;
  std::uint64_t index_covered(std::uint16_t shard) override;
  std::uint64_t index_rebuilt(std::uint16_t shard) override;
  std::vector<std::uint64_t> postings(const entity_ref& stream) override;
  std::optional<command_outcome> outcome(const entity_ref& stream, std::string_view key) override;
  std::uint64_t disk_bytes() override { return 0; }

  // -- For tests ----------------------------------------------------------------------------------

  /// A power cut: goes back to what was last synced, and then to the batches since that `survives`
  /// says, by their order of writing: 0, 1, 2... Only with `keep_synced`.
  using chosen_batches = std::function<bool(std::size_t)>;
  void forget_unsynced(const chosen_batches& survives = [](std::size_t) { return false; });

  /// Written since the last sync. Only with `keep_synced`.
  std::size_t unsynced() const noexcept { return unsynced_.size(); }

  /// The n-th write or sync from now on (1 is the next) throws store_error(`why`), and all later
  /// ones.
  void fail_after(int calls, std::string why);

  /// A store that can `forget_unsynced`; it keeps everything twice.
  static std::unique_ptr<memory_store> with_synced_copy();

  /// As if the index had been lost.
  void forget_index();

  /// Runs before every sync: a gate for tests.
  std::function<void()> before_sync;

  std::uint64_t writes() const noexcept { return writes_; }

private:
  struct contents {
    std::map<std::pair<std::uint16_t, std::uint64_t>, std::string> chunks;
    std::unordered_map<entity_ref, std::string, entity_ref_hash> snapshots;
    std::map<std::string, std::string, std::less<>> marks;
  };

  struct owned_batch {
    store_batch batch;
    std::deque<std::string> bytes; ///< of its chunks
  };

  void count_call();
  static void apply(const store_batch& batch, contents& to);

  std::recursive_mutex mutex_; // a visitor may read on
  contents now_;
  contents synced_;
  std::vector<owned_batch> unsynced_;
  bool keep_synced_ = false;
  std::map<std::string, std::map<std::uint64_t, std::vector<std::uint64_t>>> postings_;
  std::map<std::string, command_outcome, std::less<>> ids_;
  std::map<std::uint16_t, std::uint64_t> covered_;
  std::map<std::uint16_t, std::uint64_t> rebuilt_;
  int calls_until_failure_ = -1;
  std::string failure_;
  std::uint64_t writes_ = 0;
};

} // namespace purser
