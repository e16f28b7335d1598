// The specs of a random tree, of probes in a world.
#pragma once

#include "tests/supervisors/random_tree.hpp"
#include "tests/supervisors/world.hpp"

#include <functional>
#include <string>
#include <utility>

namespace purser::supervisors {

using worker_maker = std::function<child_spec(const node&)>;

inline dynamic_supervisor_spec dynamic_of(world& w, const node& it, const std::string& path) {
  auto spec = w.dynamic(path, it.instance_restart, manners::obeys, it.intensity);
  spec.period = std::chrono::milliseconds{it.period_ms};
  spec.auto_shutdown = it.end;
  spec.instances.significant = it.instance_significant;
  return spec;
}

inline supervisor_spec spec_of(world& w, const node& it, const std::string& path,
                               const worker_maker& worker) {
  auto spec = tree(it.how, {}, it.intensity);
  spec.path = path;
  spec.period = std::chrono::milliseconds{it.period_ms};
  spec.auto_shutdown = it.end;
  for (const auto& child : it.children) {
    const auto below = path + "/" + child.id;
    auto made = child.what == node::kind::worker       ? worker(child)
                : child.what == node::kind::supervisor ? w.nested(spec_of(w, child, below, worker))
                                                       : w.nested(dynamic_of(w, child, below));
    made.restart = child.restart;
    made.significant = child.significant;
    spec.children.push_back(std::move(made));
  }
  return spec;
}

inline supervisor_spec spec_of(world& w, const node& it) {
  return spec_of(w, it, it.id, [&w](const node& child) { return w.probe(child.id); });
}

} // namespace purser::supervisors
