#include "runtime/simulation/simulation.hpp"

#include "actors/entity_image.hpp"
#include "runtime/addressing.hpp"
#include "runtime/simulation/auditor.hpp"
#include "runtime/simulation/simulated_process.hpp"
#include "runtime/simulation/workload.hpp"

#include <algorithm>

namespace purser::simulation {

namespace {

constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour;
constexpr std::uint64_t steps_after_the_last = 3'000; ///< command has been sent
constexpr std::uint64_t most_steps = 200'000;         ///< of a run: more is a loop

class simulated_run {
public:
  explicit simulated_run(const run_options& options)
      : options_(options), chance_(options.seed), faults_(chosen_faults()),
        bank_(chance_, faults_, [this](fault what) { hit(what); }), judge_(bank_) {
    settings_.shards = static_cast<std::uint16_t>(1 + chance_.below(3));
    settings_.max_live = 2 + chance_.below(20);
    settings_.batch = 1 + chance_.below(8);
    in_flight_ = 1 + chance_.below(6);
    patience_ = 4 + chance_.below(60);
    commands_ =
      options.workload ? *options.workload : make_workload(options.seed, options.commands);
  }

  run_report go() {
    report_.seed = options_.seed;
    try {
      start();
      while (!done())
        step();
      heal();
      settle();
      judge(true);
      report_.commands = commands_.size();
      restart_once_more();
    } catch (const std::exception& found) {
      report_.broken = found.what();
    }
    report_.writes = disk_.writes;
    collect();
    return std::move(report_);
  }

private:
  struct call final : client_call {
    simulated_run* run = nullptr;
    std::size_t number = 0;
    std::uint64_t life = 0;
    void deliver(answer result) override { run->on_answer(*this, result); }
  };
  struct question final : client_call {
    std::optional<answer> result;
    void deliver(answer found) override { result = std::move(found); }
  };

  // -- The beginning ------------------------------------------------------------------------------

  /// Some runs meet everything, most a few things: faults hide each other.
  fault_set chosen_faults() {
    fault_set chosen;
    if (options_.crash)
      return chosen;
    const auto share = 1 + chance_.below(4);
    for (const auto each : options_.faults)
      if (share == 1 || chance_.one_in(share))
        chosen.insert(each);
    return chosen;
  }

  bool has(fault what) const { return !healed_ && faults_.contains(what); }

  bool strikes(fault what, std::size_t once_in) {
    if (!has(what) || !chance_.one_in(once_in))
      return false;
    hit(what);
    return true;
  }

  void hit(fault what) {
    ++report_.reached["fault " + std::string{name_of(what)}];
    if (options_.trace)
      trace("fault " + std::string{name_of(what)});
  }

  void trace(const std::string& line) {
    if (options_.trace)
      options_.trace(std::to_string(report_.steps) + " " + std::to_string(clock_.now()) + " " +
                     line);
  }

  /// In some worlds always, in some every other life of the process, so that orders which were
  /// charged in one way are taken up in the other. By the seed itself: other worlds stay the same.
  bool bank_takes_sales() const {
    constexpr std::uint64_t kinds_of_worlds = 8, always = 3, now_and_then = 7;
    const auto kind = options_.seed % kinds_of_worlds;
    return kind == always || (kind == now_and_then && life_ % 2 == 0);
  }

