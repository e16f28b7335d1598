#include "runtime/engine.hpp"

#include "actors/node_context.hpp"
#include "runtime/addressing.hpp"
#include "runtime/checkpointer.hpp"
#include "runtime/client_calls.hpp"
#include "runtime/continuous_audit.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/crash_plan.hpp"
#include "runtime/engine_monitor.hpp"
#include "runtime/feed.hpp"
#include "runtime/fold.hpp"
#include "runtime/given_up_desk.hpp"
#include "runtime/journal/memory_store.hpp"
#include "runtime/journal/rocks_store.hpp"
#include "runtime/json/command_json.hpp"
#include "runtime/json/control_json.hpp"
#include "runtime/payment_desk.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/short_waits.hpp"
#include "runtime/simulated_provider.hpp"
#include "runtime/supervision_watch.hpp"
#include "runtime/system_ports.hpp"
#include "runtime/threads.hpp"
#include "runtime/timer_board.hpp"
#include "runtime/tree.hpp"

#include <caf/actor_system.hpp>

#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include <algorithm>
#include <thread>

namespace purser {

namespace {

/// How often deadlines of answers are looked at.
constexpr auto expiry_interval = std::chrono::milliseconds{250};

/// Of one call that the provider throws back, the first included; and the wait before the second.
constexpr std::uint32_t retry_attempts = 4;
constexpr std::int64_t first_retry_ms = 100;

std::unique_ptr<store> open_store(const engine_options& options) {
  if (!options.data_dir)
    return std::make_unique<memory_store>();
  rocks_options how;
  how.on_warning = [log = options.logger](const std::string& text) {
    if (log)
      log->warn("rocksdb {}", text);
  };
  return open_rocks_store(*options.data_dir, how);
}

/// Calls, and turns what the journal throws into the API's error.
template <class Call>
auto translated(Call call) {
  try {
    return call();
  } catch (const store_error& error) {
    throw engine_error(error.what());
  } catch (const journal_corrupt& error) {
    throw engine_error(error.what());
  } catch (const broken_invariant& error) {
    throw engine_error(std::string{"the journal breaks an invariant: "} + error.what());
  }
}

/// One more for each shard than keeps all threads busy: should a handler block, the shard goes on.
std::size_t shells_for(const engine_options& options) {
  return 1 + (threads_or_cores(options.threads) + options.shards - 1U) /
               std::max<std::size_t>(options.shards, 1);
}

std::unique_ptr<clock> make_clock(engine_time time) {
  switch (time) {
  case engine_time::machine: return std::make_unique<system_clock>();
  case engine_time::commands: return std::make_unique<command_clock>();
  case engine_time::driven: return std::make_unique<driven_clock>();
  }
  throw engine_error("unknown kind of time");
}

/// The answer that a call gives to a callback, as a future.
template <class Call>
std::future<answer> promised(Call call) {
  auto promise = std::make_shared<std::promise<answer>>();
  auto future = promise->get_future();
  call([promise](const answer& result) { promise->set_value(result); });
  return future;
}

class running_engine final : public engine {
public:
  explicit running_engine(engine_options options)
      : options_(std::move(options)),
        log_(options_.logger ? options_.logger
                             : std::make_shared<spdlog::logger>(
                                 "purser", std::make_shared<spdlog::sinks::null_sink_mt>())),
        clock_(make_clock(options_.time)), crashes_(options_.crash_every),
        delivery_(
          [this](const std::string& error) { log_->error("callback_threw error={}", error); }),
        calls_(options_.max_in_flight, options_.answer_deadline_ms, *clock_, delivery_),
        feeds_(std::make_shared<feed_signal>()), router_(options_.shards),
        load_([this] { journal_.no_more_to_come(); }),
        journal_(open_store(options_), journal_settings()),
        config_(options_.threads, &load_, [this] { journal_.release(); }), system_(config_),
        provider_(options_.provider ? options_.provider
                                    : std::make_shared<simulated_provider>(options_.simulated)),
        desk_(provider_, router_, *clock_, desk_settings()), timers_(journal_, router_, *clock_),
        node_{journal_, *clock_, random_, router_, entity_settings(), {}, {}, {}, {}, {},
              {},       {},      {},      {}},
        monitor_({system_, node_, at_work_, delivery_},
                 {[this](const supervision_notice& notice) { on_notice(notice); },
                  [this](const std::string& text) { on_alarm(text); }}),
        checkpointer_(
          journal_, options_.checkpoint_bytes,
          {[this](const std::string& why) { journal_.abandon(why); },
           [this](const std::string& why) { on_alarm("checkpoints_stopped cause=" + why); },
           [this](std::uint16_t shard) { timers_.checkpoint_begins(shard); },
           [this](std::uint16_t shard) { timers_.checkpoint_done(shard); }}) {
    if (options_.time != engine_time::machine)
      router_.count(activity_);
    if (auto* simulated = dynamic_cast<simulated_provider*>(provider_.get()))
      simulated->use_time([this] { return clock_->waiting_ms(); },
                          [this](std::int64_t delay_ms, std::function<void()> what) {
                            desk_.later(delay_ms, std::move(what));
                          });
    node_.at_work = &at_work_;
    node_.set_timer = [this](const entity_ref& entity, std::optional<unix_millis> due) {
      timers_.set(entity, due);
    };
    node_.on_alarm = [this](const std::string& text) { on_alarm(text); };
    node_.call_provider_for = [this](entity_ref payment, call_provider call, unix_millis at) {
      desk_.submit(std::move(payment), std::move(call), at);
    };
    node_.on_supervision = [this](const supervisors::supervision_event& event) { on_event(event); };
    node_.given_up = &given_up_;
    node_.inject_crash = [this](const envelope& message) { return crashes_.next(message); };
    parts_ready_ = true;
    try {
      restore_clock();
      start_actors();
      monitor_.start_watchdog(options_.hang_ms);
      take_up_open_work();
      if (options_.time == engine_time::machine)
        timers_.start_thread();
      ticker_ = std::thread{[this] { tick(); }};
      if (options_.audit_every_ms > 0)
        audits_ = std::make_unique<continuous_audit>(
          journal_, options_.audit_every_ms,
          [this](const std::string& finding) { on_alarm("audit_broken finding=" + finding); });
      if (options_.time == engine_time::commands)
        waits_.emplace(activity_, node_.open, static_cast<command_clock&>(*clock_), desk_);
      if (options_.control_socket && options_.data_dir)
        open_control_socket();
    } catch (...) {
      stop();
      throw;
    }
  }

