// The calls of clients that wait for an answer: bounded, each with a deadline, each answered
// exactly once.
#pragma once

#include "actors/answer.hpp"
#include "actors/ports/clock.hpp"
#include "runtime/task_queue.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace purser {

class client_calls {
public:
  using callback = std::function<void(const answer&)>;

  /// Answers come through `delivery`. `deadline_ms` 0: none.
  client_calls(std::size_t limit, std::int64_t deadline_ms, clock& time, task_queue& delivery);
  ~client_calls();

  /// A new call, or null when `limit` are waiting or after end_all. A call that is dropped
  /// unanswered ends as `unknown`.
  client_call_ptr open(std::string id, callback on_answer);

  /// Ends those whose deadline has passed as `unknown`.
  void expire();

  /// Ends all as `unknown`, and opens no more.
  void end_all(const std::string& why);

  /// Calls that wait.
  std::size_t waiting() const;

  /// What end_all was first told; empty before.
  std::string ended() const;

  /// Answers a call that was never sent anywhere.
  void refuse(std::string id, const callback& on_answer, outcome result, rejection why,
              const std::string& detail);

private:
  class waiting_call;
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace purser
