#include "runtime/inspect.hpp"

#include "actors/codec.hpp"
#include "runtime/engine_errors.hpp"
#include "runtime/feed.hpp"
#include "runtime/fold.hpp"
#include "runtime/given_up_records.hpp"
#include "runtime/journal/archived_chunks.hpp"
#include "runtime/journal/marks.hpp"
#include "runtime/journal/rocks_store.hpp"

#include <unordered_map>

namespace purser {

namespace {

constexpr std::size_t findings_kept = 100;

using entity_images = std::unordered_map<entity_ref, entity_image, entity_ref_hash>;

/// Reads a journal from its first event, shard by shard.
class verifier {
public:
  verifier(group_commit_journal& journal, const std::function<void(std::uint64_t)>& progress)
      : journal_(journal), progress_(progress), seen_(journal.last() + 1) {}

  verify_report run() {
    for (std::uint16_t shard = 0; shard < journal_.shards(); ++shard)
      check_shard(shard);
    if (report_.events != journal_.last())
      find("the journal ends at position " + std::to_string(journal_.last()) + " and holds " +
           std::to_string(report_.events) + " events");
    report_.sums = audit(journal_);
    for (const auto& finding : report_.sums.findings)
      find(finding);
    return std::move(report_);
  }

private:
  void check_shard(std::uint16_t shard) {
    entity_images images;
    const auto last = journal_.disk().last_chunk(shard);
    bool whole = true; // else: what follows a gap cannot be compared
    for (std::uint64_t number = 1; number <= last; ++number)
      try {
        guarded(chunk_place(shard, number),
                [&] { check_chunk(shard, number, whole ? &images : nullptr); });
      } catch (const archive_unreadable& error) {
        find(error.what());
        number = error.up_to;
        whole = false;
      }
    if (!whole)
      return;
    report_.entities += images.size();
    for (const auto& [ref, image] : images)
      guarded(to_string(ref), [&, &ref = ref, &image = image] { compare(ref, image); });
  }

  void check_chunk(std::uint16_t shard, std::uint64_t number, entity_images* images) {
    const auto bytes = journal_.disk().chunk(shard, number);
    if (!bytes)
      throw journal_corrupt("it is missing");
    const auto header = read_header(*bytes);
    if (header.shard != shard || header.number != number)
      throw journal_corrupt("it is another chunk");
    ++report_.chunks;
    read_chunk(*bytes, [&](recorded_event&& event) {
      ++report_.events;
      check_position(event.at_position);
      if (images == nullptr)
        return;
      auto at = images->find(event.stream);
      if (at == images->end())
        at = images->emplace(event.stream, entity_image{event.stream}).first;
      at->second.evolve(event);
    });
    progress_(report_.events);
  }

  void check_position(position at) {
    if (at >= seen_.size() || seen_[at])
      throw journal_corrupt("position " + std::to_string(at) +
                            (at < seen_.size() ? " is there twice" : " is beyond the end"));
    seen_[at] = true;
  }

  /// What the snapshot and the tail tell is what all events tell.
  void compare(const entity_ref& ref, const entity_image& from_events) {
    const auto current = load_entity(journal_, ref);
    if (current.version() != from_events.version())
      find(to_string(ref) + ": its snapshot leads to version " + std::to_string(current.version()) +
           ", its events to version " + std::to_string(from_events.version()));
    else if (!current.same_state(from_events))
      find(to_string(ref) + ": its snapshot does not tell what its events tell");
  }

  template <class Check>
  void guarded(const std::string& where, Check check) {
    try {
      check();
    } catch (const archive_unreadable&) {
      throw; // many chunks at once
    } catch (const journal_corrupt& error) {
      find(where + " is corrupted: " + error.what());
    } catch (const codec::decode_error& error) {
      find(where + " holds an event that cannot be read: " + error.what());
    } catch (const broken_invariant& error) {
      find(where + " breaks an invariant: " + error.what());
    }
  }

  void find(const std::string& finding) {
    if (report_.findings.size() < findings_kept)
      report_.findings.push_back(finding);
  }

  group_commit_journal& journal_;
  const std::function<void(std::uint64_t)>& progress_;
  std::vector<bool> seen_; ///< positions
  verify_report report_;
};

class directory_inspector final : public inspector {
public:
  explicit directory_inspector(const std::filesystem::path& directory) {
    rocks_options how;
    how.read_only = true;
    auto disk = open_rocks_store(directory, how);
    journal_options options;
    options.shards = marks::shards_of(*disk);
    options.read_only = true;
    journal_ = std::make_unique<group_commit_journal>(std::move(disk), options);
  }

  entity_view show(const entity_ref& entity) override {
    return translated([&] {
      auto view = load_entity(*journal_, entity).view(business_now());
      if (auto* order = std::get_if<order_view>(&view)) {
        const auto payment =
          load_entity(*journal_, {entity_kind::payment, entity.key}).view(business_now());
        if (const auto* found = std::get_if<payment_view>(&payment))
          order->payment = *found;
      }
      return view;
    });
  }

  entity_view show_at(const entity_ref& entity, std::optional<std::uint64_t> version,
                      std::optional<unix_millis> time) override {
    return translated([&] {
      entity_image image{entity};
      unix_millis at = 0;
      journal_->history(entity, [&](recorded_event&& event) {
        if ((version && event.version > *version) || (time && event.event.at > *time))
          return;
        at = event.event.at;
        image.evolve(event);
      });
      return image.view(time.value_or(at));
    });
  }

  void for_each(const std::function<void(const entity_view&)>& visit) override {
    translated([&] {
      const auto now = business_now();
      for_each_entity(*journal_, [&](const entity_image& image) { visit(image.view(now)); });
    });
  }

  void history(const entity_ref& entity,
               const std::function<void(const event_notice&)>& visit) override {
    translated(
      [&] { journal_->history(entity, [&](recorded_event&& event) { visit(notice_of(event)); }); });
  }

  void export_events(const std::function<bool(const event_notice&)>& visit) override {
    translated([&] {
      journal_scan scan{*journal_};
      recorded_event event;
      while (scan.next(event) && visit(notice_of(event))) {
      }
    });
  }

  std::uint64_t last_position() override { return journal_->last(); }

  verify_report verify(const std::function<void(std::uint64_t)>& progress) override {
    return translated([&] { return verifier{*journal_, progress}.run(); });
  }

  std::vector<dead_letter> dead_letters() override {
    return translated([&] { return given_up::letters(journal_->disk()); });
  }

  std::vector<quarantined_entity> quarantines() override {
    return translated([&] { return given_up::quarantines(journal_->disk()); });
  }

private:
  /// The business time of the newest event: holds that lapsed before it are free.
  unix_millis business_now() {
    unix_millis newest = 0;
    for (std::uint16_t shard = 0; shard < journal_->shards(); ++shard)
      if (const auto last = journal_->disk().last_chunk(shard))
        read_chunk(journal_->disk().chunk(shard, last).value(),
                   [&](recorded_event&& event) { newest = std::max(newest, event.event.at); });
    return newest;
  }

  std::unique_ptr<group_commit_journal> journal_;
};

} // namespace

std::unique_ptr<inspector> inspector::open(const std::filesystem::path& directory) {
  return translated([&]() -> std::unique_ptr<inspector> {
    return std::make_unique<directory_inspector>(directory);
  });
}

} // namespace purser
