// How the shop wants things done: what differs between deployments, in one place.
#pragma once

#include "actors/domain/order.hpp"
#include "actors/domain/payment.hpp"

namespace purser {

struct shop_policy {
  order_policy orders;
  payment_policy payments;
};

} // namespace purser
