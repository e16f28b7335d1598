// The numbers that a benchmark's clients choose by.
#pragma once

#include <cstdint>

namespace purser::tools {

/// SplitMix64 (Steele, Lea, Flood 2014): cheap, and good enough to choose SKUs by.
class client_numbers {
public:
  /// Of one client, the same in every run. A seed is mixed first: seeds that are the generator's
  /// own steps apart would be one sequence, in which one client goes some steps ahead of the other.
  explicit client_numbers(std::uint64_t client) : state_(client) { state_ = next(); }

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31);
  }

private:
  std::uint64_t state_;
};

} // namespace purser::tools
