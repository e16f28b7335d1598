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
  caf::actor shell;
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
      shell = find_shell(found->cell);
  }
  if (shell)
    purser::wake(shell);
}

// -- Shells ---------------------------------------------------------------------------------------

/// With the lock. @returns whom to wake; may be null.
caf::actor shard_inbox::find_shell(const entity_cell_ptr& cell) {
  if (idle_.empty()) {
    ready_.push_back(cell);
    return nullptr;
  }
  const auto shell = std::move(idle_.back());
  idle_.pop_back();
  shell->serving = cell;
  return shell->handle;
}

void shard_inbox::run(const entity_cell_ptr& cell) {
  caf::actor shell;
  {
    const std::lock_guard lock{mutex_};
    shell = find_shell(cell);
  }
  if (shell)
    purser::wake(shell);
}

void shard_inbox::add(const entity_shell_ptr& shell) {
  if (next_for(shell))
    purser::wake(shell->handle);
}

entity_cell_ptr shard_inbox::remove(const entity_shell_ptr& shell) {
  const std::lock_guard lock{mutex_};
  std::erase(idle_, shell);
  return std::exchange(shell->serving, nullptr);
}

entity_cell_ptr shard_inbox::served_by(const entity_shell& shell) {
  const std::lock_guard lock{mutex_};
  return shell.serving;
}

entity_cell_ptr shard_inbox::next_for(const entity_shell_ptr& shell) {
  const std::lock_guard lock{mutex_};
  shell->serving = nullptr;
  if (ready_.empty()) {
    idle_.push_back(shell);
    return nullptr;
  }
  shell->serving = std::move(ready_.front());
  ready_.pop_front();
  return shell->serving;
}

entity_cell_ptr shard_inbox::others_first(const entity_shell_ptr& shell) {
  const std::lock_guard lock{mutex_};
  if (!ready_.empty()) {
    ready_.push_back(std::exchange(shell->serving, std::move(ready_.front())));
    ready_.pop_front();
  }
  return shell->serving;
}

// -- The shard ------------------------------------------------------------------------------------

bool shard_inbox::open(const std::vector<entity_cell_ptr>& cells) {
  const std::lock_guard lock{mutex_};
  if (!waiting_.empty())
    return false; // R1
  for (const auto& cell : cells) {
    const auto made = open_.insert({cell}).first;
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
  ready_.clear();
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

std::vector<entity_cell_ptr> shard_inbox::oldest(std::size_t most) {
  std::vector<entity_cell_ptr> found;
  const std::lock_guard lock{mutex_};
  most = std::min(most, by_use_.size());
  for (std::size_t i = 0; i < most; ++i) {
    found.push_back(by_use_.back()->cell);
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
