// One decision of an order on its way: the state with what was decided so far, and what it asks
// for.
#pragma once

#include "actors/domain/order_saga.hpp"

#include <optional>
#include <utility>

namespace purser {

/// What the capture of a whole order is named by at its payment.
inline constexpr std::string_view capture_of_the_order = "order";

class order_work {
public:
  order_work(const order& current, order_progress& to_progress, const decide_context& of)
      : progress(to_progress), context(of), before_(current) {}

  order_progress& progress;
  const decide_context& context;
  decision<order_event> made;

  /// The order with what happened in this decision. Copied only once something did: an order of
  /// 2,000 lines gets thousands of replies that change nothing.
  const order& now() const { return after_ ? *after_ : before_; }

  void happened(order_event event) {
    if (!after_)
      after_ = before_;
    evolve(*after_, event);
    made.events.push_back(std::move(event));
  }

  void unpark() {
    if (now().parked)
      happened(order_unparked{});
  }

  void tell_payment(message_body body) {
    made.effects.emplace_back(
      send_message{{entity_kind::payment, context.self.key}, std::move(body), {}});
  }

  /// A number for one asking of stock (decide_context::attempt has room for these).
  std::uint64_t next_attempt() { return context.attempt + asked_++; }

private:
  const order& before_;
  std::optional<order> after_;
  std::uint64_t asked_ = 0;
};

} // namespace purser
