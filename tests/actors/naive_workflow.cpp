// How orders go on, and their money.
#include "tests/actors/naive_shop.hpp"

#include <algorithm>
#include <stdexcept>

namespace purser::tests {

namespace {

using status = order_status;

bool moves_units(const std::string& task) {
  return task.starts_with("ship/") || task.starts_with("cancel/");
}

bool is_goodwill(const naive_operation& operation) {
  return operation.task.starts_with("refund/");
}

} // namespace

// -- An order's way -------------------------------------------------------------------------------

void naive_shop::reserve(const std::string& id) {
  auto& order = orders.at(id);
  order.lost = order.declined = order.parked = order.on_hold = order.action_required = false;
  if (hold(order_ref(id), sum_of(order.wanted.lines), order.wanted.allow_backorder)) {
    order.phase = status::awaiting_payment;
    order.pay_by = now + policy_.hold_ms;
    order.overdue = false;
    return pay(id);
  }
  if (!order.wanted.allow_backorder) {
    order.phase = status::rejected;
    order.reason = "out_of_stock";
    return;
  }
  order.phase = status::backordered;
  if (order.wait_until == 0)
    order.wait_until = now + policy_.backorder_wait_ms;
}

void naive_shop::pay(const std::string& id) {
  auto& order = orders.at(id);
  if (order.total == 0)
    return commit(id);
  order.reversing = false;
  ask(id, operation_kind::authorize, order.total, "", [id](naive_shop& shop, bool ok) {
    auto& asked = shop.orders.at(id);
    asked.action_required = false;
    if (ok)
      return shop.commit(id);
    if (asked.overdue)
      return shop.cancel(id, "payment_timeout");
    if (!asked.on_hold)
      return shop.cancel(id, "payment_declined");
    asked.declined = true; // another card may come
  });
}

void naive_shop::commit(const std::string& id) {
  for (auto& [name, sku] : skus)
    for (auto& hold : sku.holds)
      hold.committed |= hold.owner == order_ref(id);
  const auto& order = orders.at(id);
  if (order.total == 0 || order.wanted.capture == capture_policy::on_ship)
    return confirm(id);
  capture(id, order.total, [id](naive_shop& shop, bool ok) {
    if (ok)
      return shop.confirm(id);
    shop.cancel(id, "payment_declined");
  });
}

void naive_shop::confirm(const std::string& id) {
  auto& order = orders.at(id);
  order.phase = status::confirmed;
  if (order.wanted.capture == capture_policy::on_ship)
    return;
  order.captured = order.total;
  for (auto& line : order.lines)
    line.captured = line_total(line.wanted).value();
}

void naive_shop::end_task(const std::string& id, const std::string& task) {
  auto& order = orders.at(id);
  std::erase(order.tasks, task);
  if (order.phase == status::returning && !has_task(order, "return/"))
    order.phase = status::completed;
  const bool left = std::any_of(order.lines.begin(), order.lines.end(),
                                [&](const auto& line) { return left_of(line) > 0; });
  if (order.phase != status::fulfilling || left ||
      std::any_of(order.tasks.begin(), order.tasks.end(), moves_units))
    return;
  order.phase = status::completed;
  order.on_hold = false;
  if (std::all_of(order.shipments.begin(), order.shipments.end(),
                  [](const auto& shipment) { return shipment.second; }))
    order.close_at = now + policy_.close_after_ms;
  if (order.wanted.capture != capture_policy::on_ship || order.ours.open <= 0)
    return;
  order.tasks.emplace_back("rest");
  ask(id, operation_kind::void_authorization, order.ours.open, "",
      [id](naive_shop& shop, bool) { shop.end_task(id, "rest"); });
}

void naive_shop::cancel(const std::string& id, const std::string& reason) {
  auto& order = orders.at(id);
  order.phase = status::canceling;
  order.reason = reason;
  order.tasks.clear();
  order.on_hold = order.parked = order.declined = order.lost = order.action_required = false;
  order.released = false;
  reverse(id);
}

/// K10: the money goes back, then the order to the queue.
void naive_shop::lose_hold(const std::string& id) {
  auto& order = orders.at(id);
  if (order.phase != status::awaiting_payment || order.lost)
    return;
  if (!order.wanted.allow_backorder)
    return cancel(id, "out_of_stock");
  order.lost = true;
  order.on_hold = order.declined = order.action_required = false;
  reverse(id);
}

/// C3: first the authorization, then what was captured; stock once the refund is submitted; and
/// again whenever an operation ends.
void naive_shop::reverse(const std::string& id) {
  auto& order = orders.at(id);
  order.reversing = true;
  minor_units under_way = 0;
  for (auto& operation : operations) {
    if (operation.order != id || operation.given_up)
      continue;
    if (operation.unknown)
      order.parked = true;
    if (operation.kind == operation_kind::refund) {
      under_way += operation.amount;
      continue;
    }
    if (operation.kind == operation_kind::authorize) {
      operation.abandoned = true; // I4
      operation.asked = false;
      raced |= !operation.effect && wire == provider_line::down && order.token == "tok_unknown";
    }
    return;
  }
  if (order.ours.open > 0)
    return ask(id, operation_kind::void_authorization, order.ours.open, "", {});
  if (const auto rest = order.ours.captured - order.ours.refunded - under_way; rest > 0) {
    under_way += rest;
    ask(id, operation_kind::refund, rest, "", {});
  }
  if (order.phase == status::canceling && !std::exchange(order.released, true))
    release(order_ref(id));
  if (under_way > 0)
    return;
  order.parked = false;
  if (order.phase == status::canceling) {
    order.phase = status::canceled;
    order.refunded = order.captured;
    for (auto& line : order.lines)
      line.canceled = line.wanted.quantity - line.shipped;
  } else if (order.lost) {
    pass(order_ref(id), sum_of(order.wanted.lines));
    reserve(id);
  }
}

void naive_shop::deadline(const std::string& id) {
  auto& order = orders.at(id);
  if (order.phase == status::backordered)
    return cancel(id, "backorder_timeout");
  if (order.phase == status::completed) {
    order.phase = status::closed;
    return;
  }
  if (order.declined || order.action_required)
    return cancel(id, "payment_timeout");
  order.parked |= order.overdue; // the hard maximum: people look
  if (!std::exchange(order.overdue, true))
    order.pay_by = now + policy_.hold_max_ms - policy_.hold_ms;
}

// -- Money ----------------------------------------------------------------------------------------

void naive_shop::ask(const std::string& id, operation_kind kind, minor_units amount,
                     const std::string& task, std::function<void(naive_shop&, bool)> then) {
  operations.push_back({id, kind, amount, task, std::move(then)});
}

void naive_shop::capture(const std::string& id, minor_units amount,
                         std::function<void(naive_shop&, bool)> then) {
  if (amount == 0)
    return then(*this, true);
  if (const auto missing = amount - orders.at(id).ours.open; missing > 0)
    return renew(id, missing, amount, std::move(then));
  ask(id, operation_kind::capture, amount, "", std::move(then));
}

/// C1: what was authorized has run out; it is authorized anew.
void naive_shop::renew(const std::string& id, minor_units lost, minor_units amount,
                       std::function<void(naive_shop&, bool)> then) {
  ask(id, operation_kind::authorize, lost, "", [id, amount, then](naive_shop& shop, bool ok) {
    if (!ok)
      return then(shop, false);
    shop.ask(id, operation_kind::capture, amount, "", then);
  });
}

void naive_shop::refund(const std::string& id, minor_units amount, const std::string& task) {
  auto& order = orders.at(id);
  order.tasks.push_back(task);
  order.refunded += amount;
  if (amount == 0)
    return end_task(id, task);
  ask(id, operation_kind::refund, amount, task, [id, amount, task](naive_shop& shop, bool ok) {
    if (!ok) {
      shop.orders.at(id).refused.insert(task);
      shop.orders.at(id).refunded -= amount;
    }
    shop.end_task(id, task);
  });
}

payment_answer_kind naive_shop::take_effect(const naive_operation& operation) {
  auto& order = orders.at(operation.order);
  auto& purse = order.theirs;
  switch (operation.kind) {
  case operation_kind::authorize:
    if (order.token == "tok_decline")
      return payment_answer_kind::refused;
    purse.open += operation.amount;
    return payment_answer_kind::succeeded;
  case operation_kind::capture:
    if (order.token == "tok_no_capture")
      return payment_answer_kind::refused;
    if (order.token == "tok_expires" && !std::exchange(order.ran_out, true)) {
      purse.open = 0;
      return payment_answer_kind::expired;
    }
    purse.open -= operation.amount;
    purse.captured += operation.amount;
    return payment_answer_kind::succeeded;
  case operation_kind::void_authorization:
    if (purse.open == 0)
      return payment_answer_kind::expired;
    purse.open -= operation.amount;
    return payment_answer_kind::succeeded;
  case operation_kind::refund: purse.refunded += operation.amount; break;
  case operation_kind::sale: throw std::logic_error("this provider takes no sales");
  }
  return payment_answer_kind::succeeded;
}

/// What the provider says, in the end.
payment_answer_kind naive_shop::contact(naive_operation& operation) {
  const auto& order = orders.at(operation.order);
  const auto token = operation.kind == operation_kind::authorize ? order.token : "";
  if (!operation.effect) {
    const bool would_take = token != "tok_timeout" && (token != "tok_action" || acted);
    raced |= operation.abandoned && would_take && wire == provider_line::noisy;
    if (operation.abandoned || (token == "tok_timeout" && order.overdue))
      operation.effect = payment_answer_kind::refused;
    else if (token == "tok_timeout")
      return payment_answer_kind::unknown;
    else if (token == "tok_action" && !acted)
      return payment_answer_kind::action_required;
    else
      operation.effect = take_effect(operation);
  }
  const bool told =
    token != "tok_unknown" || confessed || operation.effect != payment_answer_kind::succeeded;
  return told && wire == provider_line::up ? *operation.effect : payment_answer_kind::unknown;
}

/// Asks about the next operation. @returns whether there was one.
bool naive_shop::ask_provider() {
  if (wire == provider_line::down)
    return false;
  const auto next = std::find_if(operations.begin(), operations.end(),
                                 [](const auto& operation) { return !operation.asked; });
  if (next == operations.end())
    return false;
  next->asked = true;
  auto& order = orders.at(next->order);
  const auto said = contact(*next);
  if (next->given_up) {
    const auto operation = *next;
    operations.erase(next);
    if (said == payment_answer_kind::succeeded)
      finish_late(operation);
  } else if (said == payment_answer_kind::action_required) {
    if (!std::exchange(next->needs_action, true)) {
      order.action_required = true;
      order.parked = false;
    }
  } else if (said == payment_answer_kind::unknown) {
    if (!std::exchange(next->unknown, true))
      order.parked |= is_open(order);
  } else {
    const auto operation = *next;
    operations.erase(next);
    finish(operation, said);
  }
  return true;
}

/// The outcome of an operation is definite.
void naive_shop::finish(naive_operation operation, payment_answer_kind how) {
  const auto& id = operation.order;
  auto& order = orders.at(id);
  auto& purse = order.ours;
  const bool ok = how == payment_answer_kind::succeeded;
  switch (operation.kind) {
  case operation_kind::authorize: purse.open += ok ? operation.amount : 0; break;
  case operation_kind::capture:
    purse.open -= ok ? operation.amount : 0;
    purse.captured += ok ? operation.amount : 0;
    break;
  case operation_kind::void_authorization: purse.open -= ok ? operation.amount : 0; break;
  case operation_kind::refund: purse.refunded += ok ? operation.amount : 0; break;
  case operation_kind::sale: throw std::logic_error("this provider takes no sales");
  }
  const auto lost = how == payment_answer_kind::expired ? std::exchange(purse.open, 0) : 0;
  const bool gives_back = operation.kind == operation_kind::void_authorization ||
                          (operation.kind == operation_kind::refund && !is_goodwill(operation));
  if (gives_back && how == payment_answer_kind::refused) { // C4: again
    operation.effect.reset();
    operation.unknown = operation.asked = false;
    raced |= ++operation.failures >= 4;
    operations.push_back(operation);
    return;
  }
  if (order.reversing)
    return reverse(id);
  order.parked = false;
  if (how == payment_answer_kind::expired && operation.kind == operation_kind::capture)
    renew(id, lost, operation.amount, operation.then);
  else
    operation.then(*this, how != payment_answer_kind::refused);
  for (const auto& other : operations)
    if (other.order == id && other.unknown && !other.given_up)
      order.parked |= is_open(order);
}

/// C6: it took effect after all, and nobody wants it any more.
void naive_shop::finish_late(const naive_operation& operation) {
  auto& order = orders.at(operation.order);
  order.ours.open += operation.amount;
  for (const auto& other : operations)
    raced |= other.order == operation.order;
  ask(operation.order, operation_kind::void_authorization, operation.amount, "",
      [](naive_shop&, bool) {});
}

} // namespace purser::tests
