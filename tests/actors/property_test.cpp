// Random commands, providers, crashes and jumps in time: the real aggregates and a naive model of
// the same rules must give the same answers and come to the same books (shop_duel.hpp).
//
// PURSER_SEED=7 runs one sequence, PURSER_COMMANDS=1000000 that many commands.
#include "tests/actors/shop_coverage.hpp"
#include "tests/actors/shop_duel.hpp"
#include "tests/actors/shop_player.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <sstream>

using namespace purser;
using namespace purser::tests;

namespace {

constexpr int moves_in_a_run = 100;
constexpr std::uint32_t all_reached_after = 20'000; ///< commands

bool has_crashes(std::uint32_t seed) {
  return seed % 4 != 0;
}

std::string journal_of(duel& both) {
  std::ostringstream out;
  for (const auto& recorded : both.node().journal())
    out << "\n  " << recorded.at_position << ' ' << to_string(recorded.stream) << ' '
        << event_name(recorded.stream.kind, recorded.event.type) << ' ' << recorded.event.cause;
  return out.str();
}

/// @returns what differs, if anything does, and the journal.
std::optional<std::string> replayed(std::uint32_t seed, const std::vector<move>& moves) {
  duel both{seed, seed % 8 == 1};
  try {
    for (const auto& made : moves)
      both.make(made);
    both.end();
  } catch (const std::exception& found) {
    return found.what() + journal_of(both);
  }
  return std::nullopt;
}

/// Drops moves one by one as long as what is left still fails.
std::vector<move> shrunk(std::uint32_t seed, std::vector<move> moves) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = moves.size(); i-- > 0;) {
      auto fewer = moves;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (replayed(seed, fewer)) {
        moves = std::move(fewer);
        again = true;
        continue;
      }
      auto calmer = moves;
      if (std::exchange(calmer[i].steps, 0) > 0 && replayed(seed, calmer))
        moves = std::move(calmer);
    }
  }
  return moves;
}

/// One sequence. @returns what to tell people when the two shops differ.
std::optional<std::string> run(std::uint32_t seed, coverage& reached) {
  std::vector<move> moves;
  try {
    duel both{seed, seed % 8 == 1};
    player choose{seed, has_crashes(seed)};
    for (int i = 0; i < moves_in_a_run; ++i) {
      moves.push_back(choose.next(both.model()));
      if (!both.make(moves.back())) {
        moves.pop_back();
        ++reached.skipped;
      }
    }
    both.end();
    note(reached, both);
    return std::nullopt;
  } catch (const std::exception&) { // told below, of fewer moves
  }
  std::ostringstream out;
  moves = shrunk(seed, std::move(moves));
  out << "seed " << seed << " differs after\n";
  for (const auto& made : moves)
    out << "  " << in_words(made) << '\n';
  out << replayed(seed, moves).value_or("nothing: it does not repeat")
      << "\nThe command that reruns it: PURSER_SEED=" << seed
      << " build/release/tests/actors_tests -tc=\"*naive model*\"";
  return out.str();
}

std::optional<std::uint32_t> setting(const char* name) {
  const auto* wanted = std::getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
  if (wanted == nullptr)
    return std::nullopt;
  return static_cast<std::uint32_t>(std::stoul(wanted));
}

std::string joined(const std::set<std::string>& names) {
  std::string all;
  for (const auto& name : names)
    all += name + "\n";
  return all;
}

} // namespace

TEST_CASE("I1, K1, M5: whatever is asked for, and crashes, answers and books are as the naive "
          "model says") {
  coverage reached;
  const auto only = setting("PURSER_SEED");
  const auto wanted = setting("PURSER_COMMANDS").value_or(all_reached_after);
  for (std::uint32_t seed = only.value_or(1); reached.commands < wanted; ++seed) {
    if (const auto differs = run(seed, reached)) {
      FAIL(*differs);
      return;
    }
    if (only)
      return;
  }
  MESSAGE(reached.commands << " commands in " << reached.runs << " sequences, " << reached.skipped
                           << " moves left out; reached " << reached.orders.size()
                           << " transitions of orders, " << reached.reservations.size()
                           << " of reservations, " << reached.operations.size()
                           << " of payment operations, " << reached.rejections.size()
                           << " rejections");
  CHECK(joined(surprises(reached)) == "");
  if (wanted >= all_reached_after)
    CHECK(joined(missed(reached)) == joined(unreachable()));
}
