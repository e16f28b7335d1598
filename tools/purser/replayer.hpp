// Replays commands so that the result is that of one command at a time, while many are under way:
// one that touches the same order, reservation, receipt or SKU as an earlier one waits until that
// has settled.
#pragma once

#include "runtime/engine.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace purser::tools {

struct replay_counts {
  std::uint64_t read = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t invalid = 0;
};
BOOST_DESCRIBE_STRUCT(replay_counts, (), (read, accepted, rejected, duplicate, invalid))

class replayer {
public:
  struct limits {
    std::size_t commands = 256; ///< under way at once
    std::size_t lines = 20'000; ///< their order lines, all together
  };

  replayer(engine& target, limits bounds) : engine_(target), limits_(bounds) {}

  /// Waits for its turn, then sends it. @returns false when the engine cannot go on: see failure().
  bool send(command request);

  /// Waits until everything sent is answered. @returns false as send does.
  bool finish();

  /// Of answered commands.
  replay_counts counts() const;

  /// Why the engine cannot go on; empty while it can.
  std::string failure() const;

private:
  struct claim {
    std::vector<std::string> keys; ///< what the command touches
    std::size_t lines = 0;
    bool alone = false; ///< which SKUs it touches is not known from the command: it goes alone
  };

  claim claim_of(const command_body& body) const;
  bool is_free(const claim& wanted) const;
  void answered(const claim& done, const answer& result);

  engine& engine_;
  limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, int> touched_;
  std::size_t under_way_ = 0;
  std::size_t lines_under_way_ = 0;
  bool alone_ = false;
  replay_counts counts_;
  std::string failure_;
  bool backorders_ = false; ///< some order may wait for stock
};

} // namespace purser::tools
