// What every thread that runs actors is doing right now, so that another can see which of them does
// not come to an end.
//
// W1 A thread writes only to its own place, and takes no lock, unless somebody is looking there.
// W2 Places outlive actors, and go with the board.
// W3 Of a thread that goes on, what is seen may be put together of two pieces of work; what does
//    not come to an end is seen as it is.
#pragma once

#include "actors/domain/entity_ref.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace purser {

enum class work_kind : std::uint8_t {
  entity,   ///< an entity handles a message
  shard,    ///< a shard hands out messages, or heals an entity
  provider, ///< the provider is being called for a payment
};

/// What a thread does.
struct piece_of_work {
  work_kind kind = work_kind::entity;
  entity_ref entity;       ///< but of a shard
  std::uint16_t shard = 0; ///< of a shard
  std::uint64_t turn = 0;  ///< another one for each message
  std::size_t thread = 0;  ///< 0, 1, 2...: turns are of one thread
};

class work_board {
public:
  work_board();
  ~work_board();
  work_board(const work_board&) = delete;
  work_board& operator=(const work_board&) = delete;

  /// While it lives, this thread does that. Scopes of one thread may lie in each other.
  class scope {
  public:
    /// `board` may be null; `entity` must stay until the scope ends.
    scope(work_board* board, work_kind kind, const entity_ref& entity);
    scope(work_board* board, std::uint16_t shard);
    ~scope();
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

  private:
    friend class work_board;
    struct doing {
      work_kind kind = work_kind::entity;
      const entity_ref* entity = nullptr;
      std::uint16_t shard = 0;
      bool any = false;
    };
    void begin(work_board* board, const doing& what);
    work_board* board_;
    doing before_;
  };

  /// This thread goes on to another message.
  void next_message() noexcept;

  /// What all threads do now. Thread-safe.
  std::vector<piece_of_work> look() const;

private:
  struct place {
    void show(const scope::doing& what);

    scope::doing doing; ///< the thread's own
    std::atomic<bool> any{false};
    std::atomic<work_kind> kind{work_kind::entity};
    std::atomic<std::uint16_t> shard{0};
    std::atomic<const entity_ref*> entity{nullptr};
    std::atomic<std::uint64_t> turn{0};
    /// Who looks says so before reading `entity`, and keeps the lock while it copies that; who ends
    /// work looks for that after taking `entity` away.
    mutable std::atomic<bool> looked_at{false};
    mutable std::mutex looking;
  };

  place& mine();

  const std::uint64_t id_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<place>> places_;
};

} // namespace purser
