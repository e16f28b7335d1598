// Messages in order, linked through themselves: nothing is allocated, and an empty queue is small.
#pragma once

#include "actors/envelope.hpp"

#include <cstddef>
#include <utility>

namespace purser {

class envelope_queue {
public:
  envelope_queue() = default;
  envelope_queue(envelope_queue&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  envelope_queue& operator=(envelope_queue&& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~envelope_queue() {
    while (pop_front()) {
    }
  }

  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept { return size_; }

  void push_back(envelope_ptr message) noexcept {
    auto* added = message.release();
    added->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = added;
    last_ = added;
    ++size_;
  }

  /// Null when it is empty.
  envelope_ptr pop_front() noexcept {
    if (first_ == nullptr)
      return nullptr;
    envelope_ptr taken{first_};
    first_ = std::exchange(taken->next, nullptr);
    --size_;
    return taken;
  }

  /// All of `other`, behind what is here.
  void append(envelope_queue other) noexcept {
    if (other.empty())
      return;
    (first_ == nullptr ? first_ : last_->next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    other.first_ = nullptr;
    other.size_ = 0;
  }

private:
  envelope* first_ = nullptr;
  envelope* last_ = nullptr; ///< of one that is not empty
  std::size_t size_ = 0;
};

} // namespace purser
