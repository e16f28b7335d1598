// From a client's command to the envelope that travels: the entity it is for, and the key and the
// fingerprint by which that entity knows a repeat (I1, I2).
#pragma once

#include "actors/domain/commands.hpp"
#include "actors/envelope.hpp"

namespace purser {

/// `request` has all its ids and has passed check(); `at` is its business time. No client yet.
envelope addressed(command request, unix_millis at);

} // namespace purser
