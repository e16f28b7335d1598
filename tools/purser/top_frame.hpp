// One frame of `purser top`, from two moments of an engine.
#pragma once

#include "tools/purser/engine_sample.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace purser::tools {

struct frame_shape {
  std::size_t columns = 80;
  std::size_t lines = 24;
  bool colored = false;
};

/// Lines without newlines, at most `shape.lines`, none wider than `shape.columns`. `before`: rates
/// are differences to it; null: since the engine's start.
std::vector<std::string> top_frame(const std::string& data, const engine_sample& now,
                                   const engine_sample* before, const frame_shape& shape);

/// The whole tree as a table, parents before their children.
std::string tree_table(const boost::json::object& tree);

/// "12:00:01.250 child_crashed root/shards/shard-3/order/o-1 (restarts 1) cause".
std::string event_text(const boost::json::object& event);

} // namespace purser::tools
