// The supervisor against a second, naive model of the same clauses: random children, random exits.
#include "tests/supervisors/world.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

using namespace purser::supervisors;

namespace {

/// Written from the clauses alone: no queues, no plans, everything happens at once.
class naive_supervisor {
public:
  struct member {
    std::string id;
    restart_type restart = restart_type::permanent;
    bool alive = true;
    bool has_spec = true;
  };

  naive_supervisor(strategy how, std::size_t intensity, std::int64_t period_ms)
      : how_(how), intensity_(intensity), period_ms_(period_ms) {}

  void add(const std::string& id, restart_type restart) {
    members.push_back({id, restart});
    log.push_back("start " + id);
  }

  void exit(std::size_t who, bool normally, std::int64_t now_ms) {
    auto& gone = members[who];
    gone.alive = false;
    if (gone.restart == restart_type::temporary)
      gone.has_spec = false;
    if (gone.restart == restart_type::temporary ||
        (gone.restart == restart_type::transient && normally))
      return;
    times_.push_back(now_ms);
    const auto recent = std::count_if(times_.begin(), times_.end(),
                                      [&](auto then) { return now_ms - then <= period_ms_; });
    if (static_cast<std::size_t>(recent) > intensity_) {
      gave_up = true;
      return stop(0, members.size());
    }
    const auto first = how_ == strategy::one_for_all ? 0 : who;
    const auto end = how_ == strategy::one_for_one ? who + 1 : members.size();
    stop(first, end);
    for (auto i = first; i < end; ++i)
      if (members[i].has_spec) {
        members[i].alive = true;
        log.push_back("start " + members[i].id);
      }
  }

  words running() const {
    words ids;
    for (const auto& it : members)
      if (it.alive)
        ids.push_back(it.id);
    return ids;
  }

  std::vector<member> members;
  words log;
  bool gave_up = false;

private:
  void stop(std::size_t first, std::size_t end) {
    for (auto i = end; i-- > first;)
      if (members[i].alive) {
        members[i].alive = false;
        log.push_back("stop " + members[i].id);
        if (members[i].restart == restart_type::temporary)
          members[i].has_spec = false;
      }
  }

  strategy how_;
  std::size_t intensity_;
  std::int64_t period_ms_;
  std::vector<std::int64_t> times_;
};

void run_case(std::uint64_t seed) {
  std::mt19937_64 rng{seed};
  const auto below = [&rng](std::uint64_t n) { return rng() % n; };
  const auto how = static_cast<strategy>(below(3));
  const auto intensity = static_cast<std::uint32_t>(below(5));
  const auto period_ms = static_cast<std::int64_t>(1 + below(3'000));
  world w;
  naive_supervisor naive{how, intensity, period_ms};
  auto spec = tree(how, {}, intensity);
  spec.period = std::chrono::milliseconds{period_ms};
  const auto size = 1 + below(6);
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto id = "c" + std::to_string(i);
    const auto restart = static_cast<restart_type>(below(3));
    spec.children.push_back(w.probe(id, restart));
    naive.add(id, restart);
  }
  w.spawn(spec);

  std::int64_t now_ms = 0;
  for (auto step = 0; step < 20 && !naive.gave_up; ++step) {
    const auto wait_ms = static_cast<std::int64_t>(below(1'500));
    w.pass(std::chrono::milliseconds{wait_ms});
    now_ms += wait_ms;
    const auto who = below(size);
    if (!naive.members[who].alive)
      continue;
    const auto normally = below(3) == 0;
    naive.exit(who, normally, now_ms);
    if (normally)
      w.finish(naive.members[who].id);
    else
      w.crash(naive.members[who].id);
    REQUIRE(w.log == naive.log);
    REQUIRE(w.root_ended.size() == (naive.gave_up ? 1 : 0));
    if (!naive.gave_up)
      REQUIRE(w.running() == naive.running());
  }
}

} // namespace

TEST_CASE("S4 S5 S6 S8 S9 S10 S11: random exits agree with a naive model") {
  if (const char* given = std::getenv("SUPERVISORS_SEED"))
    return run_case(std::strtoull(given, nullptr, 10));
  const auto first = std::random_device{}();
  for (std::uint64_t seed = first; seed < first + std::uint64_t{300}; ++seed) {
    INFO("rerun with SUPERVISORS_SEED=" << seed << " ./supervisors_tests -tc='*naive model*'");
    run_case(seed);
  }
}
