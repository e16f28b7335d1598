#include "actors/domain/order.hpp"

#include "actors/domain/order_money.hpp"
#include "actors/domain/order_tables.hpp"

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>

namespace purser {

namespace {

struct order_evolution {
  order& current;

  // -- The main workflow --------------------------------------------------------------------------

  void operator()(const order_placed& event) const {
    current.customer_id = event.customer_id;
    current.currency = event.currency;
    current.lines = event.lines;
    current.counts.resize(event.lines.size());
    current.shipping = event.shipping;
    current.total = event.total;
    current.capture = event.capture;
    current.allow_backorder = event.allow_backorder;
    current.payment = event.payment;
    current.placed_at = event.placed_at.ms;
    current.metadata = event.metadata;
  }
  void operator()(const order_reserved& event) const {
    current.pay_by = event.pay_by.ms;
    current.overdue = current.action_required = false;
  }
  void operator()(const order_rejected& event) const { current.reason = to_string(event.why); }
  void operator()(const order_confirmed&) const {
    if (current.capture != capture_policy::on_confirm)
      return;
    current.captured = current.total;
    for (std::size_t i = 0; i < current.lines.size(); ++i)
      current.counts[i].captured = line_total(current.lines[i]).value();
  }
  void operator()(const payment_failed&) const {
    current.reason = payment_declined_reason;
    begin_cancel();
  }
  void operator()(const cancel_requested& event) const {
    current.reason = event.reason;
    begin_cancel();
  }
  void operator()(const order_canceled&) const {
    for (std::size_t i = 0; i < current.lines.size(); ++i)
      current.counts[i].canceled = current.lines[i].quantity - current.counts[i].shipped;
    current.refunded = current.captured;
  }
  void operator()(const order_given_up& event) const {
    current.reason = event.reason;
    begin_cancel();
  }
  void operator()(const order_closed&) const {
    if (!current.tasks.empty())
      throw broken_invariant("M5: an order is closed while money or goods are under way");
  }

  // -- The queue ----------------------------------------------------------------------------------

  void operator()(const order_backordered& event) const {
    current.wait_until = event.wait_until.ms;
    current.waited = true;
    if (current.lost)
      ++current.series; // what was authorized went back
    current.lost = current.declined = current.parked = false;
    current.park_reason.clear();
    release_hold();
  }
  void operator()(const backorder_tried&) const {}
  void operator()(const order_hold_lost&) const {
    current.lost = true;
    current.action_required = current.declined = false;
    release_hold();
  }

  void operator()(const order_completed& event) const {
    if (event.close_at)
      current.close_at = event.close_at->ms;
    release_hold(); // it was under way: nothing is left to hold back
    std::erase_if(current.tasks, moves_units);
    if (const auto rest = unused_authorization(); rest > 0)
      current.tasks.push_back({task_kind::void_rest, "rest", {}, rest});
  }

  // -- Beside the phase ---------------------------------------------------------------------------

  void operator()(const order_parked& event) const {
    current.parked = true;
    current.park_reason = event.reason;
  }
  void operator()(const order_unparked&) const {
    current.parked = false;
    current.park_reason.clear();
  }
  void operator()(const order_held& event) const { hold(event.reason); }
  void operator()(const order_resumed&) const { release_hold(); }
  void operator()(const payment_declined&) const { current.declined = true; }
  void operator()(const payment_retried& event) const {
    current.declined = false;
    current.payment = event.payment;
    ++current.series;
  }
  void operator()(const payment_needs_action&) const { current.action_required = true; }
  void operator()(const payment_action_done&) const { current.action_required = false; }
  void operator()(const payment_overdue& event) const {
    current.overdue = true;
    current.pay_by = event.pay_by.ms;
  }
  void operator()(const payment_resolved& event) const {
    ++current.findings;
    current.finding = event.finding;
    current.finding_note = event.note;
  }
  void operator()(const order_delivered& event) const {
    if (event.close_at)
      current.close_at = event.close_at->ms;
    for (auto& shipped : current.shipments)
      if ((!event.shipment_id || *event.shipment_id == shipped.shipment_id) &&
          !shipped.delivered_at)
        shipped.delivered_at = event.at;
  }

  // -- Tasks --------------------------------------------------------------------------------------

