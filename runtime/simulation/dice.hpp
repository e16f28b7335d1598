// Chance that is the same on every machine: everything in a simulated run hangs on one seed.
#pragma once

#include "actors/ports/random.hpp"

#include <cstddef>
#include <cstdint>

namespace purser::simulation {

/// SplitMix64 (Steele, Lea, Flood 2014). The standard's distributions differ between libraries;
/// these do not.
class dice final : public random_source {
public:
  explicit dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() override {
    state_ += 0x9e3779b97f4a7c15;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  /// Below `count`, which is not 0.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(bits() % count); }

  bool one_in(std::size_t count) { return below(count) == 0; }

  template <class Choices>
  const auto& of(const Choices& choices) {
    return choices[below(choices.size())];
  }

private:
  std::uint64_t state_;
};

} // namespace purser::simulation
