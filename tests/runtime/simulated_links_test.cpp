#include "runtime/simulation/simulated_links.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace purser;
using namespace purser::simulation;

namespace {

/// Three nodes that note what arrives where.
struct cluster {
  explicit cluster(std::uint64_t seed)
      : chance(seed),
        links(chance, 3, [this](std::size_t node, std::uint16_t, const std::string& envelope) {
          arrived[node].push_back(envelope);
        }) {}

  void run_out() {
    for (int step = 0; links.has_arrivals(); ++step) {
      REQUIRE(step < 100'000);
      links.arrive();
    }
  }

  dice chance;
  simulated_links links;
  std::map<std::size_t, std::vector<std::string>> arrived;
};

/// What is left when a receiver drops repeats as it must: numbers that it has seen.
std::vector<int> without_repeats(const std::vector<std::string>& arrived) {
  std::vector<int> seen;
  for (const auto& each : arrived)
    if (const auto number = std::stoi(each); seen.empty() || number > seen.back()) {
      REQUIRE(number == (seen.empty() ? 0 : seen.back() + 1)); // nothing is left out
      seen.push_back(number);
    }
  return seen;
}

} // namespace

TEST_CASE(
  "L1, L2: whatever is repeated, envelopes of a shard arrive in order and none is missing") {
  std::size_t repeats = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    cluster world{seed};
    world.links.give(7, 2);
    for (int number = 0; number < 30; ++number) {
      world.links.of(1).forward(7, std::to_string(number));
      if (world.links.has_arrivals() && world.chance.one_in(2))
        world.links.arrive();
    }
    world.run_out();

    CHECK(without_repeats(world.arrived[2]).size() == 30);
    repeats += world.arrived[2].size() - 30;
    CHECK(world.arrived.size() == 1);
  }
  CHECK(repeats > 0);
}

TEST_CASE("L3: between nodes that are cut off nothing arrives until they are not") {
  cluster world{1};
  world.links.give(1, 1);
  world.links.give(2, 2);
  world.links.cut(0, 1);
  for (int number = 0; number < 5; ++number) {
    world.links.of(0).forward(1, std::to_string(number));
    world.links.of(0).forward(2, std::to_string(number));
  }
  world.run_out();
  CHECK(world.arrived[1].empty());
  CHECK(without_repeats(world.arrived[2]).size() == 5);

  world.links.mend(1, 0);
  world.run_out();

  CHECK(without_repeats(world.arrived[1]).size() == 5);
}

TEST_CASE("L4: what was sent to the former owner of a shard comes to the new one") {
  cluster world{3};
  world.links.give(4, 1);
  world.links.cut(0, 1);
  world.links.of(0).forward(4, "0");
  CHECK(world.links.of(1).owns(4));

  world.links.give(4, 2);
  world.run_out();

  CHECK(world.links.of(2).owns(4));
  CHECK_FALSE(world.links.of(1).owns(4));
  CHECK(without_repeats(world.arrived[2]) == std::vector{0});
  CHECK(world.arrived[1].empty());
}

TEST_CASE("L5: what a node had sent ends with it, and what was on its way to it arrives again") {
  cluster world{5};
  world.links.give(1, 1);
  world.links.of(1).forward(9, "0"); // shard 9 is the first node's
  world.links.of(0).forward(1, "0");
  world.run_out();
  const auto before = world.arrived[1].size();
  world.links.of(1).forward(9, "1");
  world.links.of(0).forward(1, "1");

  world.links.ends(1);
  world.run_out();

  CHECK(std::count(world.arrived[0].begin(), world.arrived[0].end(), "1") == 0);
  CHECK(world.arrived[1].size() > before);
  CHECK(world.arrived[1].back() == "1");
}
