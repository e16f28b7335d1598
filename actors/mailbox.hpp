// An entity's mailbox, which outlives its incarnations (A2, B3). CAF drops what is queued at an
// actor that crashes; so what an entity has to do is kept here, and CAF carries only the wake-ups.
//
// M1 A message is in exactly one of: queue, hand, awaiting.       M2 The message in hand stays
// there until
//    it is done or parked, so after a crash it is the first.      M3 Messages are taken in order.
// M4 `push` tells whether the entity must be woken; a woken entity takes until the queue is empty,
//    and is asleep from the moment when `take` says so.
#pragma once

#include "actors/envelope_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace purser {

class mailbox {
public:
  /// Thread-safe. @returns whether a wake-up has to be sent.
  bool push(envelope_ptr message);

  /// The message in hand, else the next one; null when there is none, and then the next push wakes.
  envelope* take();

  /// The message in hand is finished.
  void done() { in_hand_.reset(); }

  /// The message in hand is a client's command that is answered when the workflow has settled.
  void await_settlement();

  /// The commands that wait for the workflow, taken out to be answered.
  envelope_queue take_awaiting();

  /// Takes an entity that is asleep, with nothing to do, out of everybody's hands: what is pushed
  /// wakes nobody. @returns whether it was so. Thread-safe.
  bool claim();

  /// Gives it back. @returns false when something has come meanwhile: then it is still awake, and
  /// has to be found a shell. Thread-safe.
  bool unclaim();

  /// After a crash: what was awaiting comes first again, then the queue; a wake-up will be sent.
  void prepare_redelivery();

  /// Everything, taken out: the entity is given up.
  envelope_queue drain();

  envelope* in_hand() noexcept { return in_hand_.get(); }
  bool has_awaiting() const noexcept { return !awaiting_.empty(); }

  /// Messages in the queue. Thread-safe.
  std::size_t waiting() const;

  /// Messages that were pushed so far. Thread-safe.
  std::uint64_t pushed() const;

private:
  mutable std::mutex mutex_; // of queue_ and woken_; the rest belongs to the running incarnation
  envelope_queue queue_;
  bool woken_ = false;
  std::uint64_t pushed_ = 0;
  envelope_ptr in_hand_;
  envelope_queue awaiting_;
};

} // namespace purser
