// An order: its facts and rules. How it drives stock and payment is the saga's (order_saga.hpp);
// which command and which event is legal when is data (order_tables.hpp); shares of money are
// order_money's.
//
// What is under way beside the phase is a task: a shipment to book, a part to cancel, goods that
// came back, a refund. O1 A task is opened by the event that says why, and closed by task_settled
// or task_refused; what is open is taken up again after a crash. O2 Counts of a line change when
// the order decides, before stock and payment follow. O3 on hold and parked lie over the phase,
// which goes on under them.
#pragma once

#include "actors/domain/messages.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

/// What the customer sees as `status`. The numbers are stored.
enum class order_status : std::uint8_t {
  absent = 0,
  reserving = 1,        ///< holds are being asked for
  awaiting_payment = 2, ///< all is held; the money is being taken
  confirmed = 3,        ///< committed and paid
  fulfilling = 4,       ///< a part has shipped, or is being booked out of stock
  completed = 5,        ///< everything shipped that was not canceled
  canceling = 6,        ///< money goes back first, then stock (C3)
  canceled = 7,
  rejected = 8,
  needs_attention = 9, ///< parked, with a reason
  on_hold = 11,        ///< somebody put it on hold, or its money was refused
  returning = 12,      ///< goods came back, and the money is on its way
  backordered = 13,    ///< stock is short: it holds nothing, pays nothing, and waits its turn
  closed = 14,         ///< delivered and settled long ago: over for good
};
BOOST_DESCRIBE_ENUM(order_status, absent, reserving, awaiting_payment, confirmed, fulfilling,
                    completed, canceling, canceled, rejected, needs_attention, on_hold, returning,
                    backordered, closed)

std::string_view to_string(order_status status);

struct shipment {
  std::string shipment_id;
  std::optional<std::string> carrier;
  std::optional<std::string> tracking;
  timestamp at;
  std::optional<timestamp> delivered_at = {};

  friend bool operator==(const shipment&, const shipment&) = default;
};
BOOST_DESCRIBE_STRUCT(shipment, (), (shipment_id, carrier, tracking, at, delivered_at))

/// Units of one of the order's lines, by its index.
struct line_units {
  std::uint32_t line = 0;
  std::int64_t quantity = 0;
  bool restock = false; ///< of a return: they can be sold again

  friend bool operator==(const line_units&, const line_units&) = default;
};
BOOST_DESCRIBE_STRUCT(line_units, (), (line, quantity, restock))

/// What became of a line's units (K8). What is left is held or committed, by the phase.
struct line_counts {
  std::int64_t canceled = 0;
  std::int64_t shipped = 0;
  std::int64_t returned = 0;
  std::int64_t shipping = 0; ///< in a shipment whose money is being captured
  minor_units captured = 0;  ///< of this line
  minor_units refunded = 0;  ///< of this line: shares of what was canceled and returned

  friend bool operator==(const line_counts&, const line_counts&) = default;
};
BOOST_DESCRIBE_STRUCT(line_counts, (), (canceled, shipped, returned, shipping, captured, refunded))

enum class task_kind : std::uint8_t {
  capture = 1,      ///< the money of a shipment (on_ship); its units have not shipped yet
  shipment = 2,     ///< units to be booked out of stock
  cancellation = 3, ///< units back on sale, and their money
  goods_return = 4,
  refund = 5,
  void_rest = 6, ///< what was authorized and is not needed
};
BOOST_DESCRIBE_ENUM(task_kind, capture, shipment, cancellation, goods_return, refund, void_rest)

struct order_task {
  task_kind kind = task_kind::capture;
  std::string id; ///< unique among the order's tasks of its kind
  std::vector<line_units> units;
  minor_units amount = 0;
  struct shipment shipment = {}; ///< of capture

  friend bool operator==(const order_task&, const order_task&) = default;
};
BOOST_DESCRIBE_STRUCT(order_task, (), (kind, id, units, amount, shipment))

