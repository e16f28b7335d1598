// Commands as JSON: the same objects on the command line, in scenarios and over HTTP.
#pragma once

#include "actors/domain/commands.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace purser {

/// Reads one command and checks every rule that its shape alone shows (check() of commands.hpp).
/// @returns the first mistake: a JSON pointer to the field, and what is wrong with its bound.
std::variant<command, command_error> parse_command(std::string_view json);

/// Gives a command without ids the ones that follow from its command_id: order_id, receipt_id,
/// batch_id, adjustment_id; and lines without one "1", "2"... The command_id must not be empty.
void fill_ids(command& value);

/// The JSON Schema of a command: one of every `op`.
boost::json::object command_schema();

/// A command_id for a line of a replay: from its content and how often that content came before.
std::string derived_command_id(std::string_view line, std::uint64_t occurrence);

} // namespace purser
