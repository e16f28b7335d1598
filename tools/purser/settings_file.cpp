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
  to.audit_every_ms = from.engine.audit_every_ms;
  to.hang_ms = from.engine.hang_ms;
  to.checkpoint_bytes = static_cast<std::size_t>(from.journal.checkpoint_kib * kib);
  to.max_live_entities = static_cast<std::size_t>(from.entities.max_live);
  to.redeliveries = static_cast<std::uint32_t>(from.supervision.redeliveries);
  constexpr std::int64_t ms = 1'000;
  to.shop.orders.hold_ms = from.orders.hold_seconds * ms;
  to.shop.orders.hold_max_ms = from.orders.hold_max_seconds * ms;
  to.shop.orders.backorder_wait_ms = from.orders.backorder_wait_seconds * ms;
  to.shop.orders.close_after_ms = from.orders.close_after_seconds * ms;
  to.payment_deadline_ms = from.payment.deadline_ms;
  to.shop.payments.ask_again_ms = from.payment.ask_again_ms;
  to.shop.payments.ask_again_max_ms = from.payment.ask_again_max_ms;
  to.shop.payments.settle_ms = from.payment.settle_ms;
  to.payment_calls_at_once = static_cast<std::uint32_t>(from.payment.calls_at_once);
  to.payment_calls_waiting = static_cast<std::uint32_t>(from.payment.calls_waiting);
  to.payment_circuit_failures = static_cast<std::uint32_t>(from.payment.circuit_failures);
  to.payment_circuit_open_ms = from.payment.circuit_open_ms;
  to.payment_retries_permille = static_cast<std::uint32_t>(from.payment.retries_permille);
  to.simulated.seed = static_cast<std::uint64_t>(from.provider.seed);
  to.simulated.decline_permille = static_cast<std::uint32_t>(from.provider.decline_permille);
  to.simulated.timeout_permille = static_cast<std::uint32_t>(from.provider.timeout_permille);
  to.simulated.timeout_after_permille =
    static_cast<std::uint32_t>(from.provider.timeout_after_permille);
  to.simulated.late_permille = static_cast<std::uint32_t>(from.provider.late_permille);
  to.simulated.twice_permille = static_cast<std::uint32_t>(from.provider.twice_permille);
  to.simulated.late_ms = from.provider.late_ms;
  to.simulated.sales = from.provider.sales != 0;
  to.shop.payments.asks_before_alarm = static_cast<int>(from.payment.asks_before_alarm);
}

} // namespace purser::tools
