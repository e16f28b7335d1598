#include "runtime/addressing.hpp"

#include "actors/codec.hpp"

#include <xxhash.h>

#include <algorithm>

namespace purser {

namespace {

struct targets {
  entity_ref operator()(const receive_stock& c) const {
    return {entity_kind::receipt, c.receipt_id};
  }
  entity_ref operator()(const adjust_stock& c) const {
    return {entity_kind::adjustment, c.adjustment_id};
  }
  entity_ref operator()(const receive_batch& c) const { return {entity_kind::batch, c.batch_id}; }
  template <class Other>
  entity_ref operator()(const Other& c) const {
    if constexpr (requires { c.order_id; })
      return {entity_kind::order, c.order_id};
    else
      return {entity_kind::reservation, c.reservation_id};
  }
};

/// The entity that a command is addressed to.
entity_ref target_of(const command_body& body) {
  return std::visit(targets{}, body);
}

/// What identifies a command in its stream (contract.md, 2): its own id field, else its command_id.
std::string key_of(const command& request) {
  const auto& body = request.body;
  if (std::holds_alternative<place_order>(body) || std::holds_alternative<receive_stock>(body) ||
      std::holds_alternative<adjust_stock>(body) || std::holds_alternative<reserve_stock>(body) ||
      std::holds_alternative<receive_batch>(body))
    return std::string{op_of(body)}; // the stream itself is named after the id
  if (const auto* ship = std::get_if<ship_order>(&body))
    return "shipment/" + ship->shipment_id;
  if (const auto* goods = std::get_if<return_order>(&body))
    return "return/" + goods->return_id;
  if (const auto* money = std::get_if<grant_refund>(&body))
    return "refund/" + money->refund_id;
  return "command/" + request.command_id;
}

/// Of everything that the command says, but for its command_id and its time. Never 0.
std::uint64_t fingerprint_of(const command_body& body) {
  std::string bytes{op_of(body)};
  std::visit([&](const auto& alternative) { codec::encode(bytes, alternative); }, body);
  return std::max<std::uint64_t>(XXH3_64bits(bytes.data(), bytes.size()), 1);
}

} // namespace

envelope addressed(command request, unix_millis at) {
  envelope message;
  message.to = target_of(request.body);
  message.key = key_of(request);
  message.fingerprint = fingerprint_of(request.body);
  message.at = at;
  message.body = std::move(request.body);
  return message;
}

} // namespace purser
