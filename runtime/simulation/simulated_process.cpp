#include "runtime/simulation/simulated_process.hpp"

#include "actors/entity_image.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace purser::simulation {

namespace {

constexpr std::int64_t call_deadline_ms = 10'000;

entity_policy policy_of(const process_settings& settings) {
  entity_policy made;
  made.max_live = settings.max_live;
  made.batch = settings.batch;
  made.shop = settings.shop;
  return made;
}

caf::actor_system_config& for_tests(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("testing"));
  return config;
}

} // namespace

simulated_process::simulated_process(const simulated_world& around,
                                     const process_settings& settings, hooks faults)
    : disk_(around.disk), bank_(around.bank), clock_(around.time), chance_(around.chance),
      hooks_(std::move(faults)), router_(settings.shards), journal_(disk_, chance_, hooks_.journal),
      system_(std::make_unique<caf::actor_system>(for_tests(config_))),
      node_{journal_, clock_, chance_, router_, policy_of(settings), {}, {}, {}, {}, {},
            {},       {},     {},      {}},
      last_moved_(clock_.now()) {
  node_.call_provider_for = [this](entity_ref payment, call_provider call, unix_millis) {
    call_later(std::move(payment), std::move(call));
  };
  node_.set_timer = [this](const entity_ref& entity, std::optional<unix_millis> due) {
    set_timer(entity, due);
  };
  node_.on_alarm = [this](const std::string& text) {
    trace("alarm " + text);
    hooks_.on_alarm(text);
  };
  node_.on_supervision = [this](const supervisors::supervision_event& event) {
    trace(std::string{supervisors::to_string(event.kind)} + " " + event.path + " " + event.cause);
    gave_up_ |= event.kind == supervisors::event_kind::gave_up && event.path == "root";
    hooks_.on_supervision(event);
  };
  node_.inject_crash = hooks_.crash;
  for (std::uint16_t i = 0; i < settings.shards; ++i)
    shards_.push_back(std::make_shared<shard_state>(i));
  start_tree_of_actors();
  take_up_open_work();
}

simulated_process::~simulated_process() {
  kill(false);
}

void simulated_process::start_tree_of_actors() {
  supervisors::supervisor_hooks calls;
  calls.on_event = node_.on_supervision;
  calls.on_started = [this](const std::string& error) { gave_up_ |= !error.empty(); };
  calls.random = [this] { return chance_.unit(); };
  calls.render = [this](const caf::error& reason) { return system_->render(reason); };
  root_ = start_tree(*system_, node_, shards_, std::move(calls));
}

void simulated_process::take_up_open_work() {
  for (const auto& [ref, places] : disk_.places) {
    entity_image image{ref, node_.policy.shop};
    for (const auto at : places)
      image.evolve(disk_.events[at - 1]);
    if (const auto due = image.due())
      timers_[ref] = *due;
    if (!image.must_resume())
      continue;
    node_.open.add(1);
    router_.send({.to = ref});
  }
}

caf::scheduler::test_coordinator& simulated_process::actors() const {
  return static_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

void simulated_process::trace(const std::string& line) const {
  if (hooks_.trace)
    hooks_.trace(line);
}

// -- Steps ----------------------------------------------------------------------------------------

std::size_t simulated_process::runnable() const {
  return actors().jobs.size();
}

void simulated_process::run_actor(std::size_t number) {
  auto& jobs = actors().jobs;
  const auto picked = jobs.begin() + static_cast<std::ptrdiff_t>(number);
  if (hooks_.trace)
    if (const auto* actor = dynamic_cast<const caf::scheduled_actor*>(*picked))
      trace(std::string{"run "} + actor->name() + " " + std::to_string(actor->id()));
  std::rotate(jobs.begin(), picked, picked + 1);
  actors().try_run_once();
}

void simulated_process::call_later(entity_ref payment, call_provider call) {
  const auto due = clock_.now() + std::max<std::int64_t>(call.delay_ms, 0);
  if (call.withdraw) {
    std::erase_if(calls_, [&](const pending_call& other) {
      return !other.call.call.ask_only &&
             other.call.call.idempotency_key == call.call.idempotency_key;
    });
    return;
  }
  if (call.call.ask_only) // a newer question takes the place of an older
    std::erase_if(calls_, [&](const pending_call& other) {
      return other.call.call.ask_only &&
             other.call.call.idempotency_key == call.call.idempotency_key;
    });
  calls_.push_back({due, std::move(payment), std::move(call)});
}

bool simulated_process::has_calls() const {
  return std::any_of(calls_.begin(), calls_.end(),
                     [this](const auto& each) { return each.due <= clock_.now(); });
}

void simulated_process::call_bank() {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < calls_.size(); ++i)
    if (calls_[i].due <= clock_.now())
      due.push_back(i);
  const auto number = chance_.of(due);
  const auto made = std::move(calls_[number]);
  calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(number));
  auto replies = bank_.submit(made.call.call);
  trace("bank " + made.call.call.idempotency_key + (made.call.call.ask_only ? " asked" : "") +
        (made.call.call.abandon ? " void" : "") + " answers " + std::to_string(replies.size()));
  if (replies.empty() || replies.front().after_ms >= call_deadline_ms)
    replies = {
      {{payment_answer_kind::unknown, "no answer within the deadline", {}}, call_deadline_ms}};
  for (auto& reply : replies)
    answers_.push_back({clock_.now() + reply.after_ms,
                        made.payment,
                        {made.call.operation_id, made.call.call.ask_only, made.call.call.abandon,
                         std::move(reply.answer)}});
}