  ~running_engine() override { stop(); }

  // -- Commands and queries -----------------------------------------------------------------------

  void submit(command request, std::function<void(const answer&)> on_answer) override {
    if (request.command_id.empty())
      request.command_id = make_uuid7(*clock_, random_);
    fill_ids(request);
    if (const auto mistake = check(request))
      throw invalid_command(mistake->pointer, mistake->message);
    commands_.fetch_add(1, std::memory_order_relaxed);
    if (std::holds_alternative<place_order>(request.body))
      orders_.fetch_add(1, std::memory_order_relaxed);
    if (request.at && options_.time == engine_time::commands)
      clock_->advance_to(request.at->ms);
    const bool own_time = options_.time == engine_time::commands && request.at;
    const auto at = own_time ? request.at->ms : clock_->now();
    send(addressed(std::move(request), at), std::move(on_answer));
  }

  void query(entity_ref entity, std::function<void(const answer&)> on_answer) override {
    envelope message;
    message.to = std::move(entity);
    message.query = true;
    message.at = clock_->now();
    send(std::move(message), std::move(on_answer));
  }

  std::unique_ptr<subscription>
  subscribe(std::uint64_t after, std::function<void(const event_notice&)> on_event) override {
    struct feed_subscription final : subscription {
      std::shared_ptr<feed> source;
      ~feed_subscription() override {
        if (source)
          source->stop();
      }
    };
    const std::lock_guard lock{mutex_};
    if (stopped_)
      throw engine_error("the engine has stopped");
    auto made = std::make_unique<feed_subscription>();
    made->source = std::make_shared<feed>(
      journal_, feeds_, after, std::move(on_event),
      [this](const std::string& error) { log_->error("subscription_failed error={}", error); });
    std::erase_if(subscriptions_, [](const auto& weak) { return weak.expired(); });
    subscriptions_.push_back(made->source);
    return made;
  }

