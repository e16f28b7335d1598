#include "supervisors/supervisor_base.hpp"

#include <caf/send.hpp>

#include <exception>
#include <utility>

namespace purser::supervisors {

void send_exit_now(const caf::actor& child, const caf::actor_addr& from, const caf::error& reason) {
  caf::anon_send<caf::message_priority::high>(child, caf::exit_msg{from, reason});
}

bool is_normal(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown;
}

supervisor_base::supervisor_base(caf::actor_config& config, std::string path,
                                 supervisor_hooks hooks, caf::actor_addr parent)
    : caf::event_based_actor(config), path_(std::move(path)), hooks_(std::move(hooks)),
      parent_(std::move(parent)) {}

void supervisor_base::set_guards() {
  set_default_handler(caf::drop);
  set_exception_handler([](std::exception_ptr&) { return supervisor_broken(); });
}

start_result supervisor_base::guarded_start(const std::function<start_result()>& start) {
  try {
    auto result = start();
    if (const auto* started = std::get_if<caf::actor>(&result); started && !*started)
      return start_error{"its start function returned no actor"};
    return result;
  } catch (const std::exception& error) {
    return start_error{error.what()};
  } catch (...) {
    return start_error{"its start function threw something that is no std::exception"};
  }
}

event_kind supervisor_base::kind_of_end(const child_rules& child, const caf::error& reason) {
  if (is_normal(reason))
    return event_kind::child_stopped;
  const bool crashed = child.type == child_type::worker || reason == supervisor_broken() ||
                       reason == caf::exit_reason::kill;
  return crashed ? event_kind::child_crashed : event_kind::escalated; // S20
}

std::string supervisor_base::text_of_stop(const caf::error& reason) const {
  const bool as_asked = is_normal(reason) || reason == caf::exit_reason::kill;
  return as_asked ? "" : text_of(reason);
}

void supervisor_base::tell_up() {
  phase_ = phase::running;
  tell_failed("");
  if (const auto parent = caf::actor_cast<caf::actor>(parent_))
    caf::anon_send(parent, supervisor_up{address()});
}

void supervisor_base::tell_failed(const std::string& error) {
  if (const auto tell = std::exchange(hooks_.on_started, nullptr))
    tell(error);
}

std::int64_t supervisor_base::now_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock().now().time_since_epoch())
    .count();
}

std::string supervisor_base::text_of(const caf::error& reason) const {
  const bool ours = reason && reason.category() == intensity_exceeded().category();
  return hooks_.render && !ours ? hooks_.render(reason) : to_text(reason);
}

void supervisor_base::report(event_kind kind, const std::string& id, const child_record& record,
                             const std::string& cause, const spans& took) {
  if (hooks_.on_event)
    hooks_.on_event(
      {kind, path_ + "/" + id, cause, record.restarts, took.healing_us, took.delay_ms, now_us()});
}

void supervisor_base::report_own(event_kind kind, const std::string& cause,
                                 std::uint32_t restarts) {
  if (hooks_.on_event)
    hooks_.on_event({kind, path_, cause, restarts, 0, 0, now_us()});
}

} // namespace purser::supervisors
