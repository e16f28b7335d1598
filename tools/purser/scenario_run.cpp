#include "tools/purser/scenario_run.hpp"

#include "config/json_writer.hpp"
#include "runtime/json/command_json.hpp"
#include "tools/purser/entity_name.hpp"
#include "tools/purser/explain.hpp"
#include "tools/purser/logging.hpp"
#include "tools/purser/settings_file.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>

namespace purser::tools {

namespace {

/// Real time that anything may take to settle, before the run is given up.
constexpr std::int64_t settle_timeout_ms = 60'000;

constexpr unix_millis default_start = 1'767'258'000'000; // 2026-01-01T09:00:00Z

/// In the timeline a step's events beyond so many are only counted.
constexpr std::size_t events_shown = 12;

std::uint64_t hash_of(const scenario& story) {
  const auto text = boost::json::serialize(config::to_json(story.name)) +
                    boost::json::serialize(config::to_json(story.stock)) +
                    std::to_string(story.steps.size());
  return XXH3_64bits(text.data(), text.size());
}

std::string answer_text(const answer& result) {
  std::string text = result.result == outcome::accepted   ? "accepted"
                     : result.result == outcome::rejected ? std::string{to_string(result.why)}
                                                          : "unknown: " + result.detail;
  return text + (result.duplicate ? " (as before)" : "");
}

boost::json::value view_json(const entity_view& view) {
  return std::visit(
    [](const auto& found) -> boost::json::value {
      if constexpr (std::is_same_v<std::decay_t<decltype(found)>, std::monostate>)
        return nullptr;
      else
        return config::to_json(found);
    },
    view);
}

/// The first difference as "/lines/0/shipped is 1, expected 2"; empty when there is none.
std::string difference(const boost::json::value& found, const boost::json::value& wanted,
                       const std::string& at) {
  if (const auto* object = wanted.if_object()) {
    if (!found.is_object())
      return at + " is " + boost::json::serialize(found) + ", expected an object";
    for (const auto& entry : *object) {
      const auto name = at + "/" + std::string{entry.key().data(), entry.key().size()};
      const auto* inner = found.get_object().if_contains(entry.key());
      if (inner == nullptr) {
        if (entry.value().is_null())
          continue; // null: it must not be there
        return name + " is not there, expected " + boost::json::serialize(entry.value());
      }
      if (auto text = difference(*inner, entry.value(), name); !text.empty())
        return text;
    }
    return {};
  }
  if (const auto* list = wanted.if_array()) {
    if (!found.is_array() || found.get_array().size() != list->size())
      return at + " is " + boost::json::serialize(found) + ", expected " +
             boost::json::serialize(wanted);
    for (std::size_t i = 0; i < list->size(); ++i)
      if (auto text = difference(found.get_array()[i], (*list)[i], at + "/" + std::to_string(i));
          !text.empty())
        return text;
    return {};
  }
  return found == wanted ? std::string{}
                         : at + " is " + boost::json::serialize(found) + ", expected " +
                             boost::json::serialize(wanted);
}

engine_figures sum_of(engine_figures sum, const engine_figures& more) {
  sum.crashes += more.crashes;
  sum.restarts += more.restarts;
  sum.redelivered += more.redelivered;
  sum.dead_letters += more.dead_letters;
  sum.quarantined += more.quarantined;
  sum.activations += more.activations;
  sum.passivations += more.passivations;
  sum.commits += more.commits;
  sum.events += more.events;
  sum.checkpoints += more.checkpoints;
  sum.healing_us_p50 = std::max(sum.healing_us_p50, more.healing_us_p50);
  sum.healing_us_p99 = std::max(sum.healing_us_p99, more.healing_us_p99);
  return sum;
}

} // namespace

bool contains(const boost::json::value& found, const boost::json::value& wanted) {
  return difference(found, wanted, "").empty();
}

scenario_run::scenario_run(scenario story, scenario_options options)
    : scenario_(std::move(story)), options_(std::move(options)) {
  if (scenario_.settings.is_object())
    for (const auto& error :
         config::read_settings(boost::json::serialize(scenario_.settings), settings_))
      throw std::runtime_error("/settings" + error.pointer + " " + error.message);
  if (options_.data) {
    data_ = *options_.data;
    std::filesystem::create_directories(data_);
  } else {
    auto name = (std::filesystem::temp_directory_path() / "purser-run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("no temporary directory can be made: " + name);
    data_ = name;
    own_data_ = true;
  }
  engine_options engine_settings;
  apply(settings_, engine_settings);
  engine_settings.simulated.list = data_ / "provider.jsonl";
  provider_ = std::make_shared<simulated_provider>(engine_settings.simulated);
  start();
}

scenario_run::~scenario_run() {
  feed_.reset();
  if (engine_ && options_.interrupted != nullptr) {
    options_.interrupted->now_at("the engine's end");
    engine_->stop();
    options_.interrupted->on_overdue(nullptr);
  }
  engine_.reset();
  std::error_code error;
  if (own_data_)
    std::filesystem::remove_all(data_, error);
}

void scenario_run::start() {
  engine_options made;
  apply(settings_, made);
  made.data_dir = data_ / "engine";
  made.time = engine_time::driven;
  made.control_socket = true;
  made.crash_every = options_.crash_every;
  made.provider = provider_;
  made.logger = make_logger(options_.log_level);
  engine_ = engine::start(std::move(made));
  if (options_.interrupted != nullptr)
    options_.interrupted->on_overdue([this] { return engine_->health().reasons; });
  feed_ = engine_->subscribe(position_, [this](const event_notice& event) {
    const std::lock_guard lock{mutex_};
    events_.push_back(event);
    position_ = event.position;
    came_.notify_all();
  });
  settle();
}

void scenario_run::stop_engine(bool kill) {
  if (options_.interrupted != nullptr)
    options_.interrupted->on_overdue(nullptr);
  if (kill)
    engine_->kill();
  figures_before_ = sum_of(figures_before_, engine_->figures());
  feed_.reset();
  engine_.reset();
}

// -- Taking up a run that was killed --------------------------------------------------------------

void scenario_run::note_progress() {
  const auto unfinished = data_ / "scenario.progress.new";
  std::ofstream out{unfinished};
  out << boost::json::serialize(boost::json::object{
    {"scenario", hash_of(scenario_)}, {"step", step_}, {"now", engine_->now()}});
  out.close();
  std::filesystem::rename(unfinished, progress_file());
}

void scenario_run::take_up() {
  std::ifstream in{progress_file()};
  if (!in)
    return;
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto progress = boost::json::parse(text).as_object();
  if (progress.at("scenario").to_number<std::uint64_t>() != hash_of(scenario_))
    throw std::runtime_error(data_.string() +
                             " holds another scenario's run; take a new directory");
  step_ = progress.at("step").to_number<std::size_t>();
  result_.resumed_at = step_ + 1;
  tell(fmt::format("taken up after step {}", step_));
  pass(progress.at("now").to_number<unix_millis>());
}

// -- Steps ----------------------------------------------------------------------------------------

scenario_result scenario_run::run() {
  const auto began = std::chrono::steady_clock::now();
  tell(scenario_.name + ": " + scenario_.story);
  take_up();
  if (step_ == 0) {
    pass(scenario_.start.value_or(timestamp{default_start}).ms);
    std::vector<boost::json::value> receipts;
    for (std::size_t i = 0; i < scenario_.stock.size(); ++i)
      receipts.push_back(boost::json::object{{"op", "stock.receive"},
                                             {"receipt_id", "start-" + std::to_string(i + 1)},
                                             {"sku", scenario_.stock[i].sku},
                                             {"location", scenario_.stock[i].location},
                                             {"quantity", scenario_.stock[i].quantity}});
    if (!receipts.empty())
      send(receipts, {});
  }
  const auto interrupted = [this] {
    return options_.interrupted != nullptr && options_.interrupted->happened();
  };
  while (step_ < scenario_.steps.size() && !interrupted()) {
    const auto& step = scenario_.steps[step_++];
    if (options_.interrupted != nullptr)
      options_.interrupted->now_at("step " + std::to_string(step_));
    carry_out(step);
    if (step.expect || step.kill || step.restart)
      note_progress();
  }
  settle();
  tell_events();
  auto report = engine_->audit();
  for (const auto& finding : report.findings)
    fail("broken invariant: " + finding);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const auto figures = sum_of(figures_before_, engine_->figures());
  result_.summary = {counts_, std::move(report), supervision_of(figures),
                     run_of(figures, std::max(took.count(), 1e-9), counts_.read,
                            own_data_ ? "temporary" : data_.string())};
  if (interrupted())
    result_.summary.run.interrupted = options_.interrupted->name();
  return std::move(result_);
}

void scenario_run::carry_out(const scenario_step& step) {
  if (step.say)
    tell("# " + *step.say);
  if (step.command) {
    std::vector<boost::json::value> commands;
    for (std::uint32_t n = 1; n <= step.repeat.value_or(1); ++n)
      commands.push_back(with_number(*step.command, n));
    send(commands, step);
  } else if (!step.together.empty()) {
    send(step.together, step);
  } else if (step.wait) {
    tell("time passes: " + *step.wait);
    pass(engine_->now() + duration_ms(*step.wait).value());
  } else if (step.until) {
    tell("time passes until " + to_rfc3339(step.until->ms));
    pass(step.until->ms);
  } else if (step.crash) {
    crash_order order;
    if (step.crash->actor)
      order.entity = entity_named(*step.crash->actor);
    order.message = step.crash->on;
    order.times = step.crash->times;
    order.every_delivery = step.crash->every_delivery;
    tell("fault: " + step.crash->actor.value_or("any actor") + " is to crash at " +
         step.crash->on.value_or("its next message"));
    engine_->crash(std::move(order));
  } else if (step.provider) {
    tell(fmt::format("fault: the provider is to {} {} of {}",
                     boost::describe::enum_to_string(step.provider->mood, "?"),
                     step.provider->operation
                       ? boost::describe::enum_to_string(*step.provider->operation, "?")
                       : "any operation",
                     step.provider->order_id.value_or("any order")));
    provider_->add_rule({step.provider->operation, step.provider->order_id, step.provider->mood,
                         step.provider->times});
  } else if (step.customer_acts) {
    tell("the customer of " + *step.customer_acts + " does what is asked");
    provider_->act(*step.customer_acts);
  } else if (step.provider_confesses) {
    tell("the provider tells what was unknown");
    provider_->confess();
  } else if (step.redrive) {
    redrive(step);
  } else if (step.kill || step.restart) {
    tell(step.kill ? "fault: the engine is killed, and starts again" : "the engine starts again");
    const auto now = engine_->now();
    stop_engine(step.kill);
    start();
    pass(now);
  } else if (step.expect) {
    check(step);
  }
  tell_events();
}

void scenario_run::send(const std::vector<boost::json::value>& commands,
                        const scenario_step& step) {
  std::vector<std::future<answer>> answers;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const auto text = boost::json::serialize(commands[i]);
    auto parsed = parse_command(text);
    if (const auto* mistake = std::get_if<command_error>(&parsed))
      throw std::runtime_error("step " + std::to_string(step_) + ": " + mistake->pointer + " " +
                               mistake->message);
    auto& request = std::get<command>(parsed);
    if (request.command_id.empty()) // the same in every run, so that a run can be taken up
      request.command_id = fmt::format("step-{}-{}", step_, i + 1);
    fill_ids(request);
    names.emplace_back(op_of(request.body));
    answers.push_back(engine_->submit(std::move(request)));
  }
  settle();
  std::map<std::string, std::size_t> told;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ++counts_.read;
    if (answers[i].wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      ++counts_.accepted; // it is under way, and waits for time to pass
      ++told[names[i] + ": under way"];
      continue;
    }
    const auto result = answers[i].get();
    ++(result.duplicate                     ? counts_.duplicate
       : result.result == outcome::accepted ? counts_.accepted
                                            : counts_.rejected);
    ++told[names[i] + " " + result.id + ": " + answer_text(result)];
    const auto verdict = result.result == outcome::accepted ? "accepted" : to_string(result.why);
    if (step.answer && *step.answer != verdict)
      fail(names[i] + " " + result.id + " was answered " + answer_text(result) + ", expected " +
           *step.answer);
  }
  if (told.size() > events_shown)
    return tell(fmt::format("{} commands are sent", commands.size()));
  for (const auto& [line, times] : told)
    tell(times == 1 ? line : fmt::format("{} ({} times)", line, times));
}