/// Ids of shipments and of refunds are the client's, and may be equal.
struct refused_task {
  task_kind kind = task_kind::capture;
  std::string id;

  friend bool operator==(const refused_task&, const refused_task&) = default;
};
BOOST_DESCRIBE_STRUCT(refused_task, (), (kind, id))

struct goods_return {
  std::string return_id;
  minor_units refund = 0;
  timestamp at;

  friend bool operator==(const goods_return&, const goods_return&) = default;
};
BOOST_DESCRIBE_STRUCT(goods_return, (), (return_id, refund, at))

struct order {
  order_status phase = order_status::absent; ///< never on_hold or needs_attention
  bool on_hold = false;
  bool parked = false;
  bool declined = false; ///< the payment was refused while on hold: it waits for another
  bool allow_backorder = false;
  bool waited = false;          ///< it has been backordered: it may have places in queues
  bool lost = false;            ///< a forced count took a hold (K10): it goes back to the queue
  bool action_required = false; ///< the customer has to do something before the payment goes on
  bool overdue = false;         ///< its deadline passed while a payment was in flight
  unix_millis pay_by = 0;       ///< of awaiting_payment: its holds' end
  unix_millis wait_until = 0;   ///< of backordered; 0: it was never
  unix_millis close_at = 0;     ///< of completed, once everything is delivered; 0: not yet
  std::string reason;           ///< of rejected, canceling, canceled
  std::string hold_reason;
  std::string park_reason;
  std::string customer_id;
  std::string currency;
  std::vector<order_line> lines;
  std::vector<line_counts> counts; ///< one for each line
  minor_units shipping = 0;
  minor_units total = 0;
  capture_policy capture = capture_policy::on_confirm;
  payment_method payment;
  std::uint32_t series = 1; ///< of attempts to pay
  minor_units captured = 0; ///< as far as the order knows
  minor_units refunded = 0; ///< asked for and not refused
  unix_millis placed_at = 0;
  std::map<std::string, std::string> metadata;
  std::vector<shipment> shipments;
  std::vector<goods_return> returns;
  std::vector<order_task> tasks;                       ///< open ones, oldest first
  std::uint32_t cancellations = 0;                     ///< of parts, so far: names the next one
  std::uint32_t findings = 0;                          ///< that operators told, so far
  payment_finding finding = payment_finding::captured; ///< the last one
  std::string finding_note;
  std::vector<refused_task> refused_tasks; ///< shipments and refunds that came to nothing

  friend bool operator==(const order&, const order&) = default;
};
BOOST_DESCRIBE_STRUCT(order, (),
                      (phase, on_hold, parked, declined, allow_backorder, waited, lost,
                       action_required, overdue, pay_by, wait_until, close_at, reason, hold_reason,
                       park_reason, customer_id, currency, lines, counts, shipping, total, capture,
                       payment, series, captured, refunded, placed_at, metadata, shipments, returns,
                       tasks, cancellations, findings, finding, finding_note, refused_tasks))

/// What the customer sees: parked over on hold over the phase.
order_status status_of(const order& current);

/// The reason that goes with the status; may be empty.
const std::string& reason_of(const order& current);

/// Whether a step of the workflow is under way that goes on by itself.
bool has_open_step(const order& current);

/// Whether a restart must take it up: it has an open step, or it waits for people or the customer
/// to settle a payment, whose outcome may have been told to its former self.
bool must_resume(const order& current);

/// When the order's next deadline is (C8); nothing when it waits for no time to pass.
std::optional<unix_millis> due(const order& current);

/// Units of a line that can still be canceled or shipped.
std::int64_t left_of(const order& current, std::size_t line);

/// Whether a task moves units: the order is not completed before it has ended.
constexpr bool moves_units(const order_task& task) {
  return task.kind == task_kind::capture || task.kind == task_kind::shipment ||
         task.kind == task_kind::cancellation;
}

/// Whether an open task is of this kind.
bool has_task(const order& current, task_kind kind);

/// The open task, or null.
const order_task* find_task(const order& current, task_kind kind, const std::string& id);