  void operator()(const shipment_requested& event) const {
    for (const auto& part : event.units) {
      take(part);
      current.counts[part.line].shipping += part.quantity;
    }
    current.tasks.push_back(
      {task_kind::capture, event.shipment.shipment_id, event.units, event.amount, event.shipment});
  }
  void operator()(const order_shipped& event) const {
    if (has(task_kind::capture, event.shipment.shipment_id)) {
      for (const auto& part : close(task_kind::capture, event.shipment.shipment_id).units)
        current.counts[part.line].shipping -= part.quantity;
    }
    for (const auto& part : event.units) {
      take(part);
      auto& counts = current.counts[part.line];
      if (current.capture == capture_policy::on_ship)
        counts.captured += price_of(current, part);
      counts.shipped += part.quantity;
    }
    current.captured += event.captured;
    current.shipments.push_back(event.shipment);
    current.tasks.push_back({task_kind::shipment, event.shipment.shipment_id, event.units, 0});
  }
  void operator()(const lines_canceled& event) const {
    for (const auto& part : event.units) {
      take(part);
      auto& counts = current.counts[part.line];
      if (is_paid_before_shipment(current))
        counts.refunded += refund_of(current, part);
      counts.canceled += part.quantity;
    }
    refund(event.refund);
    ++current.cancellations;
    current.tasks.push_back({task_kind::cancellation, event.cancel_id, event.units, event.refund});
  }
  void operator()(const order_returned& event) const {
    for (const auto& part : event.units) {
      auto& counts = current.counts.at(part.line);
      counts.refunded += refund_of(current, part);
      counts.returned += part.quantity;
      if (counts.returned > counts.shipped)
        throw broken_invariant("K8: more units came back than were shipped");
    }
    refund(event.refund);
    current.returns.push_back({event.return_id, event.refund, event.at});
    current.tasks.push_back({task_kind::goods_return, event.return_id, event.units, event.refund});
  }
  void operator()(const refund_granted& event) const {
    refund(event.amount);
    current.tasks.push_back({task_kind::refund, event.refund_id, {}, event.amount});
  }
  void operator()(const task_settled& event) const { close(event.kind, event.id); }
  void operator()(const task_refused& event) const {
    const auto task = close(event.kind, event.id);
    current.refused_tasks.push_back({event.kind, event.id});
    if (event.kind == task_kind::capture) {
      for (const auto& part : task.units)
        current.counts[part.line].shipping -= part.quantity;
      hold(to_string(rejection::capture_refused));
    } else {
      current.refunded -= task.amount;
    }
  }
  void operator()(const returns_settled&) const {}

private:
  void begin_cancel() const {
    current.tasks.clear(); // their money and their units are part of what goes back
    release_hold();
    current.parked = current.declined = current.lost = current.action_required = false;
    current.park_reason.clear();
  }

  void release_hold() const {
    current.on_hold = false;
    current.hold_reason.clear();
  }

  void hold(std::string_view reason) const {
    current.on_hold = true;
    current.hold_reason = reason;
  }

  /// Checks that so many units of a line are left.
  void take(const line_units& part) const {
    if (part.line >= current.lines.size() || part.quantity > left_of(current, part.line))
      throw broken_invariant("K8: more units of a line than are left");
  }

  void refund(minor_units amount) const {
    current.refunded += amount;
    if (current.refunded > current.captured)
      throw broken_invariant("M4: more refunded than captured");
  }

  minor_units unused_authorization() const {
    return current.capture == capture_policy::on_ship ? current.total - current.captured : 0;
  }

  auto find(task_kind kind, const std::string& id) const {
    return std::find_if(current.tasks.begin(), current.tasks.end(),
                        [&](const auto& task) { return task.kind == kind && task.id == id; });
  }

  bool has(task_kind kind, const std::string& id) const {
    return find(kind, id) != current.tasks.end();
  }

  order_task close(task_kind kind, const std::string& id) const {
    const auto found = find(kind, id);
    if (found == current.tasks.end())
      throw broken_invariant("O1: no open task " + id);
    auto task = std::move(*found);
    current.tasks.erase(found);
    return task;
  }
};

} // namespace

std::string_view to_string(order_status status) {
  return boost::describe::enum_to_string(status, "unknown");
}

order_status status_of(const order& current) {
  if (current.parked)
    return order_status::needs_attention;
  return current.on_hold ? order_status::on_hold : current.phase;
}

const std::string& reason_of(const order& current) {
  if (current.parked)
    return current.park_reason;
  return current.on_hold ? current.hold_reason : current.reason;
}

bool has_open_step(const order& current) {
  if (current.parked)
    return false;
  switch (current.phase) {
  case order_status::reserving:
  case order_status::canceling: return true;
  case order_status::awaiting_payment: return !current.declined && !current.action_required;
  default: return !current.tasks.empty();
  }
}

bool must_resume(const order& current) {
  return has_open_step(current) || (current.parked && current.park_reason == waits_for_payment) ||
         (current.phase == order_status::awaiting_payment && current.action_required);
}

std::optional<unix_millis> due(const order& current) {
  switch (current.phase) {
  case order_status::backordered: return current.wait_until;
  case order_status::awaiting_payment:
    if (current.lost || (current.overdue && current.parked))
      return std::nullopt; // people have been told
    return current.pay_by;
  case order_status::completed:
    if (current.close_at != 0 && current.tasks.empty())
      return current.close_at;
    return std::nullopt;
  default: return std::nullopt;
  }
}

std::int64_t left_of(const order& current, std::size_t line) {
  const auto& counts = current.counts.at(line);
  return current.lines.at(line).quantity - counts.canceled - counts.shipped - counts.shipping;
}

bool has_task(const order& current, task_kind kind) {
  return std::any_of(current.tasks.begin(), current.tasks.end(),
                     [kind](const auto& task) { return task.kind == kind; });
}

const order_task* find_task(const order& current, task_kind kind, const std::string& id) {
  const auto found =
    std::find_if(current.tasks.begin(), current.tasks.end(),
                 [&](const auto& task) { return task.kind == kind && task.id == id; });
  return found == current.tasks.end() ? nullptr : &*found;
}

bool was_refused(const order& current, task_kind kind, const std::string& id) {
  return std::find(current.refused_tasks.begin(), current.refused_tasks.end(),
                   refused_task{kind, id}) != current.refused_tasks.end();
}

void evolve(order& current, const order_event& event) {
  const auto type = std::visit([](const auto& e) { return e.type; }, event);
  const auto next = next_phase(current.phase, type);
  if (!next)
    throw broken_invariant("the order's table does not allow " +
                           std::string{std::visit([](const auto& e) { return e.name; }, event)} +
                           " while " + std::string{to_string(current.phase)});
  std::visit(order_evolution{current}, event);
  current.phase = *next;
}

} // namespace purser