void scenario_run::redrive(const scenario_step& step) {
  for (const auto& letter : engine_->dead_letters()) {
    auto sent = engine_->redrive(letter.id);
    settle();
    const auto what = letter.message + " " + letter.entity.key + " is sent again: ";
    if (sent.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      tell(what + "under way");
      continue;
    }
    const auto result = sent.get();
    tell(what + answer_text(result));
    const auto verdict = result.result == outcome::accepted ? "accepted" : to_string(result.why);
    if (step.answer && *step.answer != verdict)
      fail(what + answer_text(result) + ", expected " + *step.answer);
  }
}

/// Everything that can happen now has happened, and its events have come.
void scenario_run::settle() {
  if (!engine_->wait_idle(settle_timeout_ms))
    throw std::runtime_error("step " + std::to_string(step_) +
                             ": the engine does not come to rest");
  engine_->query({entity_kind::order, ""}).get(); // answered behind all that was answered before
  const auto durable = engine_->figures().durable_position;
  std::unique_lock lock{mutex_};
  if (!came_.wait_for(lock, std::chrono::milliseconds{settle_timeout_ms},
                      [&] { return position_ >= durable; }))
    throw std::runtime_error("the events do not come");
}

void scenario_run::pass(unix_millis to) {
  if (!engine_->advance_time(to, settle_timeout_ms))
    throw std::runtime_error("step " + std::to_string(step_) +
                             ": time cannot pass: the engine does not come to rest");
  settle();
}

