#include "supervisors/supervisor.hpp"

#include "supervisors/supervisor_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <stdexcept>
#include <utility>

namespace purser::supervisors {

namespace {

constexpr auto category = caf::atom("supervis");
enum class reason_code : std::uint8_t { intensity_exceeded = 1, start_failed, supervisor_broken };

caf::error reason(reason_code code, const std::string& why = {}) {
  return {static_cast<std::uint8_t>(code), category,
          why.empty() ? caf::message{} : caf::make_message(why)};
}

void require_valid(const supervisor_spec& spec) {
  std::string text;
  for (const auto& error : check(spec))
    text += (text.empty() ? "" : "; ") + error.child + (error.child.empty() ? "" : ".") +
            error.field + " " + error.message;
  if (!text.empty())
    throw std::invalid_argument("supervisor " + spec.path + ": " + text);
}

} // namespace

caf::error intensity_exceeded() {
  return reason(reason_code::intensity_exceeded);
}
caf::error start_failed(const std::string& why) {
  return reason(reason_code::start_failed, why);
}
caf::error supervisor_broken() {
  return reason(reason_code::supervisor_broken);
}

std::string to_text(const caf::error& exit) {
  if (!exit)
    return "normal";
  if (exit.category() != category)
    return caf::to_string(exit);
  const auto& context = exit.context();
  const auto why =
    context.match_elements<std::string>() ? ": " + context.get_as<std::string>(0) : "";
  switch (static_cast<reason_code>(exit.code())) {
  case reason_code::intensity_exceeded: return "intensity_exceeded" + why;
  case reason_code::start_failed: return "start_failed" + why;
  case reason_code::supervisor_broken: return "supervisor_broken" + why;
  }
  return caf::to_string(exit);
}

caf::actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec,
                            supervisor_hooks hooks) {
  require_valid(spec);
  return system.spawn<supervisor_actor>(std::move(spec), std::move(hooks), caf::actor_addr{});
}

caf::actor spawn_supervisor(caf::local_actor& parent, supervisor_spec spec,
                            supervisor_hooks hooks) {
  require_valid(spec);
  return parent.home_system().spawn<supervisor_actor>(std::move(spec), std::move(hooks),
                                                      parent.address());
}

void stop_supervisor(const caf::actor& supervisor) {
  caf::anon_send<caf::message_priority::high>(
    supervisor, caf::exit_msg{caf::actor_addr{}, caf::exit_reason::user_shutdown});
}

} // namespace purser::supervisors
