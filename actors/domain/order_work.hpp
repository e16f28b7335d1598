// One decision of an order on its way: the state, which evolves by what is decided, and what it
// asks for.
#pragma once

#include "actors/domain/effects.hpp"
#include "actors/domain/order_saga.hpp"

#include <optional>
#include <utility>

namespace purser {

/// What the capture of a whole order is named by at its payment.
inline constexpr std::string_view capture_of_the_order = "order";

class order_work {
public:
  order_work(order& current, order_progress& to_progress, const decide_context& of,
             const order_policy& by)
      : progress(to_progress), context(of), policy(by), current_(current) {}

  order_progress& progress;
  const decide_context& context;
  const order_policy& policy;
  decision<order_event> made;

  /// The order with what happened in this decision. A reference to it sees what happens next, too.
  const order& now() const { return current_; }

  template <class Event>
  void happened(Event&& event) {
    evolve(current_, made.events.emplace_back(std::forward<Event>(event)));
  }

  /// For people to look at: the workflow cannot go on by itself.
  void park(std::string reason) {
    if (now().parked)
      return;
    made.effects.emplace_back(
      raise_alarm{"order_needs_attention order=" + context.self.key + " reason=" + reason});
    happened(order_parked{std::move(reason)});
  }

  /// An operation has ended. While another is stuck the order stays where it is: an operator's
  /// finding about that one may be on its way.
  void unpark_after(const payment_reply& reply) {
    if (!reply.stuck)
      unpark();
  }

  void unpark() {
    if (now().parked)
      happened(order_unparked{});
  }

  template <class Body>
  send_message& tell_payment(Body&& body) {
    return tell(made.effects, entity_kind::payment, context.self.key, std::forward<Body>(body));
  }

  /// What an operator found out. A repeat, after a crash, must not settle a later operation.
  void tell_finding() {
    tell_payment(settle_payment{now().finding, now().finding_note}).key =
      "resolve/" + std::to_string(now().findings);
  }

  template <class Body>
  void tell_stock(const std::string& sku, Body&& body) {
    tell(made.effects, entity_kind::stock, sku, std::forward<Body>(body));
  }

  /// So much later than now.
  timestamp in(std::int64_t ms) const { return {context.now + ms}; }

  /// When the order is to be closed, if everything of it is delivered.
  std::optional<timestamp> closing() const {
    for (const auto& shipped : now().shipments)
      if (!shipped.delivered_at)
        return std::nullopt;
    return in(policy.close_after_ms);
  }

  /// A number for one asking of stock (decide_context::attempt has room for these).
  std::uint64_t next_attempt() { return context.attempt + asked_++; }

private:
  order& current_;
  std::uint64_t asked_ = 0;
};

} // namespace purser
