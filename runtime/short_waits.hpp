// Cuts waits for the provider short when time comes from the commands (replays): where everything
// that can happen has happened, and a workflow waits for a question to be due or a deadline to
// pass, it passes at once.
#pragma once

#include "actors/activity.hpp"
#include "actors/node_context.hpp"
#include "runtime/payment_desk.hpp"
#include "runtime/system_ports.hpp"

#include <atomic>
#include <thread>

namespace purser {

class short_waits {
public:
  short_waits(activity& goings_on, open_steps& open, command_clock& time, payment_desk& desk);
  ~short_waits();

private:
  void run();
  bool skip_one();

  activity& activity_;
  open_steps& open_;
  command_clock& clock_;
  payment_desk& desk_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace purser
