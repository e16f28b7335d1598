// The embedding API: an order engine in your process. Nothing of CAF, RocksDB or JSON shows here.
//
//   auto engine = purser::engine::start({.data_dir = "/var/lib/shop"});
//   auto answer = engine->submit(purser::command{.command_id = "c-1", .body =
//   place_order{...}}).get();
//
// Threads: every function may be called from any thread. Answers, on_fatal and on_supervision come
// on one thread of the engine, its delivery thread, one at a time; one that blocks delays later
// callbacks, and no order. Each subscription has a thread of its own. Several engines may live in
// one process; each has its own threads, actors and logger.
#pragma once

#include "actors/answer.hpp"
#include "actors/domain/commands.hpp"
#include "actors/domain/entity_ref.hpp"
#include "actors/domain/policies.hpp"
#include "actors/ports/payment_gateway.hpp"
#include "runtime/audit.hpp"
#include "runtime/given_up.hpp"
#include "runtime/introspection.hpp"
#include "runtime/provider_moods.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace spdlog {
class logger;
}

namespace purser {

/// The engine could not be started: the directory is in use, damaged, of a newer format; the disk
/// fails.
struct engine_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A command that its shape alone shows to be wrong. It left no trace.
struct invalid_command : std::invalid_argument {
  invalid_command(std::string at, const std::string& message)
      : std::invalid_argument(message), pointer(std::move(at)) {}
  std::string pointer; ///< JSON pointer to the field
};

/// One durable event.
struct event_notice {
  std::uint64_t position = 0; ///< in the engine's total order: 1, 2, 3...
  entity_ref stream;
  std::uint64_t version = 0; ///< in its stream: 1, 2, 3...
  std::string name;          ///< "order_placed"
  unix_millis at = 0;        ///< business time
  std::string cause;         ///< the command that caused it, if one did
  std::string data;          ///< the event's fields as a JSON object
};

/// Ends the subscription when it goes. It may outlive the engine.
class subscription {
public:
  virtual ~subscription() = default;
};

/// What time it is for orders, and who moves it (contract.md, section 5).
enum class engine_time : std::uint8_t {
  machine,  ///< the machine's clock; timers fire by themselves
  commands, ///< the largest `at` of the commands; waits for the provider are cut short; timers fire
            ///< in `advance_time`, and before the entity's next command
  driven, ///< it stands still but for `advance_time`; waits for the provider are measured in it too
};

/// An actor is to crash: for tests and scenarios.
struct crash_order {
  std::optional<entity_ref> entity;   ///< any
  std::optional<std::string> message; ///< while it handles this: an `op`, or "hold_units"...; any
  std::uint32_t times = 1;
  bool every_delivery = false; ///< and whenever it is redelivered: it ends as a dead letter (B3)
};

struct engine_options {
  /// Where the journal lives; without it everything is in memory and lost at the end.
  std::optional<std::filesystem::path> data_dir;
  std::uint16_t shards = 8; ///< fixed when a data directory is created
  unsigned threads = 0;     ///< of the actors, and before them of recovery; 0: as many as cores
  std::size_t max_in_flight = 4'096; ///< commands and queries without an answer; more are rejected
  std::int64_t answer_deadline_ms = 30'000; ///< then a command ends as `unknown`; 0: never
  std::size_t max_live_entities = 20'000;   ///< idle ones beyond it leave memory
  std::size_t checkpoint_bytes = std::size_t{4} << 20; ///< of a shard's log, between checkpoints
  std::uint32_t redeliveries = 2;                      ///< of a message that crashes its entity
  std::int64_t payment_deadline_ms = 10'000;           ///< of one call to the provider
  /// Calls to the provider without an answer, at most; more wait. These five count only when time
  /// is the machine's.
  std::uint32_t payment_calls_at_once = 1'024;
  std::uint32_t payment_calls_waiting = 100'000; ///< more than that are `unknown`, and asked about
  std::uint32_t payment_circuit_failures = 10;   ///< in a row: calls are held back; 0: never
  std::int64_t payment_circuit_open_ms = 5'000;  ///< before one call finds out how the provider is
  std::uint32_t payment_retries_permille = 100;  ///< of all calls; 0: none is tried again
  shop_policy shop;                              ///< deadlines of orders and payments
  /// The payment provider; without it a simulated one (simulated_provider.hpp).
  std::shared_ptr<payment_gateway> provider;
  /// How the simulated provider behaves.
  provider_options simulated;
  engine_time time = engine_time::machine;
  /// In the background all entities are audited against each other at one moment of the journal, at
  /// most so often and for at most a twentieth of the time; 0: never. See engine_figures::audits.
  std::int64_t audit_every_ms = 60'000;
  /// What makes no progress for so long is told as an alarm, and makes the engine's health
  /// degraded: one message of an actor, the scheduler, callbacks, the journal, a call to the
  /// provider; 0: never.
  std::int64_t hang_ms = 2'000;
  /// Other processes of the same user may look at the engine through `data_dir`/control.sock
  /// (`purser top`).
  bool control_socket = false;
  /// Makes the entity crash that handles every n-th command of its own or of others; 0: never.
  std::uint64_t crash_every = 0;
  /// Called once when the journal failed: the engine has stopped, pending commands end as
  /// `unknown`.
  std::function<void(const std::string& why)> on_fatal;
  /// Something for people to look at ("order_needs_attention order=o-1 reason=..."), durable; on
  /// the delivery thread. It is logged too.
  std::function<void(const std::string& text)> on_alarm;
  /// Supervision decisions, on the delivery thread.
  std::function<void(const supervision_notice&)> on_supervision;
  /// Without it the engine is silent.
  std::shared_ptr<spdlog::logger> logger;
};

/// Figures of one life of the engine.
struct engine_figures {
  std::int64_t uptime_ms = 0;
  std::uint64_t commands = 0;  ///< submitted
  std::uint64_t orders = 0;    ///< of them `order.place`
  std::uint64_t in_flight = 0; ///< commands and queries without an answer
  std::uint64_t messages = 0;
  std::uint64_t crashes = 0;
  std::uint64_t restarts = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t activations = 0;
  std::uint64_t passivations = 0;
  std::int64_t live_entities = 0;
  std::int64_t healing_us_p50 = 0;
  std::int64_t healing_us_p99 = 0;
  std::uint64_t commits = 0;
  std::uint64_t events = 0;
  std::uint64_t journal_bytes = 0;
  std::uint64_t write_us = 0;
  std::uint64_t sync_us = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t durable_position = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t audits = 0;            ///< in the background
  std::uint64_t audit_position = 0;    ///< of the last moment that was audited
  std::uint64_t audit_checked = 0;     ///< invariants, in the last audit
  std::uint64_t audit_broken = 0;      ///< findings that two audits in a row have made
  std::uint64_t payment_calls = 0;     ///< to the provider, those tried again included
  std::uint64_t payment_failures = 0;  ///< of them thrown back, or silent for their deadline
  std::uint64_t payment_retries = 0;   ///< of what the provider threw back
  std::uint64_t payment_held_back = 0; ///< calls that met a circuit that was not closed
  std::uint64_t payment_not_made = 0;  ///< calls that waited too long, or were too many
  std::uint64_t payment_waiting = 0;   ///< calls, now
  std::uint64_t payment_circuit = 0;   ///< 0 closed, 1 open, 2 half open
};
BOOST_DESCRIBE_STRUCT(engine_figures, (),
                      (uptime_ms, commands, orders, in_flight, messages, crashes, restarts,
                       redelivered, dead_letters, quarantined, activations, passivations,
                       live_entities, healing_us_p50, healing_us_p99, commits, events,
                       journal_bytes, write_us, sync_us, checkpoints, durable_position, disk_bytes,
                       audits, audit_position, audit_checked, audit_broken, payment_calls,
                       payment_failures, payment_retries, payment_held_back, payment_not_made,
                       payment_waiting, payment_circuit))

class engine {
public:
  /// Starts an engine and takes up every workflow that was under way. Throws engine_error.
  static std::unique_ptr<engine> start(engine_options options);