  void start() {
    ++report_.processes;
    ++life_;
    judge_.started();
    settings_.shop.orders.sales = bank_takes_sales();
    simulated_process::hooks hooks;
    hooks.journal.fate = [this](bool sync) { return fate_of(sync); };
    hooks.journal.fails = [this](const entity_ref& stream) { return cannot_read(stream); };
    hooks.crash = [this](const envelope& message) { return crash_of(message); };
    hooks.on_supervision = [this](const supervisors::supervision_event& event) {
      ++report_.reached["supervision " + std::string{supervisors::to_string(event.kind)}];
      if (event.kind == supervisors::event_kind::message_dead_lettered)
        poisoned_.clear(); // another timer of the entity has no other name
      try {
        judge_.supervised(event, clock_.now());
      } catch (const verdict& found) {
        note(found);
      }
    };
    hooks.on_alarm = [this](const std::string& text) {
      ++report_.reached["alarm " + text.substr(0, text.find(' '))];
    };
    if (options_.trace)
      hooks.trace = [this](const std::string& line) { trace(line); };
    process_.emplace(simulated_world{disk_, bank_, clock_, chance_}, settings_, std::move(hooks));
    trace("process " + std::to_string(life_) + " begins at event " + std::to_string(disk_.last()));
    for (std::size_t i = 0; i < next_; ++i) // clients ask again for what they have no answer to
      if (!judge_.is_answered(i))
        submit(i);
  }

  // -- Steps --------------------------------------------------------------------------------------

  /// Commands to what was given up have no answer for a while: they are not waited for too long.
  bool done() {
    if (next_ < commands_.size())
      return false;
    return judge_.unanswered() == 0 || ++steps_after_ > steps_after_the_last;
  }

  void step() {
    if (++report_.steps > most_steps)
      throw verdict("J5: the run does not come to an end");
    if (!verdict_.empty())
      throw verdict(verdict_);
    if (process_->over())
      return end_process(strikes(fault::torn_write, 2));
    if (strikes(fault::kill, 600))
      return end_process(strikes(fault::torn_write, 2));
    if (strikes(fault::stop, 900))
      return stop_process();
    if (strikes(fault::shard_crash, 250))
      return crash_shards();
    if (strikes(fault::supervisor_crash, 700))
      return crash_supervisor();
    if (strikes(fault::clock_jump, 300))
      return jump();
    if (next_ < commands_.size() && wants_to_submit())
      return submit_next();
    if (has(fault::client_repeats) && next_ > 0 && chance_.one_in(60)) {
      hit(fault::client_repeats);
      return submit(chance_.below(next_));
    }
    if (!move_something())
      wait();
  }

  bool wants_to_submit() {
    if (burst_ > 0) {
      --burst_;
      return true;
    }
    if (strikes(fault::overload, 400))
      burst_ = 30;
    return judge_.unanswered() < in_flight_ && chance_.one_in(4);
  }

  /// Any one of the things that can happen now.
  bool move_something() {
    for (int tries = 0; tries < 12; ++tries)
      if (move(chance_.below(12)))
        return true;
    return move_in_order();
  }

  /// @returns whether there was something of the kind to do.
  bool move(std::size_t kind) {
    auto& disk = process_->journal();
    switch (kind) {
    case 0:
    case 1: return disk.has_to_sync() && !is_slow() && (disk.sync(), true);
    case 2: return disk.has_to_read() && (disk.read(), true);
    case 3: return process_->has_calls() && (process_->call_bank(), true);
    case 4: return process_->has_answers() && (process_->take_answer(), true);
    case 5: return process_->fire_timer();
    case 6: return take_snapshot(), false;
    default:
      const auto actors = process_->runnable();
      return actors > 0 && (process_->run_actor(chance_.below(actors)), true);
    }
  }

  bool is_slow() {
    if (!has(fault::slow_disk) || chance_.one_in(8))
      return false;
    ++report_.reached["fault slow_disk"];
    return true;
  }

  /// The first thing that can happen, in a fixed order.
  bool move_in_order() { return process_->step() || process_->fire_timer(); }

  void take_snapshot() {
    if (!chance_.one_in(20) || disk_.places.empty())
      return;
    auto picked = disk_.places.begin();
    std::advance(picked, static_cast<std::ptrdiff_t>(chance_.below(disk_.places.size())));
    process_->journal().take_snapshot(picked->first);
    ++report_.reached["snapshot"];
  }

