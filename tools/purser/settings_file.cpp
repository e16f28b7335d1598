#include "tools/purser/settings_file.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace purser::tools {

config::settings load_settings(const std::string& path) {
  config::settings made;
  if (path.empty())
    return made;
  std::ifstream file{path};
  if (!file)
    throw std::runtime_error(path + " cannot be opened");
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  std::string mistakes;
  for (const auto& error : config::read_settings(text, made))
    mistakes += (mistakes.empty() ? "" : "\n") + path + ": " + error.pointer + " " + error.message;
  if (!mistakes.empty())
    throw std::runtime_error(mistakes);
  return made;
}

void apply(const config::settings& from, engine_options& to) {
  constexpr std::int64_t kib = 1'024;
  to.threads = static_cast<unsigned>(from.engine.threads);
  to.shards = static_cast<std::uint16_t>(from.engine.shards);
  to.max_in_flight = static_cast<std::size_t>(from.engine.max_in_flight);
  to.answer_deadline_ms = from.engine.answer_deadline_ms;
  to.checkpoint_bytes = static_cast<std::size_t>(from.journal.checkpoint_kib * kib);
  to.max_live_entities = static_cast<std::size_t>(from.entities.max_live);
  to.redeliveries = static_cast<std::uint32_t>(from.supervision.redeliveries);
  to.payment_deadline_ms = from.payment.deadline_ms;
  to.payments.ask_again_ms = from.payment.ask_again_ms;
  to.payments.ask_again_max_ms = from.payment.ask_again_max_ms;
  to.payments.settle_ms = from.payment.settle_ms;
  to.payments.asks_before_alarm = static_cast<int>(from.payment.asks_before_alarm);
}

} // namespace purser::tools