  /// Stops.
  virtual ~engine() = default;

  /// Ends in order: what was accepted is durable, pending commands end as `unknown`, callbacks have
  /// come, and the data directory is free for another engine. Not from a callback. What is
  /// submitted later ends as `unknown`, on the caller's thread.
  virtual void stop() = 0;

  /// Carries out a command. The callback comes once; when it says accepted or rejected, that is
  /// durable. Throws invalid_command.
  virtual void submit(command request, std::function<void(const answer&)> on_answer) = 0;
  std::future<answer> submit(command request);

  /// Reads one entity; what the answer's view tells is durable. monostate: there is none.
  virtual void query(entity_ref entity, std::function<void(const answer&)> on_answer) = 0;
  std::future<answer> query(entity_ref entity);

  /// Calls back for every durable event after a position, in order, from now on and for ever; on a
  /// thread of the subscription's own. Throws engine_error when the engine has stopped.
  virtual std::unique_ptr<subscription>
  subscribe(std::uint64_t after, std::function<void(const event_notice&)> on_event) = 0;

  /// Waits until no workflow has a step under way. @returns false when `timeout_ms` passed first.
  virtual bool wait_settled(std::int64_t timeout_ms) = 0;

  /// Waits until nothing at all goes on. Only when time is `commands` or `driven`.
  virtual bool wait_idle(std::int64_t timeout_ms) = 0;

