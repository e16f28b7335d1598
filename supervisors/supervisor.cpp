#include "supervisors/supervisor.hpp"

#include "supervisors/supervisor_actor.hpp"
#include "supervisors/tree_bounds.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <utility>

namespace purser::supervisors {

namespace {

constexpr auto category = caf::atom("supervis");
enum class reason_code : std::uint8_t { intensity_exceeded = 1, start_failed, supervisor_broken };

caf::error reason(reason_code code, const std::string& why = {}) {
  return {static_cast<std::uint8_t>(code), category,
          why.empty() ? caf::message{} : caf::make_message(why)};
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
  return spawn_checked<supervisor_actor>(system, std::move(spec), std::move(hooks), {});
}

caf::actor spawn_supervisor(caf::local_actor& parent, supervisor_spec spec,
                            supervisor_hooks hooks) {
  return spawn_checked<supervisor_actor>(parent.home_system(), std::move(spec), std::move(hooks),
                                         parent.address());
}

child_spec supervisor_child(supervisor_spec spec, supervisor_hooks hooks) {
  return child_of_kind<supervisor_actor>(std::move(spec), std::move(hooks));
}

child_counts count(const std::vector<child_info>& children) {
  child_counts counts;
  for (const auto& info : children) {
    ++counts.specs;
    counts.active += info.running ? 1 : 0;
    ++(info.type == child_type::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

void stop_supervisor(const caf::actor& supervisor) {
  send_exit_now(supervisor, caf::actor_addr{}, caf::exit_reason::user_shutdown);
}

} // namespace purser::supervisors
