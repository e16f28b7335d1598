#include "actors/mailbox.hpp"

#include <utility>

namespace purser {

bool mailbox::push(envelope_ptr message) {
  const std::lock_guard lock{mutex_};
  queue_.push_back(std::move(message));
  ++pushed_;
  return !std::exchange(woken_, true);
}

envelope* mailbox::take() {
  if (in_hand_)
    return in_hand_.get();
  const std::lock_guard lock{mutex_};
  in_hand_ = queue_.pop_front();
  if (!in_hand_)
    woken_ = false;
  return in_hand_.get();
}

void mailbox::await_settlement() {
  in_hand_->token.reset(); // it waits, and does nothing
  awaiting_.push_back(std::move(in_hand_));
}

envelope_queue mailbox::take_awaiting() {
  return std::move(awaiting_);
}

void mailbox::prepare_redelivery() {
  const std::lock_guard lock{mutex_};
  auto all = std::move(awaiting_);
  all.append(std::move(queue_));
  queue_ = std::move(all);
  woken_ = true;
}

envelope_queue mailbox::drain() {
  const std::lock_guard lock{mutex_};
  envelope_queue all;
  if (in_hand_)
    all.push_back(std::move(in_hand_));
  all.append(std::move(awaiting_));
  all.append(std::move(queue_));
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

bool mailbox::claim() {
  const std::lock_guard lock{mutex_};
  if (woken_ || !awaiting_.empty())
    return false; // what is awake has something in its queue or in hand
  woken_ = true;
  return true;
}

bool mailbox::unclaim() {
  const std::lock_guard lock{mutex_};
  woken_ = !queue_.empty();
  return !woken_;
}

} // namespace purser
