#include "runtime/supervision_log.hpp"

#include <algorithm>

namespace purser {

supervision_notice supervision_log::note(supervision_notice notice) {
  const std::lock_guard lock{mutex_};
  notice.number = ++last_;
  auto& actor = actors_[notice.path];
  actor.newest = notice.number;
  if (notice.what == "child_restarted")
    ++actor.restarts;
  if (!notice.cause.empty())
    actor.last_cause = notice.cause;
  actor.quarantined = notice.what == "entity_quarantined";
  notices_.push_back(notice);
  if (notices_.size() > most_notices)
    notices_.pop_front();
  if (actors_.size() > most_actors)
    forget_some();
  return notice;
}

/// The older half, so that it happens seldom.
void supervision_log::forget_some() {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(actors_.size());
  for (const auto& [path, actor] : actors_)
    numbers.push_back(actor.quarantined ? last_ : actor.newest);
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  const auto oldest = *middle;
  std::erase_if(actors_, [oldest](const auto& entry) {
    return !entry.second.quarantined && entry.second.newest < oldest;
  });
}

std::vector<supervision_notice> supervision_log::after(std::uint64_t number) const {
  const std::lock_guard lock{mutex_};
  const auto first =
    std::partition_point(notices_.begin(), notices_.end(),
                         [number](const auto& notice) { return notice.number <= number; });
  return {first, notices_.end()};
}

std::optional<supervision_log::record> supervision_log::of(const std::string& path) const {
  const std::lock_guard lock{mutex_};
  const auto found = actors_.find(path);
  return found == actors_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::string> supervision_log::newest_paths(std::size_t most) const {
  std::vector<std::string> made;
  const std::lock_guard lock{mutex_};
  for (auto at = notices_.rbegin(); at != notices_.rend() && made.size() < most; ++at)
    if (std::ranges::find(made, at->path) == made.end())
      made.push_back(at->path);
  return made;
}

std::vector<std::pair<std::string, std::string>> supervision_log::quarantined() const {
  std::vector<std::pair<std::string, std::string>> made;
  const std::lock_guard lock{mutex_};
  for (const auto& [path, actor] : actors_)
    if (actor.quarantined)
      made.emplace_back(path, actor.last_cause);
  std::ranges::sort(made);
  return made;
}

} // namespace purser
