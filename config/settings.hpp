// Typed settings: each declared once, with its unit, default, bounds and meaning. A file is JSON
// with the same nesting: {"engine": {"shards": 8}}.
#pragma once

#include <boost/describe.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace purser::config {

struct engine_settings {
  std::int64_t threads = 0;
  std::int64_t shards = 8;
  std::int64_t max_in_flight = 4'096;
  std::int64_t answer_deadline_ms = 30'000;
  std::int64_t audit_every_ms = 60'000;
  std::int64_t hang_ms = 2'000;
};
BOOST_DESCRIBE_STRUCT(engine_settings, (),
                      (threads, shards, max_in_flight, answer_deadline_ms, audit_every_ms, hang_ms))

struct journal_settings {
  std::int64_t checkpoint_kib = 4'096;
};
BOOST_DESCRIBE_STRUCT(journal_settings, (), (checkpoint_kib))

struct entity_settings {
  std::int64_t max_live = 20'000;
};
BOOST_DESCRIBE_STRUCT(entity_settings, (), (max_live))

struct supervision_settings {
  std::int64_t redeliveries = 2;
};
BOOST_DESCRIBE_STRUCT(supervision_settings, (), (redeliveries))

struct payment_settings {
  std::int64_t deadline_ms = 10'000;
  std::int64_t ask_again_ms = 1'000;
  std::int64_t ask_again_max_ms = 60'000;
  std::int64_t settle_ms = 30'000;
  std::int64_t asks_before_alarm = 5;
  std::int64_t calls_at_once = 1'024;
  std::int64_t calls_waiting = 100'000;
  std::int64_t circuit_failures = 10;
  std::int64_t circuit_open_ms = 5'000;
  std::int64_t retries_permille = 100;
};
BOOST_DESCRIBE_STRUCT(payment_settings, (),
                      (deadline_ms, ask_again_ms, ask_again_max_ms, settle_ms, asks_before_alarm,
                       calls_at_once, calls_waiting, circuit_failures, circuit_open_ms,
                       retries_permille))

struct order_settings {
  std::int64_t hold_seconds = 900;
  std::int64_t hold_max_seconds = 86'400;
  std::int64_t backorder_wait_seconds = 2'592'000;
  std::int64_t close_after_seconds = 2'592'000;
};
BOOST_DESCRIBE_STRUCT(order_settings, (),
                      (hold_seconds, hold_max_seconds, backorder_wait_seconds, close_after_seconds))

/// Of the simulated provider: how many operations in 1,000 it treats badly, and how.
struct provider_settings {
  std::int64_t seed = 1;
  std::int64_t decline_permille = 0;
  std::int64_t timeout_permille = 0;
  std::int64_t timeout_after_permille = 0;
  std::int64_t late_permille = 0;
  std::int64_t twice_permille = 0;
  std::int64_t late_ms = 20'000;
  std::int64_t sales = 0;
};
BOOST_DESCRIBE_STRUCT(provider_settings, (),
                      (seed, decline_permille, timeout_permille, timeout_after_permille,
                       late_permille, twice_permille, late_ms, sales))

struct replay_settings {
  std::int64_t window = 256;
};
BOOST_DESCRIBE_STRUCT(replay_settings, (), (window))

struct settings {
  engine_settings engine;
  journal_settings journal;
  entity_settings entities;
  supervision_settings supervision;
  order_settings orders;
  payment_settings payment;
  provider_settings provider;
  replay_settings replay;
};
BOOST_DESCRIBE_STRUCT(settings, (),
                      (engine, journal, entities, supervision, orders, payment, provider, replay))

/// What a setting means, and what it may be. The default is the struct's initial value.
struct setting_rule {
  std::string_view pointer; ///< "/engine/shards"
  std::string_view unit;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::string_view meaning;
};

/// Every setting, in the order of the structs.
const std::vector<setting_rule>& setting_rules();

/// One mistake: "/cluster/lease_ms", "is 500; it must ...".
struct settings_error {
  std::string pointer;
  std::string message;

  friend bool operator==(const settings_error&, const settings_error&) = default;
};

/// Reads settings over the defaults. @returns every bound that is broken; `into` is whole only when
/// there is none. A syntax error or an unknown name is the only error then.
std::vector<settings_error> read_settings(std::string_view json, settings& into);

/// The value of a setting. Throws std::out_of_range for an unknown pointer.
std::int64_t value_of(const settings& from, std::string_view pointer);

} // namespace purser::config
