// The payment port: what purser needs from a provider of card or invoice payments.
#pragma once

#include "actors/domain/payment_call.hpp"

#include <functional>

namespace purser {

/// Implemented by the host, or by the simulated provider.
class payment_gateway {
public:
  using answer_callback = std::function<void(payment_answer)>;

  payment_gateway() = default;
  payment_gateway(const payment_gateway&) = delete;
  payment_gateway& operator=(const payment_gateway&) = delete;
  virtual ~payment_gateway() = default;

  /// Starts one operation. Called on the engine's payment thread or, if it is prompt, on one of
  /// its actors' threads, one call at a time, only when all that led to it is durable. `answer` may
  /// be called from any thread, during the call or later; only the first call counts. No answer
  /// within the payment deadline counts as `unknown`; so does an exception, unless the call is soon
  /// tried again with the same key. While calls fail in a row others are held back.
  virtual void submit(const payment_call& call, answer_callback answer) = 0;

  /// Whether `submit` is short and waits for nothing: no network, no disk, no lock that somebody
  /// holds for long. Its calls need no change of threads then; but answers to clients wait for
  /// them.
  virtual bool prompt() const noexcept { return false; }

  /// Whether it takes `operation_kind::sale`, and so authorizes and captures in one call: orders
  /// that are captured when they are confirmed then need one call, and wait for the disk once
  /// less. Asked once, when the engine starts.
  virtual bool takes_sales() const noexcept { return false; }
};

} // namespace purser
