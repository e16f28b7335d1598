#include "tools/purser/explain.hpp"

#include "actors/domain/order_tables.hpp"

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <array>

namespace purser::tools {

namespace {

/// Events that change the status that a customer sees.
constexpr std::array<std::string_view, 23> status_events{
  "order_placed",         "order_reserved",  "order_rejected",  "order_confirmed", "payment_failed",
  "cancel_requested",     "order_canceled",  "order_shipped",   "order_completed", "order_parked",
  "order_unparked",       "order_returned",  "returns_settled", "order_held",      "order_resumed",
  "order_backordered",    "backorder_tried", "order_given_up",  "order_closed",    "task_refused",
  "payment_needs_action", "payment_overdue", "order_hold_lost"};

bool changes_status(const event_notice& event) {
  return std::find(status_events.begin(), status_events.end(), event.name) != status_events.end();
}

std::string units(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " unit" : " units");
}

void add_lines(const order_view& order, std::vector<std::string>& to) {
  for (const auto& line : order.lines)
    if (line.backordered > 0)
      to.push_back("stock: " + units(line.backordered) + " of " + line.sku + " at " +
                   line.location + " (line " + line.line_id + ")");
}

void add_operations(const order_view& order, std::vector<std::string>& to) {
  if (!order.payment)
    return;
  for (const auto& operation : order.payment->operations) {
    const std::string what =
      operation.operation_id + " of " + std::to_string(operation.amount) + " " + order.currency;
    switch (operation.status) {
    case operation_status::submitted: to.push_back("the provider's answer to " + what); break;
    case operation_status::unknown:
      to.push_back("the outcome of " + what + ", which the provider does not tell (" +
                   operation.reason.value_or("no reason") + "); it is asked again and again");
      break;
    case operation_status::action_required:
      to.push_back("the customer: " + what + " (" + operation.reason.value_or("to be confirmed") +
                   ")");
      break;
    case operation_status::created:
      to.push_back(what + ", once the one before it has ended");
      break;
    case operation_status::succeeded:
    case operation_status::refused: break;
    }
  }
}

std::string what_comes(const order_view& order) {
  switch (order.status) {
  case order_status::backordered: return "the wait for stock ends; the order is canceled";
  case order_status::completed: return "the order is closed";
  default:
    return "the payment's deadline: without a payment in flight the order is canceled, with one "
           "the "
           "holds stay until people look";
  }
}

std::vector<std::string> commands_for(const order_view& order) {
  std::vector<std::string> names;
  for (const auto& row : order_rules::commands) {
    const auto& verdict = verdict_on(order.status, row.command);
    if (verdict.what == order_verdict::kind::accept ||
        verdict.what == order_verdict::kind::as_phase)
      names.emplace_back(boost::describe::enum_to_string(row.command, "?"));
  }
  return names;
}

} // namespace

explanation explain(const order_view& order, const std::vector<event_notice>& history) {
  explanation made;
  made.status = to_string(order.status);
  made.reason = order.reason;
  const auto last = std::find_if(history.rbegin(), history.rend(), changes_status);
  if (last != history.rend()) {
    made.since = to_rfc3339(last->at);
    made.because = last->name;
    const auto cause =
      std::find_if(last, history.rend(), [](const auto& event) { return !event.cause.empty(); });
    if (cause != history.rend())
      made.because += ", after " + cause->cause;
  }
  add_lines(order, made.waits_for);
  if (order.status == order_status::on_hold)
    made.waits_for.emplace_back("somebody who resumes it (order.resume)");
  add_operations(order, made.waits_for);
  for (const auto& task : order.tasks)
    made.waits_for.push_back(std::string{boost::describe::enum_to_string(task.kind, "?")} + " " +
                             task.id +
                             (task.amount != 0 ? " of " + std::to_string(task.amount) : ""));
  if (order.due)
    made.next = *order.due + ": " + what_comes(order);
  made.can_do = commands_for(order);
  return made;
}

std::string to_text(const std::string& order_id, const explanation& what) {
  std::string out = order_id + " is " + what.status;
  if (what.reason)
    out += " (" + *what.reason + ")";
  if (!what.since.empty())
    out += " since " + what.since + ": " + what.because;
  out += "\n";
  if (what.waits_for.empty())
    out += "  it waits for nothing\n";
  for (const auto& each : what.waits_for)
    out += "  waits for " + each + "\n";
  if (what.next)
    out += "  next, " + *what.next + "\n";
  std::string commands;
  for (const auto& name : what.can_do)
    commands += (commands.empty() ? "" : ", ") + name;
  out += "  takes: " + (commands.empty() ? "no command any more" : commands) + "\n";
  return out;
}

} // namespace purser::tools