  /// Nothing can happen: time passes, up to what is due or to the patience of the clients.
  void wait() {
    if (++waits_ % patience_ == 0)
      judge(false);
    if (next_ < commands_.size() && chance_.one_in(2))
      return submit_next();
    if (!options_.workload && next_ > 0 && chance_.one_in(2))
      people_look();
    if (process_->over() || !process_->quiet())
      return;
    const auto due = process_->next_due();
    move_time(due ? *due : clock_.now() + minute);
  }

  void move_time(unix_millis to) {
    clock_.advance_to(to);
    process_->time_moved();
  }

  // -- Clients ------------------------------------------------------------------------------------

  void submit_next() { submit(next_++); }

  /// A command that the workload did not foresee, now.
  void submit_now(command_body body) {
    commands_.insert(commands_.begin() + static_cast<std::ptrdiff_t>(next_),
                     command{"now-" + std::to_string(++unforeseen_), {}, std::move(body)});
    submit_next();
  }

  /// Somebody looks through the orders for one that goes on no more, and asks the bank or the
  /// customer.
  void people_look() {
    const bool healed = std::exchange(healed_, true); // nothing fails while they look
    for (std::size_t i = 0; i < next_ && !process_->over(); ++i)
      if (const auto* placed = std::get_if<place_order>(&commands_[i].body);
          placed != nullptr && chance_.one_in(3) && act_on(std::string{placed->order_id}))
        break;
    healed_ = healed;
  }

  /// @returns whether there was something to do.
  bool act_on(const std::string& id) {
    const auto found = look({entity_kind::order, id});
    const auto* order = std::get_if<order_view>(&found);
    if (order == nullptr)
      return false;
    if (order->status == order_status::on_hold)
      return submit_now(retry_payment{id, {"card", "another"}}), true;
    if (order->status == order_status::awaiting_payment)
      return submit_now(hold_order{id, "it takes long"}), true;
    if (order->status != order_status::needs_attention)
      return false;
    const auto paid = look({entity_kind::payment, id});
    if (const auto* payment = std::get_if<payment_view>(&paid))
      for (const auto& operation : payment->operations)
        if (operation.status == operation_status::unknown)
          return tell_the_truth(id, operation), true;
    return false;
  }

  /// Of money on its way back an operator says only that it has arrived: that it will not cannot be
  /// known while a call may be under way.
  void tell_the_truth(const std::string& id, const operation_view& operation) {
    const bool done = bank_.took_effect(id + ":" + operation.operation_id);
    const bool forward =
      begins_payment(operation.kind) || operation.kind == operation_kind::capture;
    if (!done && !forward)
      return;
    const auto finding = !done || operation.kind == operation_kind::void_authorization
                           ? payment_finding::voided
                         : operation.kind == operation_kind::refund ? payment_finding::refunded
                                                                    : payment_finding::captured;
    submit_now(resolve_order{id, finding, "the bank says so"});
  }

  void submit(std::size_t number) {
    const auto& request = commands_[number];
    trace("client " + request.command_id + " " + std::string{op_of(request.body)});
    judge_.submitted(number, request, clock_.now());
    auto client = std::make_shared<call>();
    client->run = this;
    client->number = number;
    client->life = life_;
    auto message = addressed(request, clock_.now());
    message.client = client;
    process_->send(std::move(message));
  }

  void on_answer(const call& from, const answer& result) {
    ++report_.reached["answer " + (result.result == outcome::rejected
                                     ? std::string{to_string(result.why)}
                                   : result.result == outcome::accepted ? "accepted"
                                                                        : "unknown")];
    trace("answer " + commands_[from.number].command_id + " " + std::string{to_string(result.why)} +
          (result.duplicate ? " again" : ""));
    try {
      judge_.answered(from.number, result);
    } catch (const verdict& found) {
      note(found);
    }
  }

  /// Found where nothing may be thrown.
  void note(const verdict& found) {
    if (verdict_.empty())
      verdict_ = found.what();
  }

