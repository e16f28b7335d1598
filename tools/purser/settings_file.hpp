// A settings file, read and applied.
#pragma once

#include "config/settings.hpp"
#include "runtime/engine.hpp"

#include <string>

namespace purser::tools {

/// Reads a settings file; an empty path gives the defaults. Throws std::runtime_error with every
/// mistake, one a line: "FILE: /pointer what is wrong".
config::settings load_settings(const std::string& path);

/// Puts settings into the options of an engine.
void apply(const config::settings& from, engine_options& to);

} // namespace purser::tools
