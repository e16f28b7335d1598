// A scenario: a story of stock, orders, faults and expectations, as JSON
// (docs/formats/scenario.md).
#pragma once

#include "actors/domain/commands.hpp"
#include "runtime/json/time_json.hpp"
#include "runtime/simulated_provider.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace purser::tools {

/// The scenario cannot be read; the text says where and what.
struct scenario_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct stock_step {
  std::string sku;
  std::string location{default_location};
  std::uint32_t quantity = 0;
};
BOOST_DESCRIBE_STRUCT(stock_step, (), (sku, location, quantity))

/// An actor that is to crash.
struct crash_step {
  std::optional<std::string> actor; ///< "order/o-1"; any
  std::optional<std::string> on;    ///< while it handles this; any
  std::uint32_t times = 1;
  bool every_delivery = false; ///< and at each redelivery: the message is given up in the end
};
BOOST_DESCRIBE_STRUCT(crash_step, (), (actor, on, times, every_delivery))

/// What the provider does to the next operations that fit.
struct provider_step {
  std::optional<std::string> order_id;
  std::optional<operation_kind> operation;
  provider_mood mood = provider_mood::approve;
  std::uint32_t times = 1; ///< 0: from now on
};
BOOST_DESCRIBE_STRUCT(provider_step, (), (order_id, operation, mood, times))

/// What must hold: one of the first five, and what it is (any part of the object that is shown).
struct expectation {
  std::optional<std::string> order;
  std::optional<std::string> payment;
  std::optional<std::string> stock;
  std::optional<std::string> reservation;
  std::optional<bool> totals; ///< of everything: the summary
  boost::json::value is;
};
BOOST_DESCRIBE_STRUCT(expectation, (), (order, payment, stock, reservation, totals, is))

/// One thing that happens, or is expected.
struct scenario_step {
  std::optional<std::string> say; ///< shown in the timeline
  std::optional<boost::json::value> command;
  std::vector<boost::json::value> together; ///< commands that are sent at the same time
  std::optional<std::uint32_t> repeat;      ///< of command: "{n}" in its texts is 1, 2, 3...
  std::optional<std::string> answer;        ///< of command, redrive: "accepted", or the rejection
  std::optional<std::string> wait;          ///< "90s", "15m", "2h", "30d"
  std::optional<timestamp> until;
  std::optional<crash_step> crash;
  std::optional<provider_step> provider;
  std::optional<std::string> customer_acts; ///< the order whose payment waits for its customer
  bool provider_confesses = false;          ///< what was unknown is told
  bool redrive = false;                     ///< every dead letter, the oldest first
  bool kill = false;                        ///< the engine, at once; then it starts again
  bool restart = false;                     ///< in order
  std::optional<expectation> expect;
  std::optional<std::string> within; ///< of expect: so much time may pass first
};
BOOST_DESCRIBE_STRUCT(scenario_step, (),
                      (say, command, together, repeat, answer, wait, until, crash, provider,
                       customer_acts, provider_confesses, redrive, kill, restart, expect, within))

struct scenario {
  std::string name;
  std::string story;
  std::optional<timestamp> start; ///< 2026-01-01T09:00:00Z
  boost::json::value settings;    ///< over the defaults, as in a settings file
  std::vector<stock_step> stock;  ///< received at the start
  std::vector<scenario_step> steps;
};
BOOST_DESCRIBE_STRUCT(scenario, (), (name, story, start, settings, stock, steps))

/// Throws scenario_error: "FILE: /steps/3/wait: what is wrong".
scenario load_scenario(const std::string& file);

/// "15m" as milliseconds; nothing when it is no duration.
std::optional<std::int64_t> duration_ms(const std::string& text);

/// The n-th of a repeated command: every "{n}" in its texts is the number.
boost::json::value with_number(const boost::json::value& command, std::uint32_t n);

/// The JSON Schema of the format.
boost::json::object scenario_schema();

} // namespace purser::tools
