// The way of a message to its entity: straight into the mailbox of one that is in memory, and that
// into a shell, if it slept; else by the shard that owns it. What a shard has to do is kept here
// and not in CAF's mailboxes, so that a crash of the shard's actor loses nothing (A2).
#pragma once

#include "actors/cell_table.hpp"
#include "actors/entity_shell.hpp"
#include "actors/envelope_queue.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace purser {

/// Where a shard's messages come in. Thread-safe.
///
/// R1 Messages reach an entity in the order in which they were pushed: an entity is opened only
/// when
///    everything pushed before is in its mailbox.
/// R2 What is pushed to an open entity whose incarnation has just ended stays in its mailbox; the
///    shard closes it before it looks whether there is anything to do.
/// R3 An entity that is awake is in a shell, in the queue for one, claimed by the shard, or waits
///    for the journal, which finds it a shell.
class shard_inbox {
public:
  /// Names the actor to wake, and wakes it when something is waiting. After a restart: the new one.
  void attach(caf::actor shard);

  /// Nobody is woken any more.
  void detach();

  /// Into the mailbox of its entity if that is open, and for the shard if not.
  /// `hash`: the stable_hash of its receiver.
  void push(std::uint64_t hash, envelope_ptr message);

  // -- The entities of the shard, whether they run or not -----------------------------------------

  /// Null when there is none of that name.
  entity_cell_ptr find(const entity_ref& ref) const;

  /// @returns the one of that name, which is new if there was none.
  entity_cell_ptr find_or_add(const entity_ref& ref);

  /// One that is closed: nobody is to remember it.
  void forget(const entity_cell& cell);

  std::vector<entity_cell_ptr> all() const;

  /// From now on the entities' incarnations are sent their messages directly. Does nothing while
  /// messages wait for the shard, which tries again once it has handed them out. @returns whether
  /// they are open.
  bool open(const std::vector<entity_cell_ptr>& cells);

  /// Messages to the entity go through the shard again.
  void close(entity_cell& cell);
  void close_all();

  /// Open entities as cell_table::newest has them; at most so many.
  std::vector<entity_cell_ptr> newest(std::size_t most) const;

  /// Those that may leave memory first; they count as used now (cell_table::next_to_leave).
  std::vector<entity_cell_ptr>
  next_to_leave(std::size_t most, cell_table::leaving first = cell_table::leaving::used_once);

  /// Messages that have come in so far.
  std::uint64_t messages() const;

  /// The actor that is woken; null when there is none.
  caf::actor shard();

  /// Messages that have come and were not taken yet.
  std::size_t waiting() const;

  /// Everything that has come, in order.
  envelope_queue take();

  // -- Shells -------------------------------------------------------------------------------------

  /// An entity that was woken gets a shell, or its place in the queue for one.
  void run(const entity_cell_ptr& cell);

  /// A new shell, which serves whoever waits for one.
  void add(const entity_shell_ptr& shell);

  /// One that has ended; its actor is let go of. @returns the entity that it served; may be null.
  entity_cell_ptr remove(const entity_shell_ptr& shell);

  /// One that is to end: nobody is given it any more. @returns its actor, which nobody else keeps.
  caf::actor retire(const entity_shell_ptr& shell);

  /// By the shell's actor: whom it serves; null when it is idle.
  entity_cell_ptr served_by(const entity_shell& shell);

  /// By the shell's actor, whose entity is asleep, or in other hands: whom it serves next; null
  /// when it is idle from now on.
  entity_cell_ptr next_for(const entity_shell_ptr& shell);

  /// By the shell's actor, whose entity has more to do: others first.
  void others_first(const entity_shell_ptr& shell);

private:
  void wake(const caf::actor& whom);
  caf::actor find_shell(entity_cell_ptr cell);

  mutable std::mutex mutex_;
  envelope_queue waiting_;
  caf::actor shard_;
  bool woken_ = false;
  std::uint64_t messages_ = 0;
  cell_table cells_;
  std::vector<entity_shell_ptr> idle_; ///< the one whose memory is warmest last
  std::deque<entity_cell_ptr> ready_;  ///< woken, and waiting for a shell
};

class router {
public:
  explicit router(std::uint16_t shards);

  std::uint16_t shards() const noexcept { return static_cast<std::uint16_t>(inboxes_.size()); }

  /// Hands a message to its receiver, or to the receiver's shard. From one sender to one receiver,
  /// messages stay in order. Thread-safe; never blocks.
  void send(envelope_ptr message);
  void send(envelope message) { send(std::make_unique<envelope>(std::move(message))); }

  /// From now on every message counts as something that goes on.
  void count(activity& in) { activity_ = &in; }
  activity_token token() const { return activity_token{activity_}; }

  shard_inbox& inbox(std::uint16_t shard) { return *inboxes_.at(shard); }

private:
  std::vector<std::unique_ptr<shard_inbox>> inboxes_;
  activity* activity_ = nullptr;
};

} // namespace purser
