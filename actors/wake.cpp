#include "actors/wake.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>

namespace purser {

namespace {

thread_local caf::execution_unit* here = nullptr;

} // namespace

void wake(const caf::actor& whom) {
  auto* actor = caf::actor_cast<caf::abstract_actor*>(whom);
  const bool ours = here != nullptr && &here->system() == &actor->home_system();
  actor->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, wake_atom::value),
                 ours ? here : nullptr);
}

void runs_actors_here(caf::execution_unit* who) noexcept {
  here = who;
}

} // namespace purser
