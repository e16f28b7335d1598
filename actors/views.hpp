// What queries answer (contract.md, section 2): the same objects on the command line and over HTTP.
#pragma once

#include "actors/domain/order.hpp"
#include "actors/domain/payment.hpp"
#include "actors/domain/receipt_batch.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/stock_document.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace purser {

struct stock; // who embeds purser need not see its tables

struct location_view {
  std::string location;
  std::int64_t on_hand = 0;
  std::int64_t held = 0;
  std::int64_t committed = 0;
  std::int64_t available = 0;
};
BOOST_DESCRIBE_STRUCT(location_view, (), (location, on_hand, held, committed, available))

struct stock_view {
  std::string sku;
  std::int64_t on_hand = 0;
  std::int64_t held = 0;
  std::int64_t committed = 0;
  std::int64_t available = 0;
  std::int64_t received = 0;    ///< cumulative
  std::int64_t adjusted = 0;    ///< cumulative, net
  std::int64_t shipped = 0;     ///< cumulative
  std::int64_t restocked = 0;   ///< cumulative
  bool oversold = false;        ///< a forced adjustment took more than was free (K10)
  std::int64_t backordered = 0; ///< units that wait in the queue
  std::uint64_t version = 0;
  std::vector<location_view> locations;
};
BOOST_DESCRIBE_STRUCT(stock_view, (),
                      (sku, on_hand, held, committed, available, received, adjusted, shipped,
                       restocked, oversold, backordered, version, locations))

struct order_line_view {
  std::string line_id;
  std::string sku;
  std::string location;
  std::int64_t quantity = 0;
  minor_units unit_price = 0;
  minor_units discount = 0;
  minor_units tax = 0;
  std::int64_t canceled = 0;
  std::int64_t held = 0;
  std::int64_t committed = 0;
  std::int64_t backordered = 0;
  std::int64_t shipped = 0;
  std::int64_t returned = 0;
};
BOOST_DESCRIBE_STRUCT(order_line_view, (),
                      (line_id, sku, location, quantity, unit_price, discount, tax, canceled, held,
                       committed, backordered, shipped, returned))

struct shipment_view {
  std::string shipment_id;
  std::optional<std::string> carrier;
  std::optional<std::string> tracking;
  std::string at; ///< RFC 3339 UTC
  std::optional<std::string> delivered_at;
};
BOOST_DESCRIBE_STRUCT(shipment_view, (), (shipment_id, carrier, tracking, at, delivered_at))

struct return_view {
  std::string return_id;
  minor_units refund = 0;
  std::string at; ///< RFC 3339 UTC
};
BOOST_DESCRIBE_STRUCT(return_view, (), (return_id, refund, at))

/// Something of an order that is under way beside its phase.
struct task_view {
  task_kind kind = task_kind::capture;
  std::string id;
  minor_units amount = 0;
};
BOOST_DESCRIBE_STRUCT(task_view, (), (kind, id, amount))

struct operation_view {
  std::string operation_id;
  operation_kind kind = operation_kind::authorize;
  operation_status status = operation_status::submitted;
  minor_units amount = 0;
  std::optional<std::string> reason;
  std::optional<std::string> reference;
};
BOOST_DESCRIBE_STRUCT(operation_view, (), (operation_id, kind, status, amount, reason, reference))

struct payment_view {
  std::string order_id;
  std::string status;
  std::string currency;
  minor_units authorized = 0;
  minor_units captured = 0;
  minor_units voided = 0;
  minor_units expired = 0;
  minor_units refunded = 0;
  std::uint64_t version = 0;
  std::vector<operation_view> operations;
};
BOOST_DESCRIBE_STRUCT(payment_view, (),
                      (order_id, status, currency, authorized, captured, voided, expired, refunded,
                       version, operations))

struct order_view {
  std::string order_id;
  order_status status = order_status::absent;
  std::optional<std::string> reason;
  std::string customer_id;
  std::string currency;
  minor_units total = 0;
  minor_units shipping = 0;
  minor_units captured = 0;       ///< as the order knows
  minor_units refunded = 0;       ///< asked for and not refused
  std::string placed_at;          ///< RFC 3339 UTC
  std::optional<std::string> due; ///< its next deadline, RFC 3339 UTC
  std::uint64_t version = 0;
  std::vector<order_line_view> lines;
  std::vector<shipment_view> shipments;
  std::vector<return_view> returns;
  std::vector<task_view> tasks; ///< under way
  std::map<std::string, std::string> metadata;
  std::optional<payment_view> payment; ///< filled in by queries
};
BOOST_DESCRIBE_STRUCT(order_view, (),
                      (order_id, status, reason, customer_id, currency, total, shipping, captured,
                       refunded, placed_at, due, version, lines, shipments, returns, tasks,
                       metadata, payment))

struct reservation_view {
  std::string reservation_id;
  reservation_status status = reservation_status::absent;
  std::string expires_at; ///< RFC 3339 UTC
  std::uint64_t version = 0;
  std::vector<reservation_line> lines;
};
BOOST_DESCRIBE_STRUCT(reservation_view, (), (reservation_id, status, expires_at, version, lines))

struct document_view {
  std::string id;
  document_status status = document_status::absent;
  std::string sku;
  std::string location;
  std::int64_t quantity = 0;
  std::optional<std::string> reason;
  std::uint64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(document_view, (), (id, status, sku, location, quantity, reason, version))

struct batch_view {
  std::string batch_id;
  batch_status status = batch_status::absent;
  std::uint64_t lines = 0;          ///< how many
  std::int64_t units = 0;           ///< of all lines
  std::vector<refused_sku> refused; ///< SKUs of which nothing is booked, once it is booked
  std::uint64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(batch_view, (), (batch_id, status, lines, units, refused, version))

/// Nothing (monostate) when no such entity exists.
using entity_view = std::variant<std::monostate, stock_view, order_view, payment_view,
                                 reservation_view, document_view, batch_view>;

stock_view view_of(const stock& current, const std::string& sku, std::uint64_t version,
                   unix_millis now);
order_view view_of(const order& current, const std::string& order_id, std::uint64_t version);
payment_view view_of(const payment& current, const std::string& order_id, std::uint64_t version);
reservation_view view_of(const reservation& current, const std::string& id, std::uint64_t version);
document_view view_of(const stock_document& current, const std::string& id, std::uint64_t version);
batch_view view_of(const receipt_batch& current, const std::string& id, std::uint64_t version);

/// "1996-07-04T00:00:00Z", with milliseconds when there are any. Of years outside 0 to 9999: the
/// count.
std::string to_rfc3339(unix_millis at);

} // namespace purser
