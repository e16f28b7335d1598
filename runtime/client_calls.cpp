#include "runtime/client_calls.hpp"

#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

namespace purser {

struct client_calls::state {
  std::size_t limit = 0;
  std::int64_t deadline_ms = 0;
  clock* time = nullptr;
  task_queue* delivery = nullptr;
  std::mutex mutex;
  std::unordered_set<waiting_call*> waiting;
  std::string ended; ///< why; empty while it works

  std::int64_t now_ms() const { return time->monotonic_ns() / 1'000'000; }

  void post(callback to, answer result) {
    delivery->post([to = std::move(to), result = std::move(result)] { to(result); });
  }
};

class client_calls::waiting_call final : public client_call {
public:
  waiting_call(std::shared_ptr<state> owner, std::string of, callback to)
      : owner_(std::move(owner)), id(std::move(of)), on_answer(std::move(to)) {}

  ~waiting_call() override {
    answer lost;
    lost.id = id;
    {
      const std::lock_guard lock{owner_->mutex};
      lost.detail = owner_->ended.empty() ? "the engine stopped" : owner_->ended;
    }
    finish(std::move(lost));
  }

  void deliver(answer result) override { finish(std::move(result)); }

  std::shared_ptr<state> owner_;
  std::string id;
  callback on_answer; ///< empty once it is answered; under the owner's mutex
  std::int64_t deadline_ms = 0;

private:
  void finish(answer result) {
    callback to;
    {
      const std::lock_guard lock{owner_->mutex};
      owner_->waiting.erase(this);
      to = std::exchange(on_answer, nullptr);
    }
    if (to)
      owner_->post(std::move(to), std::move(result));
  }
};

client_calls::client_calls(std::size_t limit, std::int64_t deadline_ms, clock& time,
                           task_queue& delivery)
    : state_(std::make_shared<state>()) {
  state_->limit = limit;
  state_->deadline_ms = deadline_ms;
  state_->time = &time;
  state_->delivery = &delivery;
}

client_calls::~client_calls() {
  end_all("the engine stopped");
}

client_call_ptr client_calls::open(std::string id, callback on_answer) {
  auto made = std::make_shared<waiting_call>(state_, std::move(id), callback{});
  const std::lock_guard lock{state_->mutex};
  if (!state_->ended.empty() || state_->waiting.size() >= state_->limit)
    return nullptr;
  made->on_answer = std::move(on_answer);
  if (state_->deadline_ms > 0)
    made->deadline_ms = state_->now_ms() + state_->deadline_ms;
  state_->waiting.insert(made.get());
  return made;
}

void client_calls::expire() {
  const auto now = state_->now_ms();
  std::vector<std::pair<callback, answer>> late;
  {
    const std::lock_guard lock{state_->mutex};
    for (auto* call : state_->waiting)
      if (call->on_answer && call->deadline_ms != 0 && call->deadline_ms <= now) {
        answer result;
        result.id = call->id;
        result.detail = "no answer within the deadline; ask by id";
        late.emplace_back(std::exchange(call->on_answer, nullptr), std::move(result));
      }
  }
  for (auto& [to, result] : late)
    state_->post(std::move(to), std::move(result));
}

void client_calls::end_all(const std::string& why) {
  std::vector<std::pair<callback, answer>> ended;
  {
    const std::lock_guard lock{state_->mutex};
    if (state_->ended.empty())
      state_->ended = why;
    for (auto* call : state_->waiting)
      if (call->on_answer) {
        answer result;
        result.id = call->id;
        result.detail = state_->ended;
        ended.emplace_back(std::exchange(call->on_answer, nullptr), std::move(result));
      }
  }
  for (auto& [to, result] : ended)
    state_->post(std::move(to), std::move(result));
}

std::size_t client_calls::waiting() const {
  const std::lock_guard lock{state_->mutex};
  return state_->waiting.size();
}

std::string client_calls::ended() const {
  const std::lock_guard lock{state_->mutex};
  return state_->ended;
}

void client_calls::refuse(std::string id, const callback& on_answer, outcome result, rejection why,
                          const std::string& detail) {
  answer made{result, why};
  made.id = std::move(id);
  made.detail = detail;
  state_->post(on_answer, std::move(made));
}

} // namespace purser