// -- Expectations ---------------------------------------------------------------------------------

boost::json::value scenario_run::look(const expectation& what) {
  if (what.totals)
    return to_json(run_summary{counts_, engine_->audit(), {}, {}});
  const auto get = [&](entity_kind kind, const std::string& id) {
    return engine_->query({kind, id}).get().view;
  };
  if (what.order) {
    auto view = get(entity_kind::order, *what.order);
    if (auto* order = std::get_if<order_view>(&view)) {
      const auto payment = get(entity_kind::payment, *what.order);
      if (const auto* found = std::get_if<payment_view>(&payment))
        order->payment = *found;
    }
    return view_json(view);
  }
  if (what.payment)
    return view_json(get(entity_kind::payment, *what.payment));
  if (what.stock)
    return view_json(get(entity_kind::stock, *what.stock));
  return view_json(get(entity_kind::reservation, what.reservation.value()));
}

void scenario_run::check(const scenario_step& step) {
  ++result_.expectations;
  const auto& what = *step.expect;
  const auto until = engine_->now() + duration_ms(step.within.value_or("0s")).value();
  auto found = look(what);
  while (!contains(found, what.is) && engine_->now() < until) {
    const auto due = engine_->next_due();
    pass(due ? std::min(std::max(*due, engine_->now() + 1), until) : until);
    found = look(what);
  }
  const auto subject = what.order     ? "order " + *what.order
                       : what.payment ? "payment " + *what.payment
                       : what.stock   ? "stock " + *what.stock
                       : what.totals  ? std::string{"totals"}
                                      : "reservation " + what.reservation.value();
  if (contains(found, what.is))
    return tell("holds: " + subject + " " + boost::json::serialize(what.is));
  if (found.is_null())
    return fail("expected " + subject + " " + boost::json::serialize(what.is) +
                ", and there is no such thing");
  fail("expected " + subject + ": " + difference(found, what.is, "") + how_it_came(what, found));
}

