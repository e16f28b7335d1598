// A second model of the clauses, written from them alone: no queues, no plans, no messages;
// everything happens at once.
#pragma once

#include "tests/supervisors/random_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace purser::supervisors {

class naive_tree {
public:
  struct member {
    node spec;
    member* parent = nullptr;
    bool alive = false;
    bool has_spec = true;
    std::vector<std::int64_t> failures; ///< when, of a supervisor
    std::vector<std::unique_ptr<member>> children;
  };

  explicit naive_tree(const node& spec) : root_(make(spec, nullptr)) { start(*root_); }

  void carry_out(const step& what) {
    switch (what.what) {
    case step::kind::crash: return exit(*find(*root_, what.id), false);
    case step::kind::finish: return exit(*find(*root_, what.id), true);
    case step::kind::spoil: broken_.insert(what.id); return;
    case step::kind::mend: broken_.erase(what.id); return;
    case step::kind::start: return start_instance(*find(*root_, what.under), what.id);
    case step::kind::stop: {
      auto& it = *find(*root_, what.id);
      stop(it);
      return remove(it);
    }
    case step::kind::wait: now_ms_ += what.ms; return;
    }
  }

  bool ended() const { return !root_->alive; }
  /// Of this kind, those that run.
  std::vector<const member*> running(node::kind what) const {
    std::vector<const member*> all;
    collect(*root_, what, all);
    return all;
  }

  std::vector<std::string> log;
  std::uint32_t gave_up = 0;

private:
  static std::unique_ptr<member> make(const node& spec, member* parent) {
    auto it = std::make_unique<member>();
    it->spec = spec;
    it->parent = parent;
    for (const auto& child : spec.children)
      it->children.push_back(make(child, it.get()));
    return it;
  }

  static member* find(member& it, const std::string& id) {
    if (it.spec.id == id)
      return &it;
    for (auto& child : it.children)
      if (auto* found = find(*child, id))
        return found;
    return nullptr;
  }

  static void collect(const member& it, node::kind what, std::vector<const member*>& all) {
    if (it.alive && it.spec.what == what)
      all.push_back(&it);
    for (const auto& child : it.children)
      collect(*child, what, all);
  }

  static bool is_dynamic(const member& it) { return it.spec.what == node::kind::dynamic; }

  bool start(member& it) {
    if (it.spec.what == node::kind::worker) {
      const bool fails = broken_.contains(it.spec.id);
      log.push_back((fails ? "fail " : "start ") + it.spec.id);
      it.alive = !fails;
      return it.alive;
    }
    it.failures.clear();
    if (is_dynamic(it))
      it.children.clear(); // S17
    for (auto& child : it.children)
      child->has_spec = true;
    for (auto& child : it.children) // S1
      if (!start(*child)) {
        stop_children(it); // S2
        return false;
      }
    it.alive = true;
    return true;
  }

  void stop(member& it) {
    if (!it.alive)
      return;
    it.alive = false;
    if (it.spec.what == node::kind::worker)
      log.push_back("stop " + it.spec.id);
    stop_children(it);
  }

  void stop_children(member& it) { // S3
    for (auto child = it.children.rbegin(); child != it.children.rend(); ++child)
      stop(**child);
  }

  void start_instance(member& under, const std::string& id) {
    node spec;
    spec.id = id;
    spec.restart = under.spec.instance_restart;
    spec.significant = under.spec.instance_significant;
    under.children.push_back(make(spec, &under));
    if (!start(*under.children.back()))
      under.children.pop_back();
  }

  static void remove(member& it) {
    std::erase_if(it.parent->children, [&it](const auto& child) { return child.get() == &it; });
  }

  /// It has ended by itself.
  void exit(member& it, bool normally) {
    it.alive = false;
    auto* up = it.parent;
    if (up == nullptr)
      return;
    if (it.spec.restart == restart_type::permanent ||
        (it.spec.restart == restart_type::transient && !normally))
      return heal(it);
    const bool significant = it.spec.significant;
    it.has_spec = it.spec.restart != restart_type::temporary; // S8
    if (is_dynamic(*up))
      remove(it);
    const bool another = std::any_of(up->children.begin(), up->children.end(), [](auto& child) {
      return child->alive && child->spec.significant;
    });
    if (!significant || up->spec.end == auto_shutdown::never ||
        (up->spec.end == auto_shutdown::all_significant && another))
      return;
    stop(*up); // S16
    exit(*up, true);
  }

  void heal(member& it) {
    auto& up = *it.parent;
    up.failures.push_back(now_ms_);
    const auto recent = std::count_if(up.failures.begin(), up.failures.end(), [&](auto then) {
      return now_ms_ - then <= up.spec.period_ms;
    });
    if (recent > up.spec.intensity) { // S10
      ++gave_up;
      stop(up);
      return exit(up, false); // S20, B2
    }
    const auto own = std::find_if(up.children.begin(), up.children.end(),
                                  [&it](const auto& child) { return child.get() == &it; });
    const bool alone = is_dynamic(up) || up.spec.how == strategy::one_for_one;
    const auto first = up.spec.how == strategy::one_for_all && !alone ? up.children.begin() : own;
    const auto end = alone ? own + 1 : up.children.end();
    for (auto other = end; other-- != first;) // S5, S6
      if ((*other)->alive) {
        stop(**other);
        (*other)->has_spec = (*other)->spec.restart != restart_type::temporary;
      }
    for (auto child = first; child != end; ++child)
      if ((*child)->has_spec && !start(**child))
        return heal(**child); // S12
  }

  std::unique_ptr<member> root_;
  std::set<std::string> broken_;
  std::int64_t now_ms_ = 0;
};

} // namespace purser::supervisors
