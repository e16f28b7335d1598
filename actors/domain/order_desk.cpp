#include "actors/domain/order_desk.hpp"

#include "actors/domain/order_money.hpp"

#include <algorithm>

namespace purser {

namespace {

struct command_kinds {
  order_command operator()(const place_order&) const { return order_command::place; }
  order_command operator()(const cancel_order& request) const {
    return request.lines ? order_command::cancel_part : order_command::cancel;
  }
  order_command operator()(const ship_order&) const { return order_command::ship; }
  order_command operator()(const deliver_order&) const { return order_command::deliver; }
  order_command operator()(const return_order&) const { return order_command::return_goods; }
  order_command operator()(const hold_order&) const { return order_command::hold; }
  order_command operator()(const resume_order&) const { return order_command::resume; }
  order_command operator()(const resolve_order&) const { return order_command::resolve; }
  order_command operator()(const grant_refund&) const { return order_command::refund; }
  order_command operator()(const retry_payment&) const { return order_command::retry; }
  template <class Other>
  order_command operator()(const Other& request) const {
    throw broken_invariant("an order was sent " + std::string{request.op});
  }
};

bool waits_for_its_payment(const order& current) {
  return current.parked && current.park_reason == waits_for_payment;
}

} // namespace

order_command kind_of(const command_body& body) {
  return std::visit(command_kinds{}, body);
}

desk_outcome order_desk::take(const command_body& body) {
  const auto& current = work_.now();
  const auto command = kind_of(body);
  auto verdict = verdict_on(status_of(current), command);
  if (verdict.what == order_verdict::kind::as_phase) {
    const bool cancels = command == order_command::cancel || command == order_command::cancel_part;
    if (cancels && waits_for_its_payment(current))
      return refuse(rejection::payment_unknown);
    verdict = verdict_on(current.phase, command);
  }
  if (verdict.what == order_verdict::kind::refuse)
    return refuse(verdict.why);
  if (verdict.what == order_verdict::kind::already_so)
    return desk_outcome::done;
  return std::visit(
    [this](const auto& request) -> desk_outcome {
      if constexpr (requires { accept(request); })
        return accept(request);
      else
        throw broken_invariant("an order was sent " + std::string{request.op});
    },
    body);
}

desk_outcome order_desk::refuse(rejection why) {
  work_.made.refused = why;
  return desk_outcome::done;
}

desk_outcome order_desk::accept(const place_order& request) {
  work_.happened(order_placed{request.customer_id, request.currency, request.lines,
                              request.shipping, order_total(request).value(), request.payment,
                              request.placed_at.value_or(timestamp{work_.context.now}),
                              request.metadata, request.capture, request.allow_backorder});
  return desk_outcome::placed;
}

// -- Canceling ------------------------------------------------------------------------------------

desk_outcome order_desk::accept(const cancel_order& request) {
  const auto& current = work_.now();
  if (has_task(current, task_kind::capture))
    return refuse(rejection::shipment_under_way);
  if (request.lines || !current.shipments.empty())
    return cancel_part(request);
  work_.happened(cancel_requested{request.reason.value_or("canceled_by_request")});
  return desk_outcome::canceled;
}

desk_outcome order_desk::cancel_part(const cancel_order& request) {
  auto units = units_of(request.lines);
  if (!units)
    return desk_outcome::done;
  const auto& current = work_.now();
  const auto reason = request.reason.value_or("canceled_by_request");
  std::int64_t rest = 0;
  for (std::size_t i = 0; i < current.lines.size(); ++i)
    rest += left_of(current, i);
  for (const auto& part : *units)
    rest -= part.quantity;
  if (rest == 0 && current.shipments.empty()) { // all of it, named line by line
    work_.happened(cancel_requested{reason});
    return desk_outcome::canceled;
  }
  const auto refund = is_paid_before_shipment(current) ? refund_of(current, *units) : 0;
  work_.happened(
    lines_canceled{std::to_string(current.cancellations + 1), reason, std::move(*units), refund});
  return desk_outcome::task_opened;
}

// -- Shipping -------------------------------------------------------------------------------------

desk_outcome order_desk::accept(const ship_order& request) {
  auto units = units_of(request.lines);
  if (!units)
    return desk_outcome::done;
  const auto& current = work_.now();
  shipment made{request.shipment_id, request.carrier, request.tracking, {work_.context.now}};
  if (current.capture == capture_policy::on_confirm) {
    work_.happened(order_shipped{std::move(made), std::move(*units), 0});
    return desk_outcome::task_opened;
  }
  if (has_task(current, task_kind::capture))
    return refuse(rejection::shipment_under_way); // one capture at a time: shares add up
  const auto amount = price_of_shipment(current, *units);
  work_.happened(shipment_requested{std::move(made), std::move(*units), amount});
  return desk_outcome::task_opened;
}

desk_outcome order_desk::accept(const deliver_order& request) {
  const auto& shipments = work_.now().shipments;
  const auto is_meant = [&](const shipment& shipped) {
    return !request.shipment_id || *request.shipment_id == shipped.shipment_id;
  };
  if (std::none_of(shipments.begin(), shipments.end(), is_meant))
    return refuse(rejection::shipment_unknown);
  const bool news = std::any_of(shipments.begin(), shipments.end(), [&](const auto& shipped) {
    return is_meant(shipped) && !shipped.delivered_at;
  });
  if (!news)
    return desk_outcome::done;
  const auto& current = work_.now();
  const bool all_shipped =
    current.phase == order_status::completed || current.phase == order_status::returning;
  const bool all_delivered =
    std::all_of(shipments.begin(), shipments.end(),
                [&](const auto& shipped) { return is_meant(shipped) || shipped.delivered_at; });
  order_delivered event{request.shipment_id, {work_.context.now}, std::nullopt};
  if (all_shipped && all_delivered)
    event.close_at = work_.in(work_.policy.close_after_ms);
  work_.happened(std::move(event));
  return desk_outcome::done;
}

desk_outcome order_desk::accept(const return_order& request) {
  auto units = units_of(request.lines);
  if (!units)
    return desk_outcome::done;
  const auto& current = work_.now();
  if (request.refund && *request.refund > refundable(current))
    return refuse(rejection::refund_exceeds_captured);
  const auto refund = request.refund ? *request.refund : refund_of(current, *units);
  work_.happened(order_returned{request.return_id, std::move(*units), refund, {work_.context.now}});
  return desk_outcome::task_opened;
}

// -- People ---------------------------------------------------------------------------------------

desk_outcome order_desk::accept(const hold_order& request) {
  work_.happened(order_held{request.reason});
  return desk_outcome::done;
}

desk_outcome order_desk::accept(const resume_order& request) {
  const bool declined = work_.now().declined;
  work_.happened(order_resumed{request.note.value_or("")});
  return declined ? desk_outcome::payment_failed : desk_outcome::done;
}

desk_outcome order_desk::accept(const resolve_order& request) {
  if (!waits_for_its_payment(work_.now()))
    return refuse(rejection::nothing_to_resolve);
  work_.happened(payment_resolved{request.payment, request.note});
  work_.tell_finding();
  return desk_outcome::done;
}

desk_outcome order_desk::accept(const grant_refund& request) {
  if (request.amount > refundable(work_.now()))
    return refuse(rejection::refund_exceeds_captured);
  work_.happened(refund_granted{request.refund_id, request.amount, request.reason.value_or("")});
  return desk_outcome::task_opened;
}

desk_outcome order_desk::accept(const retry_payment& request) {
  if (!work_.now().declined)
    return refuse(rejection::nothing_to_retry);
  work_.happened(payment_retried{request.payment});
  return desk_outcome::pay_again;
}

// -- Units ----------------------------------------------------------------------------------------

std::optional<std::uint32_t> order_desk::find_line(const std::string& line_id) {
  const auto& lines = work_.now().lines;
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const auto& line) { return line.line_id == line_id; });
  if (found != lines.end())
    return static_cast<std::uint32_t>(found - lines.begin());
  refuse(rejection::line_unknown);
  return std::nullopt;
}

