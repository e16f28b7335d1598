// How CAF's actors get their turn on the threads: the one place that decides it
// (docs/performance.md).
#pragma once

#include <caf/fwd.hpp>

namespace purser {

/// Actors run on `threads` threads (0: as many as the machine has cores).
///
/// T1 What an actor wakes stays on its thread, unless another one has nothing to do: a workflow's
/// next
///    step finds its data in the cache, and nobody has to be woken.
/// T2 A thread without work takes half of what waits at another one, within a millisecond: an actor
///    that blocks holds up nobody but itself.
/// T3 A thread without anything to do anywhere sleeps, and costs nothing.
/// @returns `config`.
caf::actor_system_config& use_scheduler(caf::actor_system_config& config, unsigned threads);

} // namespace purser