  // -- Faults -------------------------------------------------------------------------------------

  std::optional<crash_point> crash_of(const envelope& message) {
    ++report_.messages;
    if (options_.trace)
      trace("  " + to_string(message.to) + " handles " + std::string{name_of(message.body)} +
            (message.from ? " of " + to_string(*message.from) : std::string{}) +
            (message.deliveries > 1 ? " again" : ""));
    const auto point = static_cast<crash_point>(chance_.below(4));
    if (!poisoned_.empty() && poisoned_ == poison_of(message))
      return point;
    if (message.deliveries > 1)
      return has(fault::entity_crash) && chance_.one_in(4) ? std::optional{point} : std::nullopt;
    if (!message.query && has(fault::poison) && chance_.one_in(900)) {
      hit(fault::poison);
      poisoned_ = poison_of(message);
      return point;
    }
    return strikes(fault::entity_crash, 40) ? std::optional{point} : std::nullopt;
  }

  static std::string poison_of(const envelope& message) {
    return to_string(message.to) + " " + std::string{name_of(message.body)} + " " + message.key;
  }

  bool cannot_read(const entity_ref& stream) {
    if (healed_)
      return false;
    if (unreadable_ > 0 && stream == unreadable_stream_) {
      --unreadable_;
      return true;
    }
    if (!strikes(fault::read_error, 150))
      return false;
    unreadable_stream_ = stream;
    unreadable_ = static_cast<int>(chance_.below(7));
    return true;
  }

  write_fate fate_of(bool sync) {
    if (options_.crash && disk_.writes == options_.crash->number) {
      using way = run_options::crash_at_write::way;
      ++report_.reached["crash at a write"];
      switch (options_.crash->how) {
      case way::clean: return write_fate::killed_after;
      case way::torn: return write_fate::killed_within;
      case way::not_synced: return write_fate::killed_before;
      }
    }
    if (sync ? strikes(fault::kill_at_sync, 60) : strikes(fault::kill_at_append, 250)) {
      const auto way = chance_.below(3);
      return way == 0   ? write_fate::killed_before
             : way == 1 ? write_fate::killed_within
                        : write_fate::killed_after;
    }
    if (strikes(fault::disk_fails, 800) || (sync && strikes(fault::disk_full, 300)))
      return write_fate::fails;
    return write_fate::done;
  }

  void crash_shards() {
    const auto times = chance_.one_in(6) ? 12 : 1;
    for (int i = 0; i < times; ++i) {
      process_->crash_shard();
      for (int runs = 0; runs < 40 && process_->runnable() > 0; ++runs)
        process_->run_actor(0);
    }
  }

  /// Once, or again while it comes up.
  void crash_supervisor() {
    const auto times = chance_.one_in(2) ? 3 : 1;
    for (int i = 0; i < times; ++i) {
      process_->crash_supervisor();
      for (auto runs = chance_.below(12); runs > 0 && process_->runnable() > 0; --runs)
        process_->run_actor(0);
    }
  }

  void stop_process() {
    process_->stop();
    process_.reset();
    start();
  }

  void end_process(bool torn) {
    trace(torn ? "killed, torn" : "killed");
    process_->kill(torn);
    process_.reset();
    poisoned_.clear();
    unreadable_ = 0;
    start();
  }

  void jump() {
    const auto timer = process_->next_timer();
    if (!timer || chance_.one_in(3))
      return move_time(clock_.now() + (chance_.one_in(4) ? day : minute) *
                                        static_cast<std::int64_t>(1 + chance_.below(20)));
    if (*timer <= clock_.now())
      return;
    move_time(*timer);
    late_customer();
  }

  /// Somebody comes in the very millisecond in which holds end.
  void late_customer() {
    for (std::size_t i = 0; i < next_; ++i) {
      const auto* held = std::get_if<reserve_stock>(&commands_[i].body);
      if (held == nullptr || !chance_.one_in(2))
        continue;
      submit_now(commit_reservation{held->reservation_id});
    }
  }