bool simulated_process::has_answers() const {
  return std::any_of(answers_.begin(), answers_.end(),
                     [this](const auto& each) { return each.due <= clock_.now(); });
}

void simulated_process::take_answer() {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < answers_.size(); ++i)
    if (answers_[i].due <= clock_.now())
      due.push_back(i);
  const auto number = chance_.of(due);
  auto came = std::move(answers_[number]);
  answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(number));
  trace("answer to " + to_string(came.payment) + " " + came.reply.operation_id + " " +
        boost::describe::enum_to_string(came.reply.answer.kind, "?"));
  router_.send({.to = std::move(came.payment), .at = clock_.now(), .body = std::move(came.reply)});
}

void simulated_process::set_timer(const entity_ref& entity, std::optional<unix_millis> due) {
  if (due)
    timers_[entity] = *due;
  else
    timers_.erase(entity);
}

bool simulated_process::fire_timer() {
  const auto found = std::find_if(timers_.begin(), timers_.end(), [this](const auto& timer) {
    return timer.second <= clock_.now();
  });
  if (found == timers_.end())
    return false;
  trace("timer of " + to_string(found->first));
  envelope message{.to = found->first, .at = clock_.now(), .body = timer_due{}};
  timers_.erase(found);
  router_.send(std::move(message));
  return true;
}

bool simulated_process::step() {
  if (runnable() > 0)
    run_actor(0);
  else if (journal_.has_to_read())
    journal_.read();
  else if (journal_.has_to_sync())
    journal_.sync();
  else if (has_calls())
    call_bank();
  else if (has_answers())
    take_answer();
  else
    return false;
  return true;
}

bool simulated_process::quiet() const {
  return actors().jobs.empty() && !journal_.has_to_sync() && !journal_.has_to_read() &&
         !has_calls() && !has_answers() &&
         std::none_of(timers_.begin(), timers_.end(),
                      [this](const auto& timer) { return timer.second <= clock_.now(); });
}

std::optional<unix_millis> simulated_process::next_timer() const {
  std::optional<unix_millis> next;
  for (const auto& [entity, due] : timers_)
    next = std::min(next.value_or(due), due);
  return next;
}

std::optional<unix_millis> simulated_process::next_due() const {
  auto next = next_timer();
  for (const auto& call : calls_)
    next = std::min(next.value_or(call.due), call.due);
  for (const auto& answer : answers_)
    next = std::min(next.value_or(answer.due), answer.due);
  const auto& delayed = actors().clock().schedule();
  if (!delayed.empty()) {
    const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(delayed.begin()->first - actors().clock().now());
    const auto due = clock_.now() + std::max<std::int64_t>(wait.count(), 1);
    next = std::min(next.value_or(due), due);
  }
  return next;
}

void simulated_process::time_moved() {
  const auto passed = clock_.now() - last_moved_;
  last_moved_ = clock_.now();
  if (passed > 0)
    actors().advance_time(std::chrono::milliseconds{passed});
}

// -- Faults ---------------------------------------------------------------------------------------

void simulated_process::crash_shard() {
  const auto number = static_cast<std::uint16_t>(chance_.below(router_.shards()));
  if (const auto shard = router_.inbox(number).shard()) {
    trace("crash shard " + std::to_string(number));
    caf::anon_send<caf::message_priority::high>(
      shard, caf::exit_msg{shard.address(), caf::make_error(caf::sec::runtime_error)});
  }
}

void simulated_process::crash_supervisor() {
  if (!root_)
    return;
  trace("crash supervisor");
  // The root is an argument, not captured: CAF calls a function without any through a null pointer.
  const auto ask = [](caf::event_based_actor* self, const caf::actor& root) {
    self->request(root, caf::infinite, supervisors::which_children_atom::value)
      .then([](const std::vector<supervisors::child_info>& children) {
        for (const auto& child : children)
          if (child.handle)
            caf::anon_send<caf::message_priority::high>(
              child.handle,
              caf::exit_msg{child.handle.address(), caf::make_error(caf::sec::runtime_error)});
      });
  };
  system_->spawn(ask, root_);
}

void simulated_process::run_out() {
  constexpr int most = 1'000'000;
  for (int i = 0; i < most && !actors().jobs.empty(); ++i)
    actors().try_run_once();
}

void simulated_process::stop() {
  if (!root_)
    return;
  trace("stop");
  node_.stopping = true;
  supervisors::stop_supervisor(root_);
  while (!over() && !quiet()) {
    if (!actors().jobs.empty())
      actors().try_run_once();
    else if (journal_.has_to_read())
      journal_.read();
    else if (journal_.has_to_sync())
      journal_.sync();
    else
      break;
  }
  kill(false);
}

void simulated_process::kill(bool torn) {
  journal_.kill(torn);
  if (std::exchange(ending_, true))
    return;
  node_.stopping = true;
  node_.on_supervision = nullptr;
  hooks_.trace = nullptr;
  if (root_)
    caf::anon_send_exit(root_, caf::exit_reason::kill);
  root_ = nullptr;
  run_out();
  end_entities(router_, shards_);
  actors().clock().cancel_all();
  run_out();
  system_->await_actors_before_shutdown(false);
}

} // namespace purser::simulation