  bool wait_settled(std::int64_t timeout_ms) override { return node_.open.wait_none(timeout_ms); }

  bool wait_idle(std::int64_t timeout_ms) override { return activity_.wait_idle(timeout_ms); }

  // -- Time ---------------------------------------------------------------------------------------

  unix_millis now() const override { return clock_->now(); }

  std::optional<unix_millis> next_due() override {
    auto next = timers_.next();
    if (options_.time == engine_time::machine)
      return next;
    if (const auto call = desk_.next_due()) { // waits go on with business time
      const auto at = clock_->now() + std::max<std::int64_t>(*call - clock_->waiting_ms(), 0);
      next = std::min(next.value_or(at), at);
    }
    return next;
  }

  bool advance_time(unix_millis to, std::int64_t timeout_ms) override {
    for (;;) {
      const bool quiet =
        options_.time == engine_time::commands ? wait_settled(timeout_ms) : wait_idle(timeout_ms);
      if (!quiet)
        return false;
      const auto due = next_due();
      if (!due || *due > to)
        break;
      move_time(*due);
      timers_.fire_due(clock_->now());
      desk_.time_moved();
      if (!wait_idle(timeout_ms))
        return false;
    }
    move_time(to);
    return true;
  }

  void crash(crash_order order) override { crashes_.add(std::move(order)); }

  void kill() override {
    journal_.abandon("killed");
    stop();
  }

  audit_report audit() override {
    return with_store([&] {
      checkpointer_.run_all();
      return purser::audit(journal_);
    });
  }

  engine_figures figures() const override {
    const auto& counters = node_.counters;
    const auto journal = journal_.figures();
    engine_figures made;
    made.uptime_ms = monitor_.uptime_ms();
    made.commands = commands_;
    made.orders = orders_;
    made.in_flight = calls_.waiting();
    made.messages = counters.messages;
    made.crashes = counters.crashes;
    made.restarts = counters.restarts;
    made.redelivered = counters.redelivered;
    made.dead_letters = counters.dead_letters;
    made.quarantined = counters.quarantined;
    made.activations = counters.activations;
    made.passivations = counters.passivations;
    made.live_entities = counters.live_entities;
    made.healing_us_p50 = node_.healing.quantile(0.5);
    made.healing_us_p99 = node_.healing.quantile(0.99);
    made.commits = journal.commits;
    made.events = journal.events;
    made.journal_bytes = journal.bytes;
    made.write_us = journal.write_us;
    made.sync_us = journal.sync_us;
    made.checkpoints = checkpointer_.completed();
    made.durable_position = journal_.durable();
    const auto payments = desk_.figures();
    made.payment_calls = payments.calls;
    made.payment_failures = payments.failures;
    made.payment_retries = payments.retries;
    made.payment_held_back = payments.held_back;
    made.payment_not_made = payments.not_made;
    made.payment_waiting = payments.waiting;
    made.payment_circuit = static_cast<std::uint64_t>(payments.circuit);
    // A whole audit keeps the store for itself; meanwhile the disk has the size of before.
    const std::unique_lock lock{closing_, std::try_to_lock};
    made.disk_bytes = last_disk_bytes_;
    if (!lock)
      return made;
    if (audits_) {
      const auto audits = audits_->figures();
      made.audits = audits.audits;
      made.audit_position = audits.position;
      made.audit_checked = audits.checked;
      made.audit_broken = audits.broken;
    }
    if (!closed_)
      last_disk_bytes_ = made.disk_bytes = journal_.disk().disk_bytes();
    return made;
  }

