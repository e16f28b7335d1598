// A client's call whose answer can be waited for.
#pragma once

#include "actors/answer.hpp"

#include <future>
#include <utility>

namespace purser::tests {

struct promised_call final : client_call {
  std::promise<answer> promise;
  void deliver(answer result) override { promise.set_value(std::move(result)); }
};

} // namespace purser::tests
