#include "runtime/simulated_provider.hpp"

namespace purser {

void simulated_provider::submit(const payment_call& call, answer_callback answer) {
  const bool authorizing = call.kind == operation_kind::authorize;
  if (authorizing && call.token == "tok_decline")
    return answer({payment_answer_kind::refused, "declined", {}});
  if (authorizing && call.token == "tok_unknown")
    return answer({payment_answer_kind::unknown, "the provider does not know", {}});
  if (authorizing && call.token == "tok_timeout_after" && !call.ask_only)
    return answer({payment_answer_kind::unknown, "no answer in time", {}});
  answer({payment_answer_kind::succeeded, {}, "sim-" + call.idempotency_key});
}

} // namespace purser