  supervision_tree tree(std::int64_t timeout_ms) override { return monitor_.tree(timeout_ms); }

  engine_health health() const override {
    engine_health made;
    made.reasons = monitor_.reasons();
    {
      const std::unique_lock lock{closing_, std::try_to_lock};
      if (lock && audits_ && audits_->figures().broken > 0)
        made.reasons.push_back("the audit has findings: " +
                               std::to_string(audits_->figures().broken));
    }
    if (const auto payments = desk_.figures(); payments.circuit != supervisors::circuit::closed)
      made.reasons.push_back(
        "payment_desk holds calls back: the circuit to the provider is open (" + payments.cause +
        "), " + std::to_string(payments.waiting) + " wait");
    if (calls_.waiting() >= options_.max_in_flight)
      made.reasons.push_back("commands are rejected: " + std::to_string(options_.max_in_flight) +
                             " are in flight");
    made.degraded = !made.reasons.empty();
    const std::lock_guard lock{mutex_};
    made.live = failure_.empty();
    made.ready = made.live && !stopped_;
    if (!made.live)
      made.reasons.insert(made.reasons.begin(), "the engine has failed: " + failure_);
    else if (stopped_)
      made.reasons.insert(made.reasons.begin(),
                          std::string{"the engine stops; it is at "} + stop_at_.load());
    return made;
  }

  std::vector<supervision_notice> supervision_events(std::uint64_t after) const override {
    return monitor_.decisions().after(after);
  }

  std::unique_ptr<subscription>
  watch_supervision(std::function<void(const supervision_notice&)> on_notice) override {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      throw engine_error("the engine has stopped");
    return watches_.add(std::move(on_notice));
  }

  std::string failure() const override {
    const std::lock_guard lock{mutex_};
    return failure_;
  }

  // -- What was given up --------------------------------------------------------------------------

  std::vector<dead_letter> dead_letters() override {
    return with_store([&] { return given_up_.letters(); });
  }

  std::optional<dead_letter> find_dead_letter(const std::string& id) override {
    return with_store([&] { return given_up_.letter(id); });
  }

  std::future<answer> redrive(const std::string& id) override {
    auto message = with_store([&] { return given_up_.redrive(id); });
    message.at = clock_->now();
    return promised([&](auto on_answer) {
      send(std::move(message), [this, id, on_answer](const answer& result) {
        if (given_up_desk::settles(result))
          given_up_.settled(id);
        on_answer(result);
      });
    });
  }

  bool drop(const std::string& id) override {
    return with_store([&] { return given_up_.drop(id); });
  }

  std::vector<quarantined_entity> quarantines() override {
    return with_store([&] { return given_up_.quarantines(); });
  }

  bool release(const entity_ref& entity) override {
    envelope message;
    message.to = entity;
    message.release = true;
    const auto result =
      promised([&](auto on_answer) { send(std::move(message), on_answer); }).get();
    if (result.result == outcome::unknown || result.why != rejection::none)
      throw engine_error(to_string(entity) + " could not be released: " + result.detail);
    return result.result == outcome::accepted;
  }

  // -- The end ------------------------------------------------------------------------------------

