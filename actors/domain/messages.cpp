#include "actors/domain/messages.hpp"

#include <array>

namespace purser {

std::string_view name_of(const message_body& body) {
  static constexpr std::array<std::string_view, std::variant_size_v<message_body>> names{
    "command",        "book_receipt",      "book_adjustment",      "hold_units",
    "commit_units",   "release_units",     "ship_units",           "restock_units",
    "stock_reply",    "authorize_payment", "capture_payment",      "refund_payment",
    "void_rest",      "reverse_payment",   "settle_payment",       "provider_reply",
    "payment_reply",  "resume_step",       "undeliverable",        "leave_queue",
    "offer_units",    "hold_lost",         "expire_authorization", "timer_due",
    "charge_payment", "book_batch"};
  if (const auto* client = std::get_if<command_body>(&body))
    return op_of(*client);
  return names.at(body.index());
}

} // namespace purser
