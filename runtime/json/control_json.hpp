// The requests of control_socket.hpp, answered by an engine.
#pragma once

#include <string>
#include <string_view>

namespace purser {

class engine;

/// `request`: "tree", "health", "figures" or "events N" (those after number N). @returns one line
/// of JSON; {"error": ...} for anything else. Never throws.
std::string answer_control(engine& from, std::string_view request);

} // namespace purser