/// Whether the money of a task was refused, so that it came to nothing.
bool was_refused(const order& current, task_kind kind, const std::string& id);

/// Why an order is parked until its payment has a definite outcome.
inline constexpr std::string_view waits_for_payment = "payment_unknown";

// -- Events ---------------------------------------------------------------------------------------

struct order_placed {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "order_placed";
  std::string customer_id;
  std::string currency;
  std::vector<order_line> lines;
  minor_units shipping = 0;
  minor_units total = 0;
  payment_method payment;
  timestamp placed_at;
  std::map<std::string, std::string> metadata;
  capture_policy capture = capture_policy::on_confirm;
  bool allow_backorder = false;
};
BOOST_DESCRIBE_STRUCT(order_placed, (),
                      (customer_id, currency, lines, shipping, total, payment, placed_at, metadata,
                       capture, allow_backorder))

/// Every unit is held.
struct order_reserved {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "order_reserved";
  timestamp pay_by; ///< the holds' end, unless a payment is in flight then
};
BOOST_DESCRIBE_STRUCT(order_reserved, (), (pay_by))

/// Not everything could be held; nothing is.
struct order_rejected {
  static constexpr std::uint16_t type = 3, schema = 1;
  static constexpr std::string_view name = "order_rejected";
  rejection why = rejection::out_of_stock;
};
BOOST_DESCRIBE_STRUCT(order_rejected, (), (why))

/// Every unit is committed; the money is captured, or authorized if it is captured on shipment.
struct order_confirmed {
  static constexpr std::uint16_t type = 4, schema = 1;
  static constexpr std::string_view name = "order_confirmed";
};
BOOST_DESCRIBE_STRUCT(order_confirmed, (), ())

