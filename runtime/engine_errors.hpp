// What the journal throws, as the error of the embedding API.
#pragma once

#include "actors/codec.hpp"
#include "actors/domain/rejection.hpp"
#include "runtime/engine.hpp"
#include "runtime/journal/store.hpp"

namespace purser {

/// Calls, and turns what the journal throws into engine_error.
template <class Call>
auto translated(Call call) {
  try {
    return call();
  } catch (const store_error& error) {
    throw engine_error(error.what());
  } catch (const journal_corrupt& error) {
    throw engine_error(error.what());
  } catch (const codec::decode_error& error) {
    throw engine_error(std::string{"an event cannot be read: "} + error.what());
  } catch (const broken_invariant& error) {
    throw engine_error(std::string{"the journal breaks an invariant: "} + error.what());
  }
}

} // namespace purser
