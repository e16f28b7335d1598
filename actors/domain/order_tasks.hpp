// The tasks of an order (order.hpp, O1): asking stock and the payment for each, and ending it.
#pragma once

#include "actors/domain/order_work.hpp"

namespace purser {

class order_tasks {
public:
  explicit order_tasks(order_work& work) : work_(work) {}

  /// Asks for everything that an open task needs, from the beginning.
  void drive(const order_task& task);

  /// @returns whether the reply was to a task.
  bool take(const stock_reply& reply);
  bool take(const payment_reply& reply);

private:
  void ask_payment(const order_task& task, task_progress& progress);
  void ask_stock(const order_task& task, task_progress& progress);
  std::vector<stock_demand> demands(const order_task& task) const;
  void end_if_done(const order_task& task);
  void capture_ended(const order_task& task, const task_progress& progress);
  bool completes(const order_task& task) const;
  void complete();

  order_work& work_;
};

} // namespace purser
