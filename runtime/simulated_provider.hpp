// The payment provider that is there when the host brings none: it decides by the token alone, so
// that it answers repeats of a key as before, also after a restart of the process.
#pragma once

#include "actors/ports/payment_gateway.hpp"

namespace purser {

/// No token, `tok_ok` and unknown tokens: approved at once. `tok_decline`: authorizations are
/// refused. `tok_timeout_after`: it takes effect, but the first answer never comes; asking finds it
/// succeeded. `tok_unknown`: neither the operation nor asking ever gets a definite answer.
class simulated_provider final : public payment_gateway {
public:
  void submit(const payment_call& call, answer_callback answer) override;
};

} // namespace purser
