// The only things that travel as CAF messages between our actors: they carry nothing, so none can
// be lost that matters. Plain atom constants, no type-id block: a host may have its own.
#pragma once

#include <caf/atom.hpp>
#include <caf/fwd.hpp>

namespace purser {

using wake_atom = caf::atom_constant<caf::atom("wake")>; // there is something to take

/// Sends an actor wake_atom; from nobody.
void wake(const caf::actor& whom);

/// Who runs actors on this thread, for `wake`: what one of them wakes is put beside it. The
/// scheduler says so; null on any other thread.
void runs_actors_here(caf::execution_unit* who) noexcept;

} // namespace purser
