#include "actors/mailbox.hpp"

#include <iterator>
#include <utility>

namespace purser {

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
  if (queue_.empty()) {
    woken_ = false;
    return nullptr;
  }
  in_hand_ = std::move(queue_.front());
  queue_.pop_front();
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
  queue_.insert(queue_.begin(), std::make_move_iterator(awaiting_.begin()),
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
  std::move(queue_.begin(), queue_.end(), std::back_inserter(all));
  queue_.clear();
  woken_ = false;
  return all;
}

std::size_t mailbox::waiting() const {
  const std::lock_guard lock{mutex_};
  return queue_.size();
}

std::uint64_t mailbox::pushed() const {
  const std::lock_guard lock{mutex_};
  return pushed_;
}

bool mailbox::idle() const {
  if (in_hand_ || !awaiting_.empty())
    return false;
  const std::lock_guard lock{mutex_};
  return queue_.empty() && !woken_;
}

} // namespace purser
