// What clients ask of an order: the table's verdict, the checks that need the order's state, and
// the event that it becomes.
#pragma once

#include "actors/domain/order_tables.hpp"
#include "actors/domain/order_work.hpp"

namespace purser {

/// What the workflow has to do about a command.
enum class desk_outcome : std::uint8_t {
  done, ///< nothing: refused, already so, or an event was all
  placed,
  canceled,
  pay_again,
  payment_failed,
  task_opened, ///< the newest task
};

class order_desk {
public:
  explicit order_desk(order_work& work) : work_(work) {}

  /// Decides a command: its events, or its refusal, are in the work.
  desk_outcome take(const command_body& body);

private:
  desk_outcome refuse(rejection why);

  desk_outcome accept(const place_order& request);
  desk_outcome accept(const cancel_order& request);
  desk_outcome accept(const ship_order& request);
  desk_outcome accept(const deliver_order& request);
  desk_outcome accept(const return_order& request);
  desk_outcome accept(const hold_order& request);
  desk_outcome accept(const resume_order& request);
  desk_outcome accept(const resolve_order& request);
  desk_outcome accept(const grant_refund& request);
  desk_outcome accept(const retry_payment& request);

  /// The units that are named, or all that are left; nothing when they are refused.
  std::optional<std::vector<line_units>>
  units_of(const std::optional<std::vector<line_quantity>>& lines);
  std::optional<std::vector<line_units>> units_of(const std::vector<return_line>& lines);
  std::optional<std::uint32_t> find_line(const std::string& line_id);

  desk_outcome cancel_part(const cancel_order& request);

  order_work& work_;
};

/// The command's kind, as the tables name it. Throws broken_invariant for one that is not for
/// orders.
order_command kind_of(const command_body& body);

} // namespace purser
