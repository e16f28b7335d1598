// What a running engine of another process tells at one moment.
#pragma once

#include "runtime/control_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace purser::tools {

struct engine_sample {
  std::chrono::steady_clock::time_point at;
  boost::json::object figures; ///< engine_figures
  boost::json::object health;  ///< engine_health, and pid
  boost::json::object tree;    ///< supervision_tree
  boost::json::array events;   ///< supervision_notice, the newest last
};

/// How long an engine may take to answer one question.
inline constexpr std::int64_t ask_timeout_ms = 3'000;

/// Throws engine_error.
boost::json::object ask(control_client& engine, const std::string& request);

/// Events are the newest `most_events`. Throws engine_error.
engine_sample take_sample(control_client& engine, std::size_t most_events);

/// Fields of an answer. One that is missing, because the engine is of another version, is 0 or
/// empty.
std::int64_t number_in(const boost::json::object& from, std::string_view name);
std::string text_in(const boost::json::object& from, std::string_view name);
bool is_set(const boost::json::object& from, std::string_view name);
const boost::json::array& list_in(const boost::json::object& from, std::string_view name);

/// "ready", "degraded", "stopping", "failed".
std::string status_of(const boost::json::object& health);

/// Cut or filled to a number of columns, and nothing in it that a terminal would obey. Each code
/// point counts as one column.
std::string fitted(std::string_view text, std::size_t columns, bool to_the_right = false);

/// "870 ms", "12 s", "3 min", "5 h", "9 d".
std::string duration_text(std::int64_t milliseconds);

} // namespace purser::tools
