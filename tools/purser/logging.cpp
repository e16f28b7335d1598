#include "tools/purser/logging.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <stdexcept>

namespace purser::tools {

std::shared_ptr<spdlog::logger> make_logger(const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off")
    throw std::invalid_argument("--log-level is \"" + level +
                                "\"; it must be trace, debug, info, warn, error or off");
  auto log =
    std::make_shared<spdlog::logger>("purser", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  log->set_level(parsed);
  log->flush_on(spdlog::level::err);
  return log;
}

} // namespace purser::tools
