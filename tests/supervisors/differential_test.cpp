// The supervisors against a second, naive model of the same clauses: random trees, random exits.
#include "tests/supervisors/naive_tree.hpp"
#include "tests/supervisors/tree_spec.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <random>

using namespace purser::supervisors;

namespace {

void carry_out(world& w, const step& what) {
  switch (what.what) {
  case step::kind::crash: return w.crash(what.id);
  case step::kind::finish: return w.finish(what.id);
  case step::kind::spoil: w.failing.insert(what.id); return;
  case step::kind::mend: w.failing.erase(what.id); return;
  case step::kind::start: w.start_instance(w.supervisors.at(what.under), what.id); return;
  case step::kind::stop: w.stop_instance(w.supervisors.at(what.under), what.id); return;
  case step::kind::wait: return w.pass(std::chrono::milliseconds{what.ms});
  }
}

/// Something that can be done to the tree as it is now.
step random_step(dice& random, const naive_tree& naive, int& instances) {
  const auto workers = naive.running(node::kind::worker);
  const auto dynamics = naive.running(node::kind::dynamic);
  if (!dynamics.empty() && random.one_in(4)) {
    const auto& under = *dynamics[random.below(dynamics.size())];
    if (!under.children.empty() && random.one_in(3)) {
      const auto& which = *under.children[random.below(under.children.size())];
      return {step::kind::stop, which.spec.id, under.spec.id};
    }
    return {step::kind::start, "i" + std::to_string(++instances), under.spec.id};
  }
  if (workers.empty() || random.one_in(10))
    return {step::kind::wait, "for", "", static_cast<std::int64_t>(random.below(1'500))};
  const auto& id = workers[random.below(workers.size())]->spec.id;
  constexpr std::array deeds{step::kind::crash,  step::kind::crash,  step::kind::crash,
                             step::kind::finish, step::kind::finish, step::kind::spoil,
                             step::kind::mend};
  return {deeds.at(random.below(deeds.size())), id};
}

struct played {
  node spec;
  std::vector<step> steps;
};

/// Plays a random sequence on both, and compares all that was started and stopped, and the end.
played play(world& w, std::uint64_t seed, const tree_taste& taste) {
  dice random{seed};
  played all{tree_maker{random, taste}.tree(), {}};
  naive_tree naive{all.spec};
  w.spawn(spec_of(w, all.spec));
  auto instances = 0;
  REQUIRE(w.log == naive.log);
  for (auto count = 0; count < 30 && !naive.ended(); ++count) {
    all.steps.push_back(random_step(random, naive, instances));
    naive.carry_out(all.steps.back());
    carry_out(w, all.steps.back());
    REQUIRE(w.log == naive.log);
    REQUIRE(w.root_ended.size() == (naive.ended() ? 1 : 0));
    REQUIRE(w.events_of(event_kind::gave_up).size() == naive.gave_up);
  }
  return all;
}

std::string joined(const words& all) {
  std::string text;
  for (const auto& word : all)
    text += (text.empty() ? "" : ",") + word;
  return text;
}

/// Instances are stopped together: in which order they end means nothing.
words with_instances_sorted(words log) {
  const auto is_one = [](const std::string& line) { return line.starts_with("stop i"); };
  for (auto first = log.begin(); first != log.end();) {
    const auto last = std::find_if_not(first, log.end(), is_one);
    std::sort(first, last);
    first = last == log.end() ? last : last + 1;
  }
  return log;
}

/// For tests/supervisors/erlang/compare: what was played, and what the library did.
void write_sequences(const std::string& directory, std::uint64_t first, std::uint64_t count) {
  std::ofstream sequences{directory + "/sequences.terms"};
  std::ofstream outcomes{directory + "/purser.txt"};
  for (auto seed = first; seed < first + count; ++seed) {
    world w;
    const auto all = play(w, seed, {3, false, true});
    std::string steps;
    for (const auto& step : all.steps)
      steps += (steps.empty() ? "" : ",") + to_term(step);
    sequences << "{" << seed << "," << to_term(all.spec) << ",[" << steps << "]}.\n";
    outcomes << seed << " ended=" << (w.root_ended.empty() ? "false" : "true")
             << " gave_up=" << w.events_of(event_kind::gave_up).size()
             << " log=" << joined(with_instances_sorted(w.log)) << "\n";
  }
  REQUIRE(sequences.flush());
  REQUIRE(outcomes.flush());
}

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* given = std::getenv(variable);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

} // namespace

TEST_CASE("S1 S2 S3 S4 S5 S6 S7 S8 S9 S10 S11 S12 S16 S17 S20 B2: random trees agree with a naive "
          "model") {
  const bool one = std::getenv("SUPERVISORS_SEED") != nullptr;
  const auto first = number("SUPERVISORS_SEED", std::random_device{}());
  const auto count = number("SUPERVISORS_SEQUENCES", one ? 1 : 10'000);
  if (const char* directory = std::getenv("SUPERVISORS_SEQUENCES_TO"))
    return write_sequences(directory, first, count);
  for (auto seed = first; seed < first + count; ++seed) {
    INFO("rerun with SUPERVISORS_SEED=" << seed << " ./supervisors_tests -tc='*naive model*'");
    world w;
    play(w, seed, {});
  }
}
