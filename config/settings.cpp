#include "config/settings.hpp"

#include "config/json_reader.hpp"
#include "config/json_writer.hpp"

#include <boost/json/parse.hpp>

namespace purser::config {

const std::vector<setting_rule>& setting_rules() {
  static const std::vector<setting_rule> rules{
    {"/engine/threads", "threads", 0, 1'024,
     "of the actors, and before them of recovery; 0: as many as cores"},
    {"/engine/shards", "shards", 1, 4'096, "fixed when a data directory is created"},
    {"/engine/max_in_flight", "commands", 1, 1'000'000, "without an answer yet; more are rejected"},
    {"/engine/answer_deadline_ms", "ms", 0, 86'400'000, "then a command ends as unknown; 0: never"},
    {"/engine/audit_every_ms", "ms", 0, 86'400'000,
     "between audits of everything, at most a twentieth of the time; 0: never"},
    {"/engine/hang_ms", "ms", 0, 3'600'000,
     "without progress, then an actor hangs and health is degraded; 0: never"},
    {"/journal/checkpoint_kib", "KiB", 64, 1'048'576, "of a shard's log between two checkpoints"},
    {"/entities/max_live", "entities", 8, 100'000'000, "in memory; idle ones beyond it leave"},
    {"/supervision/redeliveries", "times", 0, 100, "a message that crashes its entity comes again"},
    {"/orders/hold_seconds", "s", 1, 604'800, "an order's holds wait for its payment"},
    {"/orders/hold_max_seconds", "s", 1, 2'592'000,
     "they wait while a payment is in flight; then people look"},
    {"/orders/backorder_wait_seconds", "s", 1, 315'360'000, "a backorder waits for stock"},
    {"/orders/close_after_seconds", "s", 1, 315'360'000, "from completed and delivered to closed"},
    {"/payment/deadline_ms", "ms", 1, 3'600'000, "of one call to the provider"},
    {"/payment/ask_again_ms", "ms", 1, 3'600'000,
     "before an unknown outcome is asked for; doubles"},
    {"/payment/ask_again_max_ms", "ms", 1, 86'400'000, "the longest wait between two questions"},
    {"/payment/settle_ms", "ms", 0, 86'400'000, "before the provider's \"never seen\" is believed"},
    {"/payment/asks_before_alarm", "times", 1, 1'000, "then the order goes to needs_attention"},
    {"/payment/calls_at_once", "calls", 1, 1'000'000, "to the provider; more wait"},
    {"/payment/calls_waiting", "calls", 0, 10'000'000,
     "to the provider; more are unknown, and asked about"},
    {"/payment/circuit_failures", "in a row", 0, 1'000'000,
     "calls thrown back or silent, then others are held back; 0: never"},
    {"/payment/circuit_open_ms", "ms", 1, 3'600'000,
     "calls are held back, before one finds out how the provider is"},
    {"/payment/retries_permille", "in 1,000", 0, 1'000,
     "calls, at most, that are thrown back and tried again; 0: none"},
    {"/provider/seed", "number", 0, 1'000'000'000, "of the simulated provider's moods"},
    {"/provider/decline_permille", "in 1,000", 0, 1'000, "authorizations that it declines"},
    {"/provider/timeout_permille", "in 1,000", 0, 1'000,
     "operations that have no effect and no answer"},
    {"/provider/timeout_after_permille", "in 1,000", 0, 1'000,
     "operations that take effect and have no answer"},
    {"/provider/late_permille", "in 1,000", 0, 1'000, "operations that are answered late"},
    {"/provider/twice_permille", "in 1,000", 0, 1'000, "operations that are answered twice"},
    {"/provider/late_ms", "ms", 1, 86'400'000, "how late a late answer comes"},
    {"/provider/sales", "yes or no", 0, 1, "1: it authorizes and captures in one call"},
    {"/replay/window", "commands", 1, 4'096, "of a replay under way at once"},
  };
  return rules;
}

std::int64_t value_of(const settings& from, std::string_view pointer) {
  const auto all = to_json(from);
  boost::json::error_code error;
  const auto* found = all.find_pointer({pointer.data(), pointer.size()}, error);
  if (found == nullptr)
    throw std::out_of_range("no setting " + std::string{pointer});
  return found->as_int64();
}

std::vector<settings_error> read_settings(std::string_view json, settings& into) {
  std::vector<settings_error> errors;
  settings made;
  try {
    boost::json::error_code error;
    const auto document = boost::json::parse({json.data(), json.size()}, error);
    if (error)
      return {{"", "is not JSON: " + error.message()}};
    read(document, made, json_place{});
  } catch (const json_error& error) {
    return {{error.pointer, error.what()}};
  }
  for (const auto& rule : setting_rules()) {
    const auto value = value_of(made, rule.pointer);
    if (value < rule.least || value > rule.most)
      errors.push_back({std::string{rule.pointer},
                        "is " + std::to_string(value) + "; it must be from " +
                          std::to_string(rule.least) + " to " + std::to_string(rule.most) + " " +
                          std::string{rule.unit} + " (" + std::string{rule.meaning} + ")"});
  }
  if (made.payment.ask_again_ms > made.payment.ask_again_max_ms)
    errors.push_back(
      {"/payment/ask_again_ms", "is " + std::to_string(made.payment.ask_again_ms) +
                                  "; it must not exceed /payment/ask_again_max_ms (" +
                                  std::to_string(made.payment.ask_again_max_ms) +
                                  "). Lower it or raise the maximum"});
  if (made.orders.hold_seconds > made.orders.hold_max_seconds)
    errors.push_back({"/orders/hold_seconds", "is " + std::to_string(made.orders.hold_seconds) +
                                                "; it must not exceed /orders/hold_max_seconds (" +
                                                std::to_string(made.orders.hold_max_seconds) +
                                                "). Lower it or raise the maximum"});
  if (errors.empty())
    into = made;
  return errors;
}

} // namespace purser::config