  void stop() override {
    {
      const std::lock_guard lock{mutex_};
      if (std::exchange(stopped_, true))
        return;
      tick_.notify_all();
    }
    stop_at_ = "its timers and audits";
    if (ticker_.joinable())
      ticker_.join();
    waits_.reset();
    {
      std::unique_ptr<continuous_audit> last;
      const std::lock_guard lock{closing_};
      last.swap(audits_);
    }
    timers_.stop();
    stop_at_ = "its actors";
    stop_actors();
    stop_at_ = "the payment provider";
    desk_.stop();
    stop_at_ = "its checkpoints";
    checkpointer_.stop();
    stop_at_ = "the journal";
    journal_.stop();
    stop_at_ = "callbacks and subscriptions";
    feeds_->close();
    for (const auto& weak : subscriptions_)
      if (const auto source = weak.lock())
        source->stop();
    calls_.end_all("the engine stopped");
    monitor_.stop_watchdog();
    delivery_.stop();
    stop_at_ = "its end";
    control_.reset();
    const std::lock_guard lock{closing_};
    closed_ = true;
    journal_.close();
    log_->info("engine_stopped position={}", journal_.durable());
  }

private:
  journal_options journal_settings() {
    journal_options made;
    made.shards = options_.shards;
    made.recovery_threads = threads_or_cores(options_.threads);
    made.wall_clock_ms = [] { return system_clock{}.now(); };
    made.on_failure = [this](const std::string& why) { on_failure(why); };
    if (options_.time == engine_time::machine)
      made.more_to_come = [this] { return load_.busy(); };
    made.on_commit = [this](position) {
      if (parts_ready_)
        checkpointer_.committed();
      feeds_->raise();
    };
    made.outputs.others_release = [this] {
      if (!parts_ready_)
        return false;
      do_urgent_work(system_);
      return true;
    };
    made.outputs.before_release = [this] {
      if (!parts_ready_)
        return;
      desk_.hold();
      delivery_.hold();
    };
    made.outputs.after_release = [this] {
      if (!parts_ready_)
        return;
      delivery_.let_go();
      desk_.let_go(); // may call the provider
    };
    return made;
  }

  entity_policy entity_settings() const {
    entity_policy made;
    made.max_live = options_.max_live_entities;
    made.shells = shells_for(options_);
    made.shop = options_.shop;
    made.shop.orders.sales = provider_->takes_sales();
    made.restarts.redeliveries = options_.redeliveries;
    return made;
  }

  /// In simulated time only deadlines count: what else is held back would hang on which of several
  /// calls of one moment comes first.
  payment_desk::options desk_settings() {
    payment_desk::options made;
    made.provider.deadline_ms = options_.payment_deadline_ms;
    made.by_machine = options_.time != engine_time::driven;
    made.time_of_command = options_.time == engine_time::commands;
    made.at_work = &at_work_;
    made.random = [this] { return random_.unit(); };
    made.on_circuit = [this](const circuit_change& change) { on_circuit(change); };
    if (options_.time != engine_time::machine)
      return made;
    made.at_once_if_prompt = true;
    made.provider.at_once = std::max(options_.payment_calls_at_once, 1U);
    made.provider.waiting = options_.payment_calls_waiting;
    made.provider.circuit.failures_in_a_row = options_.payment_circuit_failures;
    made.provider.circuit.cool_down_ms = options_.payment_circuit_open_ms;
    made.provider.retries.retries_per_1000_calls = options_.payment_retries_permille;
    made.provider.retries.attempts = options_.payment_retries_permille == 0 ? 1 : retry_attempts;
    made.provider.retries.backoff.min_ms = first_retry_ms;
    return made;
  }

  void send(envelope message, std::function<void(const answer&)> on_answer) {
    message.client = calls_.open(message.to.key, on_answer);
    if (message.client)
      return router_.send(std::move(message));
    if (const auto why = calls_.ended(); !why.empty())
      return calls_.refuse(message.to.key, on_answer, outcome::unknown, rejection::none, why);
    calls_.refuse(message.to.key, on_answer, outcome::rejected, rejection::overloaded,
                  "too many commands are in flight");
  }

  /// Calls while the journal's store is there.
  template <class Call>
  std::invoke_result_t<Call> with_store(Call call) {
    const std::lock_guard lock{closing_};
    if (closed_)
      throw engine_error("the engine has stopped");
    try {
      return translated(call);
    } catch (const journal_stopped& error) {
      throw engine_error(error.what());
    }
  }

