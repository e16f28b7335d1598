#include "actors/work_board.hpp"

#include <utility>

namespace purser {

namespace {

/// Boards are told apart by number: a new one may lie where an old one was.
std::atomic<std::uint64_t> boards{0};

struct own_place {
  std::uint64_t board = 0;
  void* at = nullptr;
};
thread_local own_place own;

} // namespace

work_board::work_board() : id_(++boards) {}
work_board::~work_board() = default;

work_board::place& work_board::mine() {
  if (own.board != id_) {
    auto made = std::make_unique<place>();
    const std::lock_guard lock{mutex_};
    own = {id_, made.get()};
    places_.push_back(std::move(made));
  }
  return *static_cast<place*>(own.at);
}

void work_board::next_message() noexcept {
  if (own.board != id_)
    return;
  auto& turn = static_cast<place*>(own.at)->turn;
  turn.store(turn.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::vector<piece_of_work> work_board::look() const {
  std::vector<piece_of_work> found;
  const std::lock_guard lock{mutex_};
  for (std::size_t thread = 0; thread < places_.size(); ++thread) {
    const auto& at = *places_[thread];
    const std::lock_guard its_lock{at.looking};
    at.looked_at.store(true);
    if (at.any.load(std::memory_order_relaxed)) {
      piece_of_work made;
      made.kind = at.kind.load(std::memory_order_relaxed);
      made.shard = at.shard.load(std::memory_order_relaxed);
      made.turn = at.turn.load(std::memory_order_relaxed);
      made.thread = thread;
      if (const auto* entity = at.entity.load())
        made.entity = *entity;
      found.push_back(std::move(made));
    }
    at.looked_at.store(false);
  }
  return found;
}

work_board::scope::scope(work_board* board, work_kind kind, const entity_ref& entity) {
  begin(board, {kind, &entity, 0, true});
}

work_board::scope::scope(work_board* board, std::uint16_t shard) {
  begin(board, {work_kind::shard, nullptr, shard, true});
}

void work_board::scope::begin(work_board* board, const doing& what) {
  board_ = board;
  if (board_ == nullptr)
    return;
  auto& at = board_->mine();
  before_ = std::exchange(at.doing, what);
  at.show(what);
  board_->next_message();
}

void work_board::place::show(const scope::doing& what) {
  any.store(what.any, std::memory_order_relaxed);
  kind.store(what.kind, std::memory_order_relaxed);
  shard.store(what.shard, std::memory_order_relaxed);
  entity.store(what.entity, std::memory_order_release);
}

work_board::scope::~scope() {
  if (board_ == nullptr)
    return;
  auto& at = board_->mine();
  at.doing = before_;
  at.entity.exchange(before_.entity);
  at.show(before_);
  if (at.looked_at.load()) {
    const std::lock_guard until_copied{at.looking};
  }
}

} // namespace purser