std::string scenario_run::how_it_came(const expectation& what, const boost::json::value& found) {
  if (!what.order || found.is_null())
    return {};
  tell_events();
  const auto stream = history_.find("order/" + *what.order);
  auto view = engine_->query({entity_kind::order, *what.order}).get().view;
  auto* order = std::get_if<order_view>(&view);
  if (stream == history_.end() || order == nullptr)
    return {};
  const auto payment = engine_->query({entity_kind::payment, *what.order}).get().view;
  if (const auto* known = std::get_if<payment_view>(&payment))
    order->payment = *known;
  std::vector<event_notice> events;
  for (const auto& each : stream->second)
    events.push_back(each.event);
  const auto why = explain(*order, events);
  std::size_t since = 0;
  for (const auto& each : stream->second)
    if (to_rfc3339(each.event.at) == why.since && why.because.starts_with(each.event.name))
      since = each.step;
  return fmt::format("\n    it is {} since step {} ({}), because of {}{}", why.status, since,
                     why.since, why.because,
                     why.waits_for.empty() ? "" : "; it waits for " + why.waits_for.front());
}

// -- The timeline ---------------------------------------------------------------------------------

void scenario_run::fail(const std::string& text) {
  result_.failures.push_back({step_, text});
  tell("FAILED: " + text);
}

void scenario_run::tell(const std::string& text) {
  const auto now = engine_->now(); // 0: the story has not begun
  if (options_.timeline != nullptr)
    *options_.timeline << fmt::format("{:<20} {:>3}  {}\n", now == 0 ? "" : to_rfc3339(now), step_,
                                      text);
}

void scenario_run::tell_events() {
  std::vector<event_notice> came;
  {
    const std::lock_guard lock{mutex_};
    came.swap(events_);
  }
  std::size_t told = 0;
  for (auto& event : came) {
    const auto stream = to_string(event.stream);
    if (options_.timeline != nullptr && ++told <= events_shown)
      *options_.timeline << fmt::format("{:<20}        {}  {}\n", to_rfc3339(event.at), stream,
                                        event.name);
    history_[stream].push_back({step_, std::move(event)});
  }
  if (options_.timeline != nullptr && told > events_shown)
    *options_.timeline << fmt::format("{:<20}        and {} more events\n", "",
                                      told - events_shown);
}

} // namespace purser::tools