  /// Business time goes on from the newest event.
  void restore_clock() {
    for (std::uint16_t shard = 0; shard < journal_.shards(); ++shard) {
      const auto last = journal_.disk().last_chunk(shard);
      if (last == 0)
        continue;
      const auto bytes = journal_.disk().chunk(shard, last);
      read_chunk(bytes.value(),
                 [&](recorded_event&& event) { clock_->advance_to(event.event.at); });
    }
  }

  void start_actors() {
    for (std::uint16_t shard = 0; shard < options_.shards; ++shard)
      shards_.push_back(std::make_shared<shard_state>(shard));
    for (const auto& given_up :
         given_up::quarantines(journal_.disk())) { // B5: until it is released
      const auto shard = shard_of(given_up.entity, options_.shards);
      const auto cell = router_.inbox(shard).find_or_add(given_up.entity);
      cell->quarantined = true;
      cell->failure = given_up.cause;
    }
    std::promise<std::string> started;
    supervisors::supervisor_hooks hooks;
    hooks.on_event = node_.on_supervision;
    hooks.on_started = [&started](const std::string& error) { started.set_value(error); };
    hooks.random = [this] { return random_.unit(); };
    hooks.render = [this](const caf::error& reason) { return system_.render(reason); };
    root_ = start_tree(system_, node_, shards_, std::move(hooks));
    monitor_.set_root(root_);
    if (const auto error = started.get_future().get(); !error.empty())
      throw engine_error("the supervision tree did not start: " + error);
  }

  void take_up_open_work() {
    const auto open = find_open_work(journal_, [this](const entity_unreadable& error) {
      on_alarm(std::string{"entity_unreadable cause="} + error.what());
    });
    for (const auto& [entity, due] : open.timers)
      timers_.set(entity, due);
    for (const auto& entity : open.steps) {
      node_.open.add(1);
      envelope wake;
      wake.to = entity;
      router_.send(std::move(wake));
    }
    log_->info("engine_started position={} open_work={} shards={}", journal_.durable(),
               open.steps.size(), options_.shards);
  }

  void stop_actors() {
    stop_tree(system_, node_, shards_, root_);
    root_ = nullptr;
    monitor_.set_root(nullptr);
  }

  void open_control_socket() {
    try {
      control_ = std::make_unique<purser::control_socket>(
        *options_.data_dir,
        [this](std::string_view request) { return answer_control(*this, request); },
        purser::control_socket::limits{});
    } catch (const std::exception& error) { // an engine without it is as good
      log_->warn("control_socket_failed cause={}", error.what());
    }
  }

  void tick() {
    std::unique_lock lock{mutex_};
    while (!stopped_) {
      tick_.wait_for(lock, expiry_interval);
      lock.unlock();
      calls_.expire();
      lock.lock();
    }
  }

  void move_time(unix_millis to) {
    const auto passed = to - clock_->now();
    if (auto* commands = dynamic_cast<command_clock*>(clock_.get()); commands && passed > 0)
      commands->skip_waiting_to(commands->waiting_ms() + passed);
    clock_->advance_to(to);
  }

  void on_alarm(const std::string& text) {
    log_->warn("alarm {}", text);
    if (options_.on_alarm)
      delivery_.post([this, text] { options_.on_alarm(text); });
  }

  void on_event(const supervisors::supervision_event& event) {
    const auto what = supervisors::to_string(event.kind);
    const bool bad = event.kind == supervisors::event_kind::gave_up ||
                     event.kind == supervisors::event_kind::entity_quarantined ||
                     event.kind == supervisors::event_kind::message_dead_lettered;
    log_->log(bad                                                    ? spdlog::level::err
              : event.kind == supervisors::event_kind::child_crashed ? spdlog::level::warn
                                                                     : spdlog::level::info,
              "{} path={} restarts={} healing_us={} cause={}", what, event.path, event.restarts,
              event.healing_us, event.cause);
    supervision_notice notice;
    notice.what = what;
    notice.path = event.path;
    notice.cause = event.cause;
    notice.restarts = event.restarts;
    notice.healing_us = event.healing_us;
    monitor_.note(std::move(notice));
    if (event.kind == supervisors::event_kind::gave_up && event.path == "root")
      on_failure("the supervision tree gave up: " + event.cause);
  }

