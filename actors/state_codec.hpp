// How states become the bytes of a snapshot. All but stock are plain described structs.
#pragma once

#include "actors/codec.hpp"
#include "actors/domain/stock.hpp"

namespace purser {

template <class State>
void save_state(std::string& out, const State& state) {
  codec::encode(out, state);
}

template <class State>
void restore_state(std::string_view in, State& state) {
  codec::decode_all(in, state);
}

/// What is derived is not stored.
inline void save_state(std::string& out, const stock& state) {
  codec::encode(out, state.locations);
  codec::encode(out, state.reservations);
  codec::encode(out, state.holds);
  codec::encode(out, state.queue);
}

inline void restore_state(std::string_view in, stock& state) {
  state = {};
  codec::decode(in, state.locations);
  codec::decode(in, state.reservations);
  codec::decode(in, state.holds);
  codec::decode(in, state.queue);
  if (!in.empty())
    throw codec::decode_error("bytes are left over");
  for (const auto& [owner, hold] : state.reservations)
    if (!hold.committed && hold.expires_at != 0)
      state.expiries.emplace(hold.expires_at, owner);
  for (const auto& [arrival, place] : state.queue.places)
    state.queue.by_owner.emplace(place.owner, arrival);
}

} // namespace purser
