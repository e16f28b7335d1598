#include "actors/router.hpp"

#include "actors/wake.hpp"

#include <algorithm>
#include <utility>

namespace purser {

void shard_inbox::attach(caf::actor shard) {
  {
    const std::lock_guard lock{mutex_};
    shard_ = shard;
    woken_ = true;
  }
  wake(shard);
}

void shard_inbox::detach() {
  const std::lock_guard lock{mutex_};
  shard_ = nullptr;
}

void shard_inbox::push(std::uint64_t hash, envelope_ptr message) {
  caf::actor wanted;
  {
    const std::lock_guard lock{mutex_};
    ++messages_;
    auto* found = message->release ? nullptr : cells_.find(hash, message->to);
    if (found == nullptr || !found->open) {
      waiting_.push_back(std::move(message));
      if (!std::exchange(woken_, true))
        wanted = shard_;
    } else {
      cells_.use(*found);
      if (found->box.push(std::move(message)))
        wanted = find_shell(found->shared_from_this());
    }
  }
  wake(wanted); // without the lock: who is woken needs it at once, and waking takes its time
}

// -- Shells ---------------------------------------------------------------------------------------

/// With the lock. @returns whom to wake; may be null.
caf::actor shard_inbox::find_shell(entity_cell_ptr cell) {
  if (idle_.empty()) {
    ready_.push_back(std::move(cell));
    return nullptr;
  }
  const auto shell = std::move(idle_.back());
  idle_.pop_back();
  shell->serving = std::move(cell);
  return shell->handle;
}

void shard_inbox::run(const entity_cell_ptr& cell) {
  caf::actor shell;
  {
    const std::lock_guard lock{mutex_};
    shell = find_shell(cell);
  }
  wake(shell);
}

void shard_inbox::add(const entity_shell_ptr& shell) {
  if (next_for(shell))
    purser::wake(shell->handle);
}

entity_cell_ptr shard_inbox::remove(const entity_shell_ptr& shell) {
  retire(shell); // else shell and actor keep each other
  const std::lock_guard lock{mutex_};
  return std::exchange(shell->serving, nullptr);
}

caf::actor shard_inbox::retire(const entity_shell_ptr& shell) {
  const std::lock_guard lock{mutex_};
  std::erase(idle_, shell);
  return std::exchange(shell->handle, nullptr);
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

void shard_inbox::others_first(const entity_shell_ptr& shell) {
  const std::lock_guard lock{mutex_};
  if (ready_.empty())
    return;
  ready_.push_back(std::exchange(shell->serving, std::move(ready_.front())));
  ready_.pop_front();
}

// -- The shard ------------------------------------------------------------------------------------

bool shard_inbox::open(const std::vector<entity_cell_ptr>& cells) {
  const std::lock_guard lock{mutex_};
  if (!waiting_.empty())
    return false; // R1
  for (const auto& cell : cells)
    cells_.open(*cell);
  return true;
}

void shard_inbox::close(entity_cell& cell) {
  const std::lock_guard lock{mutex_};
  cells_.close(cell);
}

entity_cell_ptr shard_inbox::find(const entity_ref& ref) const {
  const std::lock_guard lock{mutex_};
  auto* found = cells_.find(ref);
  return found == nullptr ? nullptr : found->shared_from_this();
}

entity_cell_ptr shard_inbox::find_or_add(const entity_ref& ref) {
  const std::lock_guard lock{mutex_};
  if (auto* found = cells_.find(ref))
    return found->shared_from_this();
  auto made = std::make_shared<entity_cell>(ref);
  cells_.add(made);
  return made;
}

void shard_inbox::forget(const entity_cell& cell) {
  const std::lock_guard lock{mutex_};
  cells_.remove(cell);
}

std::vector<entity_cell_ptr> shard_inbox::all() const {
  const std::lock_guard lock{mutex_};
  return cells_.all();
}

void shard_inbox::close_all() {
  const std::lock_guard lock{mutex_};
  for (auto* cell : cells_.newest(cells_.open_ones()))
    cells_.close(*cell);
  ready_.clear();
}

std::vector<entity_cell_ptr> shard_inbox::newest(std::size_t most) const {
  std::vector<entity_cell_ptr> found;
  const std::lock_guard lock{mutex_};
  for (auto* each : cells_.newest(most))
    found.push_back(each->shared_from_this());
  return found;
}

std::vector<entity_cell_ptr> shard_inbox::next_to_leave(std::size_t most,
                                                        cell_table::leaving first) {
  std::vector<entity_cell_ptr> found;
  const std::lock_guard lock{mutex_};
  for (auto* each : cells_.next_to_leave(most, first))
    found.push_back(each->shared_from_this());
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

void shard_inbox::wake(const caf::actor& whom) {
  if (whom)
    purser::wake(whom);
}

router::router(std::uint16_t shards) {
  inboxes_.reserve(shards);
  for (std::uint16_t i = 0; i < shards; ++i)
    inboxes_.push_back(std::make_unique<shard_inbox>());
}

void router::send(envelope_ptr message) {
  message->token = token();
  const auto hash = stable_hash(message->to);
  inboxes_[hash % inboxes_.size()]->push(hash, std::move(message));
}

} // namespace purser