  void on_notice(const supervision_notice& notice) {
    if (notice.what == "actor_goes_on")
      log_->info("actor_goes_on path={} after_us={}", notice.path, notice.healing_us);
    if (options_.on_supervision)
      delivery_.post([this, notice] { options_.on_supervision(notice); });
    watches_.tell(notice, delivery_);
  }

  void on_circuit(const circuit_change& change) {
    using supervisors::circuit;
    supervision_notice notice;
    notice.what = change.to == circuit::open     ? "circuit_opened"
                  : change.to == circuit::closed ? "circuit_closed"
                                                 : "circuit_half_open";
    notice.path = "payment_desk";
    notice.cause = change.cause;
    log_->log(change.to == circuit::open ? spdlog::level::warn : spdlog::level::info,
              "{} path={} cause={}", notice.what, notice.path, notice.cause);
    monitor_.note(std::move(notice));
    if (change.from == circuit::closed) // probes that fail are no news
      on_alarm("payment_circuit_open cause=" + change.cause);
  }

  /// The journal has failed, or the tree: nothing more is accepted.
  void on_failure(const std::string& why) {
    {
      const std::lock_guard lock{mutex_};
      if (!failure_.empty())
        return;
      failure_ = why;
    }
    node_.stopping = true;
    log_->critical("engine_failed cause={}", why);
    calls_.end_all(why);
    if (options_.on_fatal)
      delivery_.post([this, why] { options_.on_fatal(why); });
  }

  engine_options options_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<clock> clock_;
  crash_plan crashes_;
  work_board at_work_;
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<std::uint64_t> orders_{0};
  std::atomic<const char*> stop_at_{""}; ///< what stop() waits for
  system_random random_;
  activity activity_;
  mutable std::atomic<std::uint64_t> last_disk_bytes_{0};
  mutable std::mutex closing_; ///< of closed_: whether the journal's store is still there
  bool closed_ = false;
  mutable std::mutex mutex_;
  std::condition_variable tick_;
  bool stopped_ = false;
  std::string failure_;
  task_queue delivery_;
  client_calls calls_;
  std::shared_ptr<feed_signal> feeds_;
  std::vector<std::weak_ptr<feed>> subscriptions_;
  router router_;
  std::atomic<bool> parts_ready_{false};
  scheduler_load load_;
  group_commit_journal journal_;
  scheduler_config config_;
  caf::actor_system system_;
  std::shared_ptr<payment_gateway> provider_;
  payment_desk desk_;
  timer_board timers_;
  given_up_desk given_up_{journal_};
  node_context node_;
  supervision_watches watches_;
  engine_monitor monitor_;
  checkpointer checkpointer_;
  shard_states shards_;
  caf::actor root_;
  std::thread ticker_;
  std::optional<short_waits> waits_;
  std::unique_ptr<continuous_audit> audits_; ///< while it runs; under closing_
  std::unique_ptr<purser::control_socket> control_;
};

} // namespace

std::unique_ptr<engine> engine::start(engine_options options) {
  return translated([&]() -> std::unique_ptr<engine> {
    return std::make_unique<running_engine>(std::move(options));
  });
}

std::future<answer> engine::submit(command request) {
  return promised([&](auto on_answer) { submit(std::move(request), on_answer); });
}

std::future<answer> engine::query(entity_ref entity) {
  return promised([&](auto on_answer) { query(std::move(entity), on_answer); });
}

} // namespace purser
