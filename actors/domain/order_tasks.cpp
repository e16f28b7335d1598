#include "actors/domain/order_tasks.hpp"

#include <algorithm>
#include <map>

namespace purser {

namespace {

std::string_view prefix_of(task_kind kind) {
  switch (kind) {
  case task_kind::capture: return "ship/";
  case task_kind::cancellation: return "cancel/";
  case task_kind::goods_return: return "return/";
  case task_kind::refund: return "refund/";
  case task_kind::shipment:
  case task_kind::void_rest: break;
  }
  return "";
}

/// What a task's money is named by at the payment.
std::string request_of(const order_task& task) {
  return std::string{prefix_of(task.kind)} + task.id;
}

bool answers(const payment_reply& reply, const order_task& task) {
  switch (reply.outcome) {
  case payment_outcome::captured:
  case payment_outcome::capture_refused:
    return task.kind == task_kind::capture && reply.request == request_of(task);
  case payment_outcome::refunded:
  case payment_outcome::refund_refused:
    return task.kind != task_kind::capture && reply.request == request_of(task);
  case payment_outcome::voided:
  case payment_outcome::void_refused:
    return task.kind == task_kind::void_rest && reply.request.empty();
  default: return false;
  }
}

bool is_refusal(payment_outcome outcome) {
  return outcome == payment_outcome::capture_refused ||
         outcome == payment_outcome::refund_refused || outcome == payment_outcome::void_refused;
}

} // namespace

void order_tasks::drive(const order_task& task) {
  auto& progress = work_.progress.tasks[{task.kind, task.id}];
  progress = {};
  ask_payment(task, progress);
  ask_stock(task, progress);
  end_if_done(task);
}

void order_tasks::ask_payment(const order_task& task, task_progress& progress) {
  if (task.kind == task_kind::shipment || task.amount == 0)
    progress.money_done = true;
  else if (task.kind == task_kind::capture)
    work_.tell_payment(capture_payment{request_of(task), task.amount});
  else if (task.kind == task_kind::void_rest)
    work_.tell_payment(void_rest{});
  else
    work_.tell_payment(refund_payment{request_of(task), task.amount});
}

void order_tasks::ask_stock(const order_task& task, task_progress& progress) {
  stock_request request;
  switch (task.kind) {
  case task_kind::shipment: request.step = stock_step::ship; break;
  case task_kind::cancellation: request.step = stock_step::release; break;
  case task_kind::goods_return:
    request.step = stock_step::restock;
    request.key = "return/" + work_.context.self.key + "/" + task.id;
    break;
  case task_kind::capture:
  case task_kind::refund:
  case task_kind::void_rest: progress.stock_done = true; return;
  }
  auto wanted = demands(task);
  progress.stock_done = wanted.empty();
  if (!progress.stock_done)
    progress.stock =
      stock_fanout::ask(request, std::move(wanted), work_.made.effects, work_.next_attempt());
}

/// What stock is asked for. A return: its units. A shipment or a cancellation: for every place that
/// the task takes units from, how many have shipped or were canceled there in all (messages.hpp).
std::vector<stock_demand> order_tasks::demands(const order_task& task) const {
  const auto& current = work_.now();
  std::map<std::string, std::map<std::string, std::int64_t>> places;
  for (const auto& part : task.units) {
    const auto& line = current.lines.at(part.line);
    if (task.kind != task_kind::goods_return)
      places[line.sku][line.location] = 0;
    else if (part.restock)
      places[line.sku][line.location] += part.quantity;
  }
  if (task.kind != task_kind::goods_return)
    for (std::size_t i = 0; i < current.lines.size(); ++i) {
      const auto sku = places.find(current.lines[i].sku);
      if (sku == places.end())
        continue;
      if (const auto place = sku->second.find(current.lines[i].location);
          place != sku->second.end())
        place->second +=
          task.kind == task_kind::shipment ? current.counts[i].shipped : current.counts[i].canceled;
    }
  std::vector<stock_demand> demands;
  demands.reserve(places.size());
  for (const auto& [sku, locations] : places) {
    stock_demand demand{sku, {}};
    for (const auto& [location, quantity] : locations)
      demand.items.push_back({location, quantity});
    demands.push_back(std::move(demand));
  }
  return demands;
}

bool order_tasks::take(const stock_reply& reply) {
  auto& tasks = work_.progress.tasks;
  const auto asked = std::find_if(
    tasks.begin(), tasks.end(), [&](const auto& entry) { return entry.second.stock.asked(reply); });
  if (asked == tasks.end())
    return false;
  if (!asked->second.stock.note(reply))
    return true;
  asked->second.stock_done = true;
  const auto& open = work_.now().tasks;
  const auto task = std::find_if(open.begin(), open.end(), [&](const auto& candidate) {
    return std::pair{candidate.kind, candidate.id} == asked->first;
  });
  if (task != open.end())
    end_if_done(order_task{*task});
  return true;
}

bool order_tasks::take(const payment_reply& reply) {
  const auto& open = work_.now().tasks;
  const auto found =
    std::find_if(open.begin(), open.end(), [&](const auto& task) { return answers(reply, task); });
  if (found == open.end())
    return false;
  auto task = *found; // it outlives the state that it is in
  auto& progress = work_.progress.tasks[{task.kind, task.id}];
  if (progress.money_done)
    return true; // a repeat
  work_.unpark_after(reply);
  progress.money_done = true;
  if (is_refusal(reply.outcome))
    progress.refused = reply.reason;
  end_if_done(task);
  return true;
}

void order_tasks::end_if_done(const order_task& task) {
  auto& tasks = work_.progress.tasks;
  const auto found = tasks.find({task.kind, task.id});
  if (found == tasks.end())
    throw broken_invariant("O1: no progress of task " + task.id);
  if (!found->second.money_done || !found->second.stock_done)
    return;
  const auto progress = std::move(found->second);
  tasks.erase(found);
  if (task.kind == task_kind::capture)
    return capture_ended(task, progress);
  const bool completes_it = completes(task);
  if (progress.refused)
    work_.happened(task_refused{task.kind, task.id, *progress.refused});
  else if (!completes_it)
    work_.happened(task_settled{task.kind, task.id});
  if (completes_it)
    complete();
  else if (work_.now().phase == order_status::returning &&
           !has_task(work_.now(), task_kind::goods_return))
    work_.happened(returns_settled{});
}

/// Whether the order is completed when this task has ended well; then that one event says it all.
bool order_tasks::completes(const order_task& task) const {
  const auto& current = work_.now();
  if (current.phase != order_status::fulfilling || !moves_units(task))
    return false;
  for (const auto& other : current.tasks)
    if (moves_units(other) && (other.kind != task.kind || other.id != task.id))
      return false;
  for (std::size_t i = 0; i < current.lines.size(); ++i)
    if (left_of(current, i) > 0)
      return false;
  return true;
}

void order_tasks::capture_ended(const order_task& task, const task_progress& progress) {
  if (progress.refused)
    return work_.happened(task_refused{task.kind, task.id, *progress.refused});
  work_.happened(order_shipped{task.shipment, task.units, task.amount});
  drive(order_task{work_.now().tasks.back()});
}

void order_tasks::complete() {
  work_.happened(order_completed{work_.closing()});
  if (has_task(work_.now(), task_kind::void_rest))
    drive(order_task{work_.now().tasks.back()});
}

} // namespace purser