  // -- The end ------------------------------------------------------------------------------------

  void heal() {
    trace("heal");
    healed_ = true;
    poisoned_.clear();
    unreadable_ = 0;
    bank_.heal();
  }

  /// Everything that can happen happens, for some days.
  void settle() {
    const auto end = clock_.now() + 4 * day;
    for (;;) {
      if (++report_.steps > most_steps)
        throw verdict("J5: the run does not come to rest");
      if (!verdict_.empty())
        throw verdict(verdict_);
      if (process_->over()) {
        end_process(false);
        continue;
      }
      if (move_something())
        continue;
      const auto due = process_->next_due();
      if (!due || *due > end)
        break;
      move_time(*due);
    }
    move_time(end);
    while (move_something())
      ;
  }

  entity_view look(const entity_ref& entity) {
    auto asked = std::make_shared<question>();
    envelope message{.to = entity, .client = asked, .at = clock_.now(), .query = true};
    process_->send(std::move(message));
    for (int i = 0; i < 100'000 && !asked->result && !process_->over(); ++i)
      if (!move_in_order()) { // it waits for its restart
        const auto due = process_->next_due();
        if (!due)
          break;
        move_time(*due);
      }
    if (!asked->result)
      return {};
    return asked->result->view;
  }

  void judge(bool at_rest) {
    if (process_->over())
      return;
    const bool healed = std::exchange(healed_, true); // nothing fails while it looks
    trace("judge");
    ++report_.reached["judged"];
    const auto before = disk_.last();
    try {
      judge_.check([this](const entity_ref& entity) { return look(entity); }, at_rest);
    } catch (const verdict&) {
      if (at_rest || disk_.last() == before) // else it has not seen one moment
        throw;
    }
    healed_ = healed;
  }

  /// What was given up lives again, and every command is repeated.
  void restart_once_more() {
    end_process(false);
    settle();
    for (std::size_t i = 0; i < commands_.size(); ++i)
      submit(i);
    settle();
    if (judge_.unanswered() > 0)
      throw verdict("J5: after a restart of a healthy node commands are without an answer");
    judge(true);
    if (!verdict_.empty())
      throw verdict(verdict_);
  }

  void collect() {
    if (options_.trace && !report_.broken.empty())
      for (const auto& recorded : disk_.events)
        options_.trace("event " + std::to_string(recorded.at_position) + " " +
                       to_string(recorded.stream) + " " +
                       std::string{event_name(recorded.stream.kind, recorded.event.type)} + " " +
                       recorded.event.cause);
    if (bank_.sales() > 0)
      ++report_.reached["sale"];
    for (const auto& recorded : disk_.events)
      ++report_
          .reached["event " + std::string{event_name(recorded.stream.kind, recorded.event.type)}];
  }

  const run_options& options_;
  dice chance_;
  fault_set faults_;
  run_report report_;
  simulated_disk disk_;
  simulated_clock clock_;
  simulated_bank bank_;
  auditor judge_;
  process_settings settings_;
  std::size_t in_flight_ = 1;
  std::size_t patience_ = 1;
  std::vector<command> commands_;
  std::size_t next_ = 0; ///< of commands_: to be sent
  std::size_t burst_ = 0;
  std::size_t unforeseen_ = 0; ///< commands that the workload did not have
  std::size_t waits_ = 0;
  std::uint64_t life_ = 0;
  std::uint64_t steps_after_ = 0;
  bool healed_ = false;
  std::string poisoned_;
  entity_ref unreadable_stream_;
  int unreadable_ = 0;
  std::string verdict_;
  std::optional<simulated_process> process_;
};

} // namespace

run_report simulate(const run_options& options) {
  return simulated_run{options}.go();
}

} // namespace purser::simulation