std::optional<std::vector<line_units>>
order_desk::units_of(const std::optional<std::vector<line_quantity>>& lines) {
  const auto& current = work_.now();
  std::vector<line_units> units;
  if (!lines)
    for (std::uint32_t i = 0; i < current.lines.size(); ++i)
      if (const auto left = left_of(current, i); left > 0)
        units.push_back({i, left});
  if (lines)
    for (const auto& named : *lines) {
      const auto line = find_line(named.line_id);
      if (!line)
        return std::nullopt;
      if (named.quantity > left_of(current, *line)) {
        refuse(rejection::quantity_exceeded);
        return std::nullopt;
      }
      units.push_back({*line, named.quantity});
    }
  if (!units.empty())
    return units;
  refuse(rejection::order_already_shipped);
  return std::nullopt;
}

std::optional<std::vector<line_units>> order_desk::units_of(const std::vector<return_line>& lines) {
  const auto& current = work_.now();
  std::vector<line_units> units;
  for (const auto& named : lines) {
    const auto line = find_line(named.line_id);
    if (!line)
      return std::nullopt;
    const auto& counts = current.counts.at(*line);
    if (named.quantity > counts.shipped - counts.returned) {
      refuse(rejection::quantity_exceeded);
      return std::nullopt;
    }
    units.push_back({*line, named.quantity, named.restock});
  }
  return units;
}

} // namespace purser