  /// Business time.
  virtual unix_millis now() const = 0;

  /// When time will next have an effect; nothing when it never will.
  virtual std::optional<unix_millis> next_due() = 0;

  /// Moves business time: everything that is due on the way happens, in order, each when all before
  /// it has settled. Not when time is the machine's. @returns false when something did not settle
  /// within `timeout_ms` of real time.
  virtual bool advance_time(unix_millis to, std::int64_t timeout_ms) = 0;

  /// Makes an actor crash at its next message that fits. What is supervised heals.
  virtual void crash(crash_order order) = 0;

  /// Ends at once, as if the process had been killed: what is not durable is lost, nobody is
  /// answered.
  virtual void kill() = 0;

  /// Sums and invariants over everything. Only while nothing is under way. Throws engine_error.
  virtual audit_report audit() = 0;

  virtual engine_figures figures() const = 0;

  /// The live tree. Actors that have not answered after `timeout_ms` are told as `not_responding`.
  virtual supervision_tree tree(std::int64_t timeout_ms) = 0;

  /// Whether it works, and why not. Also while `stop()` waits: then the reasons say for what.
  virtual engine_health health() const = 0;

  /// The supervision decisions after a number, as far as they are kept: the newest 512.
  virtual std::vector<supervision_notice> supervision_events(std::uint64_t after) const = 0;

  /// Calls back for every supervision decision from now on, on the delivery thread. Throws
  /// engine_error when the engine has stopped.
  virtual std::unique_ptr<subscription>
  watch_supervision(std::function<void(const supervision_notice&)> on_notice) = 0;

  /// Why the engine has stopped by itself; empty while it works.
  virtual std::string failure() const = 0;

  // -- What was given up (B3, B5): these wait for the disk, and throw engine_error when the engine
  // -- has stopped. Not from a callback
  // ------------------------------------------------------------

  /// Every dead letter, the oldest first by the wall clock. A letter is durable before its caller
  /// is told `dead_lettered`.
  virtual std::vector<dead_letter> dead_letters() = 0;

  /// nullopt: there is none of that id.
  virtual std::optional<dead_letter> find_dead_letter(const std::string& id) = 0;

  /// Sends a letter's message again. A client's command was answered `dead_lettered` under its own
  /// id, for ever (I1); so it goes under one of its own, "redrive/ID/N", where N - 1 redrives have
  /// ended here again. Repeated, also after a crash, it is the same N until it was answered: the
  /// effect is there once. A message of an entity goes as it was, and is known by what made it
  /// idempotent. When it was carried out or refused, the letter goes; when the answer is unknown,
  /// dead_lettered, quarantined or overloaded, it stays. It is taken to be of now.
  /// Throws engine_error: no such letter, or it cannot be sent (dead_letter::cannot_redrive).
  virtual std::future<answer> redrive(const std::string& id) = 0;

  /// Forgets a letter, durably. @returns false when there is none of that id.
  virtual bool drop(const std::string& id) = 0;

  /// Every quarantined entity, those of earlier lives too.
  virtual std::vector<quarantined_entity> quarantines() = 0;

  /// Ends a quarantine, durably: the entity is rebuilt at once, and quarantined again when it
  /// cannot be. @returns false when it is not quarantined.
  virtual bool release(const entity_ref& entity) = 0;
};

} // namespace purser
