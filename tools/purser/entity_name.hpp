// Entities as people name them: "order/o-1".
#pragma once

#include "actors/domain/entity_ref.hpp"

#include <string>

namespace purser::tools {

/// The reverse of to_string. Throws std::runtime_error with the kinds that there are.
entity_ref entity_named(const std::string& name);

} // namespace purser::tools