/// The provider refused the authorization or the capture.
struct payment_failed {
  static constexpr std::uint16_t type = 5, schema = 1;
  static constexpr std::string_view name = "payment_failed";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(payment_failed, (), (reason))

struct cancel_requested {
  static constexpr std::uint16_t type = 6, schema = 1;
  static constexpr std::string_view name = "cancel_requested";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(cancel_requested, (), (reason))

/// The money is back and the stock is free.
struct order_canceled {
  static constexpr std::uint16_t type = 7, schema = 1;
  static constexpr std::string_view name = "order_canceled";
};
BOOST_DESCRIBE_STRUCT(order_canceled, (), ())

/// Units leave the building; `captured` came in with them. Opens a task: shipment.
struct order_shipped {
  static constexpr std::uint16_t type = 8, schema = 1;
  static constexpr std::string_view name = "order_shipped";
  struct shipment shipment;
  std::vector<line_units> units;
  minor_units captured = 0;
};
BOOST_DESCRIBE_STRUCT(order_shipped, (), (shipment, units, captured))

/// Everything that was not canceled has shipped, and is booked: closes the last task that moved
/// units. Opens a task if more was authorized than captured.
struct order_completed {
  static constexpr std::uint16_t type = 9, schema = 1;
  static constexpr std::string_view name = "order_completed";
  std::optional<timestamp> close_at; ///< when everything is delivered already
};
BOOST_DESCRIBE_STRUCT(order_completed, (), (close_at))

/// The workflow cannot go on by itself.
struct order_parked {
  static constexpr std::uint16_t type = 10, schema = 1;
  static constexpr std::string_view name = "order_parked";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(order_parked, (), (reason))

/// What was missing has come: the order is back in its phase.
struct order_unparked {
  static constexpr std::uint16_t type = 11, schema = 1;
  static constexpr std::string_view name = "order_unparked";
};
BOOST_DESCRIBE_STRUCT(order_unparked, (), ())

/// A shipment is to go once its money is captured. Opens a task: capture.
struct shipment_requested {
  static constexpr std::uint16_t type = 12, schema = 1;
  static constexpr std::string_view name = "shipment_requested";
  struct shipment shipment;
  std::vector<line_units> units;
  minor_units amount = 0;
};
BOOST_DESCRIBE_STRUCT(shipment_requested, (), (shipment, units, amount))

/// Units will not ship. Opens a task: cancellation.
struct lines_canceled {
  static constexpr std::uint16_t type = 13, schema = 1;
  static constexpr std::string_view name = "lines_canceled";
  std::string cancel_id;
  std::string reason;
  std::vector<line_units> units;
  minor_units refund = 0;
};
BOOST_DESCRIBE_STRUCT(lines_canceled, (), (cancel_id, reason, units, refund))

/// Shipped units came back. Opens a task: goods_return.
struct order_returned {
  static constexpr std::uint16_t type = 14, schema = 1;
  static constexpr std::string_view name = "order_returned";
  std::string return_id;
  std::vector<line_units> units;
  minor_units refund = 0;
  timestamp at;
};
BOOST_DESCRIBE_STRUCT(order_returned, (), (return_id, units, refund, at))

/// Money goes back without goods. Opens a task: refund.
struct refund_granted {
  static constexpr std::uint16_t type = 15, schema = 1;
  static constexpr std::string_view name = "refund_granted";
  std::string refund_id;
  minor_units amount = 0;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(refund_granted, (), (refund_id, amount, reason))

/// A task is done.
struct task_settled {
  static constexpr std::uint16_t type = 16, schema = 1;
  static constexpr std::string_view name = "task_settled";
  task_kind kind = task_kind::capture;
  std::string id;
};
BOOST_DESCRIBE_STRUCT(task_settled, (), (kind, id))

/// The provider refused a task's money: a shipment stays here and the order is put on hold; a
/// refund did not happen.
struct task_refused {
  static constexpr std::uint16_t type = 17, schema = 1;
  static constexpr std::string_view name = "task_refused";
  task_kind kind = task_kind::capture;
  std::string id;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(task_refused, (), (kind, id, reason))

/// Everything that came back is settled.
struct returns_settled {
  static constexpr std::uint16_t type = 18, schema = 1;
  static constexpr std::string_view name = "returns_settled";
};
BOOST_DESCRIBE_STRUCT(returns_settled, (), ())

struct order_held {
  static constexpr std::uint16_t type = 19, schema = 1;
  static constexpr std::string_view name = "order_held";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(order_held, (), (reason))

struct order_resumed {
  static constexpr std::uint16_t type = 20, schema = 1;
  static constexpr std::string_view name = "order_resumed";
  std::string note;
};
BOOST_DESCRIBE_STRUCT(order_resumed, (), (note))

/// The provider refused to authorize or to capture while the order was on hold: it waits.
struct payment_declined {
  static constexpr std::uint16_t type = 21, schema = 1;
  static constexpr std::string_view name = "payment_declined";
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(payment_declined, (), (reason))

/// There is another way to pay.
struct payment_retried {
  static constexpr std::uint16_t type = 22, schema = 1;
  static constexpr std::string_view name = "payment_retried";
  payment_method payment;
};
BOOST_DESCRIBE_STRUCT(payment_retried, (), (payment))

/// The customer has it: one shipment, or all.
struct order_delivered {
  static constexpr std::uint16_t type = 23, schema = 1;
  static constexpr std::string_view name = "order_delivered";
  std::optional<std::string> shipment_id;
  timestamp at;
  std::optional<timestamp> close_at; ///< when nothing is left to ship or to deliver
};
BOOST_DESCRIBE_STRUCT(order_delivered, (), (shipment_id, at, close_at))

/// An operator said what became of an unknown payment.
struct payment_resolved {
  static constexpr std::uint16_t type = 24, schema = 1;
  static constexpr std::string_view name = "payment_resolved";
  payment_finding finding = payment_finding::captured;
  std::string note;
};
BOOST_DESCRIBE_STRUCT(payment_resolved, (), (finding, note))

/// Stock is short: the order holds nothing, and has a place in the queue of every short SKU.
struct order_backordered {
  static constexpr std::uint16_t type = 25, schema = 1;
  static constexpr std::string_view name = "order_backordered";
  timestamp wait_until;
};
BOOST_DESCRIBE_STRUCT(order_backordered, (), (wait_until))

/// Stock has come: everything is asked for once more.
struct backorder_tried {
  static constexpr std::uint16_t type = 26, schema = 1;
  static constexpr std::string_view name = "backorder_tried";
};
BOOST_DESCRIBE_STRUCT(backorder_tried, (), ())

/// Its time is over, or its stock is gone: canceled, as if nobody wanted it any more.
struct order_given_up {
  static constexpr std::uint16_t type = 27, schema = 1;
  static constexpr std::string_view name = "order_given_up";
  std::string reason; ///< backorder_timeout, payment_timeout, out_of_stock
};
BOOST_DESCRIBE_STRUCT(order_given_up, (), (reason))

/// A forced count took a hold (K10). The money goes back, then the order to the queue.
struct order_hold_lost {
  static constexpr std::uint16_t type = 28, schema = 1;
  static constexpr std::string_view name = "order_hold_lost";
};
BOOST_DESCRIBE_STRUCT(order_hold_lost, (), ())

/// The customer has to do something before the provider goes on.
struct payment_needs_action {
  static constexpr std::uint16_t type = 29, schema = 1;
  static constexpr std::string_view name = "payment_needs_action";
  std::string what;
};
BOOST_DESCRIBE_STRUCT(payment_needs_action, (), (what))

/// The customer has done it.
struct payment_action_done {
  static constexpr std::uint16_t type = 30, schema = 1;
  static constexpr std::string_view name = "payment_action_done";
};
BOOST_DESCRIBE_STRUCT(payment_action_done, (), ())

/// The deadline passed while a payment was in flight: the holds stay, until the hard maximum.
struct payment_overdue {
  static constexpr std::uint16_t type = 31, schema = 1;
  static constexpr std::string_view name = "payment_overdue";
  timestamp pay_by; ///< the hard maximum
};
BOOST_DESCRIBE_STRUCT(payment_overdue, (), (pay_by))

/// Over for good.
struct order_closed {
  static constexpr std::uint16_t type = 32, schema = 1;
  static constexpr std::string_view name = "order_closed";
};
BOOST_DESCRIBE_STRUCT(order_closed, (), ())

using order_event =
  std::variant<order_placed, order_reserved, order_rejected, order_confirmed, payment_failed,
               cancel_requested, order_canceled, order_shipped, order_completed, order_parked,
               order_unparked, shipment_requested, lines_canceled, order_returned, refund_granted,
               task_settled, task_refused, returns_settled, order_held, order_resumed,
               payment_declined, payment_retried, order_delivered, payment_resolved,
               order_backordered, backorder_tried, order_given_up, order_hold_lost,
               payment_needs_action, payment_action_done, payment_overdue, order_closed>;

// -- Rules ----------------------------------------------------------------------------------------

/// Throws broken_invariant when order_tables.hpp does not allow the event in this phase, and when
/// counts would not fit (K8, M4).
void evolve(order& current, const order_event& event);

/// How long an order waits for what (settings orders.*). The deadlines are copied into events, so a
/// change holds for what comes after it.
struct order_policy {
  std::int64_t hold_ms = 900'000;        ///< for the payment, once everything is held
  std::int64_t hold_max_ms = 86'400'000; ///< while a payment is in flight; then people look
  std::int64_t backorder_wait_ms = 2'592'000'000; ///< 30 days
  std::int64_t close_after_ms = 2'592'000'000;    ///< 30 days from completed and delivered
  /// The provider authorizes and captures in one call. The engine asks it (payment_gateway).
  bool sales = false;
};

// The reasons that a customer reads.
inline constexpr std::string_view payment_declined_reason = "payment_declined";
inline constexpr std::string_view payment_timeout_reason = "payment_timeout";
inline constexpr std::string_view backorder_timeout_reason = "backorder_timeout";

} // namespace purser
