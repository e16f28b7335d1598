#include "actors/router.hpp"

#include "actors/wake.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>

namespace purser {

void shard_inbox::attach(caf::actor shard) {
  const std::lock_guard lock{mutex_};
  shard_ = std::move(shard);
  woken_ = true;
  wake(shard_);
}

void shard_inbox::detach() {
  const std::lock_guard lock{mutex_};
  shard_ = nullptr;
}

void shard_inbox::push(envelope_ptr message) {
  caf::actor entity;
  {
    const std::lock_guard lock{mutex_};
    ++messages_;
    const auto found = message->release ? open_.end() : open_.find(message->to);
    if (found == open_.end()) {
      waiting_.push_back(std::move(message));
      if (!std::exchange(woken_, true))
        wake(shard_);
      return;
    }
    by_use_.splice(by_use_.begin(), by_use_, found->use);
    if (found->cell->box.push(std::move(message)))
      entity = found->handle;
  }
  if (entity)
    purser::wake(entity);
}

bool shard_inbox::open(const std::vector<entity_cell_ptr>& cells) {
  const std::lock_guard lock{mutex_};
  if (!waiting_.empty())
    return false; // R1
  for (const auto& cell : cells) {
    const auto made = open_.insert({cell, cell->handle}).first;
    made->use = by_use_.insert(by_use_.begin(), &*made);
  }
  return true;
}

void shard_inbox::close(const entity_cell& cell) {
  const std::lock_guard lock{mutex_};
  const auto found = open_.find(cell.ref);
  if (found == open_.end())
    return;
  by_use_.erase(found->use);
  open_.erase(found);
}

void shard_inbox::close_all() {
  const std::lock_guard lock{mutex_};
  by_use_.clear();
  open_.clear();
}

std::vector<entity_cell_ptr> shard_inbox::newest(std::size_t most) const {
  std::vector<entity_cell_ptr> found;
  const std::lock_guard lock{mutex_};
  for (const auto* each : by_use_) {
    if (found.size() == most)
      break;
    found.push_back(each->cell);
  }
  return found;
}

std::vector<caf::actor> shard_inbox::oldest(std::size_t most) {
  std::vector<caf::actor> found;
  const std::lock_guard lock{mutex_};
  most = std::min(most, by_use_.size());
  for (std::size_t i = 0; i < most; ++i) {
    found.push_back(by_use_.back()->handle);
    by_use_.splice(by_use_.begin(), by_use_, std::prev(by_use_.end()));
  }
  return found;
}

std::uint64_t shard_inbox::messages() const {
  const std::lock_guard lock{mutex_};
  return messages_;
}

caf::actor shard_inbox::shard() {
  const std::lock_guard lock{mutex_};
  return shard_;
}

std::size_t shard_inbox::waiting() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size();
}

envelope_queue shard_inbox::take() {
  const std::lock_guard lock{mutex_};
  woken_ = false;
  return std::move(waiting_);
}

void shard_inbox::leave(entity_cell_ptr cell) {
  const std::lock_guard lock{mutex_};
  left_.push_back(std::move(cell));
  if (!std::exchange(woken_, true))
    wake(shard_);
}

std::vector<entity_cell_ptr> shard_inbox::take_left() {
  const std::lock_guard lock{mutex_};
  return std::exchange(left_, {});
}

void shard_inbox::wake(const caf::actor& shard) {
  if (shard)
    purser::wake(shard);
}

router::router(std::uint16_t shards) {
  inboxes_.reserve(shards);
  for (std::uint16_t i = 0; i < shards; ++i)
    inboxes_.push_back(std::make_unique<shard_inbox>());
}

void router::send(envelope_ptr message) {
  message->token = token();
  const auto shard = shard_of(message->to, shards());
  inboxes_[shard]->push(std::move(message));
}

} // namespace purser
