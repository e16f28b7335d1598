// Random supervision trees and what is done to them, for the library, the naive model and Erlang.
#pragma once

#include "supervisors/child_spec.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace purser::supervisors {

struct node {
  enum class kind : std::uint8_t { worker, supervisor, dynamic };
  kind what = kind::worker;
  std::string id;
  restart_type restart = restart_type::permanent;
  bool significant = false;
  // Of both kinds of supervisor.
  std::uint32_t intensity = 0;
  std::int64_t period_ms = 0;
  auto_shutdown end = auto_shutdown::never;
  // Of a supervisor.
  strategy how = strategy::one_for_one;
  std::vector<node> children;
  // Of a dynamic supervisor.
  restart_type instance_restart = restart_type::permanent;
  bool instance_significant = false;
};

struct step {
  enum class kind : std::uint8_t {
    crash,
    finish,
    spoil, ///< from now on its start fails
    mend,
    start, ///< an instance, under a dynamic supervisor
    stop,
    wait,
  };
  kind what = kind::wait;
  std::string id;
  std::string under;
  std::int64_t ms = 0;
};

/// What a tree may consist of.
struct tree_taste {
  std::uint32_t depth = 3;
  bool transient_supervisors = true; ///< what they do after giving up is not as in OTP (B2)
  bool endless_period = false;       ///< OTP's clock is the real one
};

class dice {
public:
  explicit dice(std::uint64_t seed) : rng_(seed) {}
  std::uint64_t below(std::uint64_t n) { return rng_() % n; } // the same for every compiler
  bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
  std::mt19937_64 rng_;
};

class tree_maker {
public:
  tree_maker(dice& random, tree_taste taste) : random_(random), taste_(taste) {}

  node tree() {
    auto root = supervisor(taste_.depth);
    root.id = "root";
    return root;
  }

private:
  std::string next_id(char kind) { return kind + std::to_string(++ids_); }

  void limits(node& it) {
    it.intensity = static_cast<std::uint32_t>(random_.below(6));
    it.period_ms =
      taste_.endless_period ? 1'000'000'000 : 1 + static_cast<std::int64_t>(random_.below(3'000));
    it.end = static_cast<auto_shutdown>(random_.below(3));
  }

  bool significant(auto_shutdown end, restart_type restart) {
    return end != auto_shutdown::never && restart != restart_type::permanent && random_.one_in(2);
  }

  node supervisor(std::uint32_t depth) {
    node it;
    it.what = node::kind::supervisor;
    it.id = next_id('s');
    it.how = static_cast<strategy>(random_.below(3));
    limits(it);
    const auto size = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < size; ++i)
      it.children.push_back(child(it.end, depth - 1));
    return it;
  }

  node child(auto_shutdown end, std::uint32_t depth) {
    node it;
    if (depth > 0 && random_.one_in(3)) {
      it = supervisor(depth);
    } else if (random_.one_in(6)) {
      it.what = node::kind::dynamic;
      it.id = next_id('m');
      limits(it);
      it.instance_restart = static_cast<restart_type>(random_.below(3));
      it.instance_significant = significant(it.end, it.instance_restart);
    } else {
      it.id = next_id('w');
    }
    do
      it.restart = static_cast<restart_type>(random_.below(3));
    while (it.what != node::kind::worker && it.restart == restart_type::transient &&
           !taste_.transient_supervisors);
    it.significant = significant(end, it.restart);
    return it;
  }

  dice& random_;
  tree_taste taste_;
  int ids_ = 0;
};

/// As Erlang terms, which tests/supervisors/erlang/replay.escript reads.
std::string to_term(const node& it);
std::string to_term(const step& it);

} // namespace purser::supervisors
