// Who wants to be told of supervision decisions.
#pragma once

#include "runtime/engine.hpp"
#include "runtime/task_queue.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace purser {

/// Thread-safe. A watch that has gone is not called any more; it may go while it is called.
class supervision_watches {
public:
  using callback = std::function<void(const supervision_notice&)>;

  std::unique_ptr<subscription> add(callback on_notice) {
    auto made = std::make_shared<state>();
    made->on_notice = std::move(on_notice);
    const std::lock_guard lock{mutex_};
    std::erase_if(watches_, [](const auto& weak) { return weak.expired(); });
    watches_.push_back(made);
    return std::make_unique<watch>(std::move(made));
  }

  /// On the queue's thread.
  void tell(const supervision_notice& notice, task_queue& on) {
    const std::lock_guard lock{mutex_};
    for (const auto& weak : watches_)
      if (!weak.expired())
        on.post([weak, notice] {
          if (const auto to = weak.lock()) {
            const std::lock_guard calling{to->mutex};
            if (to->on_notice)
              to->on_notice(notice);
          }
        });
  }

private:
  struct state {
    std::recursive_mutex mutex; // a callback may end its own watch
    callback on_notice;
  };

  struct watch final : subscription {
    explicit watch(std::shared_ptr<state> of) : to(std::move(of)) {}
    ~watch() override {
      const std::lock_guard lock{to->mutex};
      to->on_notice = nullptr;
    }
    std::shared_ptr<state> to;
  };

  std::mutex mutex_;
  std::vector<std::weak_ptr<state>> watches_;
};

} // namespace purser
