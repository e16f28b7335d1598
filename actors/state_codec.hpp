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
  state = codec::from_bytes<State>(in);
}

/// The expiries are derived: they are not stored.
inline void save_state(std::string& out, const stock& state) {
  codec::encode(out, state.locations);
  codec::encode(out, state.reservations);
}

inline void restore_state(std::string_view in, stock& state) {
  state = {};
  codec::decode(in, state.locations);
  codec::decode(in, state.reservations);
  if (!in.empty())
    throw codec::decode_error("bytes are left over");
  for (const auto& [owner, hold] : state.reservations)
    if (!hold.committed && hold.expires_at != 0)
      state.expiries.emplace(hold.expires_at, owner);
}

} // namespace purser
