#include "runtime/crash_plan.hpp"

#include <algorithm>

namespace purser {

namespace {

constexpr std::uint64_t points = 4;

bool fits(const crash_order& order, const envelope& message) {
  return (!order.entity || *order.entity == message.to) &&
         (!order.message || *order.message == name_of(message.body));
}

} // namespace

void crash_plan::add(crash_order order) {
  const std::lock_guard lock{mutex_};
  orders_.push_back(std::move(order));
  has_orders_ = true;
}

std::optional<crash_point> crash_plan::next(const envelope& message) {
  if (message.deliveries > 1)
    return std::nullopt; // a crash is one crash: the redelivery goes through
  if (has_orders_.load(std::memory_order_relaxed))
    if (const auto point = ordered(message))
      return point;
  if (every_ == 0 || !message.is_command())
    return std::nullopt;
  const auto count = commands_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (count % every_ != 0)
    return std::nullopt;
  return static_cast<crash_point>((count / every_) % points);
}

std::optional<crash_point> crash_plan::ordered(const envelope& message) {
  const std::lock_guard lock{mutex_};
  const auto order = std::find_if(orders_.begin(), orders_.end(),
                                  [&](const auto& each) { return fits(each, message); });
  if (order == orders_.end())
    return std::nullopt;
  const bool always = order->every_delivery;
  if (--order->times == 0)
    orders_.erase(order);
  has_orders_ = !orders_.empty();
  if (always)
    return crash_point::every_delivery;
  return static_cast<crash_point>(ordered_++ % points);
}

} // namespace purser
