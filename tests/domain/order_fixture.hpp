// An order with its workflow, for tests: what stock and the payment say is told by hand.
#pragma once

#include "actors/domain/order_saga.hpp"
#include "actors/domain/order_tables.hpp"

#include <boost/mp11.hpp>

#include <set>
#include <string>
#include <vector>

namespace purser::tests {

inline place_order two_mugs_and_a_cup() {
  place_order request;
  request.order_id = "o-1";
  request.customer_id = "c-1";
  request.currency = "EUR";
  request.lines = {{"1", "mug", "main", 2, 500}, {"2", "cup", "main", 1, 300}};
  request.payment.method = "card";
  return request;
}

/// An order with its workflow, and what its last decision asked for.
struct workflow {
  order state;
  order_progress progress;
  std::vector<effect> effects;
  std::vector<send_message> asked; ///< of stock, so far
  rejection refused = rejection::none;
  std::uint64_t attempt = 0;
  unix_millis now = 1'000;
  order_policy policy;

  void tell(const message_body& request) {
    decide_context context;
    context.self = {entity_kind::order, "o-1"};
    context.now = now;
    context.attempt = attempt += 1'000;
    auto made = decide(state, progress, request, context, policy);
    for (const auto& event : made.events)
      evolve(state, event);
    effects = std::move(made.effects);
    refused = made.refused;
    for (const auto& wanted : effects)
      if (const auto* send = std::get_if<send_message>(&wanted);
          send != nullptr && send->to.kind == entity_kind::stock)
        asked.push_back(*send);
  }

  void client(command_body body) { tell(std::move(body)); }

  /// Stock answers what it was asked last.
  void stock(stock_step step, const std::string& sku, rejection why = rejection::none) {
    std::uint64_t of = attempt;
    for (const auto& request : asked)
      if (request.to.key == sku)
        of = attempt_of(request.body);
    tell(stock_reply{step, sku, why, of});
  }
  void both(stock_step step) {
    stock(step, "cup");
    stock(step, "mug");
  }
  void payment(payment_outcome outcome, const std::string& request = "") {
    tell(payment_reply{outcome, "because", request});
  }

  static std::uint64_t attempt_of(const message_body& body) {
    return std::visit(
      [](const auto& request) -> std::uint64_t {
        if constexpr (requires { request.attempt; })
          return request.attempt;
        else
          return 0;
      },
      body);
  }

  void crash() { progress = {}; }

  /// To whom the last decision speaks.
  std::set<std::string> spoken_to() const {
    std::set<std::string> names;
    for (const auto& wanted : effects)
      if (const auto* send = std::get_if<send_message>(&wanted))
        names.insert(to_string(send->to));
    return names;
  }
  template <class Body>
  bool sent() const {
    return told<Body>() != nullptr;
  }
  /// The last decision's first message of a kind, or null.
  template <class Body>
  const Body* told() const {
    for (const auto& wanted : effects)
      if (const auto* send = std::get_if<send_message>(&wanted))
        if (const auto* body = std::get_if<Body>(&send->body))
          return body;
    return nullptr;
  }
  std::optional<std::string> alarm() const {
    for (const auto& wanted : effects)
      if (const auto* raised = std::get_if<raise_alarm>(&wanted))
        return raised->text;
    return std::nullopt;
  }
};

inline workflow placed() {
  workflow w;
  w.client(two_mugs_and_a_cup());
  return w;
}

/// One that may wait, and both SKUs are short.
inline workflow backordered() {
  auto request = two_mugs_and_a_cup();
  request.allow_backorder = true;
  workflow w;
  w.client(request);
  w.stock(stock_step::hold, "mug", rejection::out_of_stock);
  w.stock(stock_step::hold, "cup", rejection::out_of_stock);
  return w;
}

inline workflow reserved() {
  auto w = placed();
  w.both(stock_step::hold);
  return w;
}

inline workflow confirmed() {
  auto w = reserved();
  w.payment(payment_outcome::authorized);
  w.both(stock_step::commit);
  w.payment(payment_outcome::captured);
  return w;
}

inline workflow in(order_status status) {
  switch (status) {
  case order_status::absent: return {};
  case order_status::reserving: return placed();
  case order_status::awaiting_payment: return reserved();
  case order_status::confirmed: return confirmed();
  case order_status::fulfilling: {
    auto w = confirmed();
    w.client(ship_order{.order_id = "o-1", .shipment_id = "s-1", .lines = {{{"1", 1}}}});
    w.stock(stock_step::ship, "mug");
    return w;
  }
  case order_status::completed: {
    auto w = confirmed();
    w.client(ship_order{.order_id = "o-1", .shipment_id = "s-1"});
    w.both(stock_step::ship);
    return w;
  }
  case order_status::returning: {
    auto w = in(order_status::completed);
    w.client(return_order{"o-1", "r-1", {{"1", 1}}});
    return w;
  }
  case order_status::on_hold: {
    auto w = reserved();
    w.client(hold_order{"o-1", "fraud?"});
    w.payment(payment_outcome::authorization_refused);
    return w;
  }
  case order_status::canceling: {
    auto w = confirmed();
    w.client(cancel_order{"o-1"});
    return w;
  }
  case order_status::canceled: {
    auto w = in(order_status::canceling);
    w.payment(payment_outcome::reversed);
    w.both(stock_step::release);
    return w;
  }
  case order_status::rejected: {
    auto w = placed();
    w.stock(stock_step::hold, "mug", rejection::out_of_stock);
    w.stock(stock_step::hold, "cup", rejection::out_of_stock);
    return w;
  }
  case order_status::backordered: return backordered();
  case order_status::closed: {
    auto w = in(order_status::completed);
    w.client(deliver_order{"o-1", std::nullopt});
    w.now = w.state.close_at;
    w.tell(timer_due{});
    return w;
  }
  case order_status::needs_attention: {
    auto w = reserved();
    w.payment(payment_outcome::unknown);
    return w;
  }
  }
  return {};
}

template <class E, class Visit>
void for_each_enumerator(Visit visit) {
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
    [&](auto known) { visit(known.value); });
}

} // namespace purser::tests
