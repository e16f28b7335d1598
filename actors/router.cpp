#include "actors/router.hpp"

#include "actors/wake.hpp"

#include <caf/send.hpp>

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

void shard_inbox::push(envelope message) {
  const std::lock_guard lock{mutex_};
  waiting_.push_back(std::move(message));
  if (!std::exchange(woken_, true))
    wake(shard_);
}

caf::actor shard_inbox::shard() {
  const std::lock_guard lock{mutex_};
  return shard_;
}

std::size_t shard_inbox::waiting() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size();
}

std::vector<envelope> shard_inbox::take() {
  const std::lock_guard lock{mutex_};
  woken_ = false;
  return std::exchange(waiting_, {});
}

void shard_inbox::wake(const caf::actor& shard) {
  if (shard)
    caf::anon_send(shard, wake_atom::value);
}

router::router(std::uint16_t shards) {
  inboxes_.reserve(shards);
  for (std::uint16_t i = 0; i < shards; ++i)
    inboxes_.push_back(std::make_unique<shard_inbox>());
}

void router::send(envelope message) {
  message.token = token();
  const auto shard = shard_of(message.to, shards());
  inboxes_[shard]->push(std::move(message));
}

} // namespace purser
