// The program's log: on standard error, so that standard output stays for results.
#pragma once

#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace purser::tools {

/// `level`: trace, debug, info, warn, error, off. Throws std::invalid_argument for another.
std::shared_ptr<spdlog::logger> make_logger(const std::string& level);

} // namespace purser::tools
