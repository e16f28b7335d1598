#include "actors/mailbox.hpp"

#include <iterator>
#include <utility>

namespace purser {

namespace {

/// So many places of messages that were taken may wait to be given back together.
constexpr std::size_t taken_kept = 32;

} // namespace

bool mailbox::push(envelope message) {
  const std::lock_guard lock{mutex_};
  queue_.push_back(std::move(message));
  ++pushed_;
  return !std::exchange(woken_, true);
}

envelope* mailbox::take() {
  if (in_hand_)
    return &*in_hand_;
  const std::lock_guard lock{mutex_};
  if (first_ == queue_.size()) {
    woken_ = false;
    return nullptr;
  }
  in_hand_ = std::move(queue_[first_]);
  ++first_;
  if (first_ == queue_.size()) {
    queue_ = {}; // most entities are idle, and there are many
    first_ = 0;
  } else if (first_ >= taken_kept && first_ * 2 >= queue_.size()) {
    queue_.erase(queue_.begin(), at_first()); // one that is never empty does not grow for ever
    first_ = 0;
  }
  return &*in_hand_;
}

void mailbox::await_settlement() {
  in_hand_->token.reset(); // it waits, and does nothing
  awaiting_.push_back(std::move(*in_hand_));
  in_hand_.reset();
}

std::vector<envelope> mailbox::take_awaiting() {
  return std::exchange(awaiting_, {});
}

void mailbox::prepare_redelivery() {
  const std::lock_guard lock{mutex_};
  queue_.insert(at_first(), std::make_move_iterator(awaiting_.begin()),
                std::make_move_iterator(awaiting_.end()));
  awaiting_.clear();
  woken_ = true;
}

std::vector<envelope> mailbox::drain() {
  const std::lock_guard lock{mutex_};
  std::vector<envelope> all;
  if (in_hand_)
    all.push_back(std::move(*in_hand_));
  in_hand_.reset();
  std::move(awaiting_.begin(), awaiting_.end(), std::back_inserter(all));
  awaiting_.clear();
  std::move(at_first(), queue_.end(), std::back_inserter(all));
  queue_.clear();
  first_ = 0;
  woken_ = false;
  return all;
}

std::size_t mailbox::waiting() const {
  const std::lock_guard lock{mutex_};
  return queue_.size() - first_;
}

std::uint64_t mailbox::pushed() const {
  const std::lock_guard lock{mutex_};
  return pushed_;
}

bool mailbox::idle() const {
  if (in_hand_ || !awaiting_.empty())
    return false;
  const std::lock_guard lock{mutex_};
  return first_ == queue_.size() && !woken_;
}

} // namespace purser
