// The commands that users send: one vocabulary for the command line, scenarios, HTTP and the
// embedding API (contract.md, section 2). Every field is declared here, once; JSON and the binary
// codec derive from the descriptions. A member's name is its name in JSON.
#pragma once

#include "actors/domain/money.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace purser {

inline constexpr std::string_view default_location = "main";

// -- Stock ----------------------------------------------------------------------------------------

/// Goods arrived.
struct receive_stock {
  static constexpr std::string_view op = "stock.receive";
  std::string receipt_id; ///< derived from the command's id when left out
  std::string sku;
  std::string location{default_location};
  std::uint32_t quantity = 0;
};
BOOST_DESCRIBE_STRUCT(receive_stock, (), (receipt_id, sku, location, quantity))

/// What arrived at one place, of one SKU.
struct receipt_line {
  std::string sku;
  std::string location{default_location};
  std::uint32_t quantity = 0;

  friend bool operator==(const receipt_line&, const receipt_line&) = default;
};
BOOST_DESCRIBE_STRUCT(receipt_line, (), (sku, location, quantity))

/// Goods of many SKUs arrived: a delivery, or a part of a bulk feed. Each SKU is booked for itself;
/// it is answered when all are, and the first that cannot be makes it batch_incomplete.
struct receive_batch {
  static constexpr std::string_view op = "stock.receive_batch";
  std::string batch_id; ///< derived from the command's id when left out
  std::vector<receipt_line> lines;
};
BOOST_DESCRIBE_STRUCT(receive_batch, (), (batch_id, lines))

/// A count found more or less than the books.
struct adjust_stock {
  static constexpr std::string_view op = "stock.adjust";
  std::string adjustment_id; ///< derived from the command's id when left out
  std::string sku;
  std::string location{default_location};
  std::int64_t delta = 0; ///< not 0
  std::string reason;
  bool force = false; ///< also below what is promised (K10)
};
BOOST_DESCRIBE_STRUCT(adjust_stock, (), (adjustment_id, sku, location, delta, reason, force))

struct reservation_line {
  std::string sku;
  std::string location{default_location};
  std::uint32_t quantity = 0;

  friend bool operator==(const reservation_line&, const reservation_line&) = default;
};
BOOST_DESCRIBE_STRUCT(reservation_line, (), (sku, location, quantity))

/// Holds stock without an order: all lines or none (K7).
struct reserve_stock {
  static constexpr std::string_view op = "stock.reserve";
  std::string reservation_id;
  std::vector<reservation_line> lines;
  std::uint32_t ttl_seconds = 900; ///< 1 to 604,800
};
BOOST_DESCRIBE_STRUCT(reserve_stock, (), (reservation_id, lines, ttl_seconds))

/// The held units are sold.
struct commit_reservation {
  static constexpr std::string_view op = "stock.commit";
  std::string reservation_id;
};
BOOST_DESCRIBE_STRUCT(commit_reservation, (), (reservation_id))

/// The units go back on sale.
struct release_reservation {
  static constexpr std::string_view op = "stock.release";
  std::string reservation_id;
};
BOOST_DESCRIBE_STRUCT(release_reservation, (), (reservation_id))

/// The committed units left the building.
struct ship_reservation {
  static constexpr std::string_view op = "stock.ship";
  std::string reservation_id;
};
BOOST_DESCRIBE_STRUCT(ship_reservation, (), (reservation_id))

// -- Orders ---------------------------------------------------------------------------------------

/// What a customer ordered of one SKU. Prices are copied in, never looked up later.
struct order_line {
  std::string line_id; ///< "1", "2"... when left out
  std::string sku;
  std::string location{default_location};
  std::uint32_t quantity = 0;
  minor_units unit_price = 0;
  minor_units discount = 0; ///< of the whole line
  minor_units tax = 0;      ///< of the whole line

  friend bool operator==(const order_line&, const order_line&) = default;
};
BOOST_DESCRIBE_STRUCT(order_line, (), (line_id, sku, location, quantity, unit_price, discount, tax))

struct payment_method {
  std::string method;
  std::optional<std::string> token;

  friend bool operator==(const payment_method&, const payment_method&) = default;
};
BOOST_DESCRIBE_STRUCT(payment_method, (), (method, token))

/// When the money is taken.
enum class capture_policy : std::uint8_t { on_confirm = 1, on_ship = 2 };
BOOST_DESCRIBE_ENUM(capture_policy, on_confirm, on_ship)

struct place_order {
  static constexpr std::string_view op = "order.place";
  std::string order_id; ///< derived from the command's id when left out
  std::string customer_id;
  std::string currency; ///< ISO 4217
  std::vector<order_line> lines;
  minor_units shipping = 0;
  payment_method payment;
  capture_policy capture = capture_policy::on_confirm;
  bool allow_backorder = false; ///< wait when stock is short, instead of being rejected
  std::optional<timestamp> placed_at;
  std::map<std::string, std::string> metadata;
};
BOOST_DESCRIBE_STRUCT(place_order, (),
                      (order_id, customer_id, currency, lines, shipping, payment, capture,
                       allow_backorder, placed_at, metadata))

/// Units of one line of an order.
struct line_quantity {
  std::string line_id;
  std::uint32_t quantity = 0;

  friend bool operator==(const line_quantity&, const line_quantity&) = default;
};
BOOST_DESCRIBE_STRUCT(line_quantity, (), (line_id, quantity))

struct cancel_order {
  static constexpr std::string_view op = "order.cancel";
  std::string order_id;
  std::optional<std::string> reason;
  std::optional<std::vector<line_quantity>> lines; ///< all that is not shipped
};
BOOST_DESCRIBE_STRUCT(cancel_order, (), (order_id, reason, lines))

struct ship_order {
  static constexpr std::string_view op = "order.ship";
  std::string order_id;
  std::string shipment_id;
  std::optional<std::vector<line_quantity>> lines; ///< all that is not shipped
  std::optional<std::string> carrier;
  std::optional<std::string> tracking;
};
BOOST_DESCRIBE_STRUCT(ship_order, (), (order_id, shipment_id, lines, carrier, tracking))

/// The customer has it.
struct deliver_order {
  static constexpr std::string_view op = "order.deliver";
  std::string order_id;
  std::optional<std::string> shipment_id; ///< every shipment
};
BOOST_DESCRIBE_STRUCT(deliver_order, (), (order_id, shipment_id))

struct return_line {
  std::string line_id;
  std::uint32_t quantity = 0;
  bool restock = true; ///< the units can be sold again

  friend bool operator==(const return_line&, const return_line&) = default;
};
BOOST_DESCRIBE_STRUCT(return_line, (), (line_id, quantity, restock))

/// Shipped units came back.
struct return_order {
  static constexpr std::string_view op = "order.return";
  std::string order_id;
  std::string return_id;
  std::vector<return_line> lines;
  std::optional<minor_units> refund; ///< the lines' share (M7)
};
BOOST_DESCRIBE_STRUCT(return_order, (), (order_id, return_id, lines, refund))

/// Nothing ships and nothing is decided until somebody resumes the order.
struct hold_order {
  static constexpr std::string_view op = "order.hold";
  std::string order_id;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(hold_order, (), (order_id, reason))

struct resume_order {
  static constexpr std::string_view op = "order.resume";
  std::string order_id;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(resume_order, (), (order_id, note))

/// What an operator found out about a payment whose outcome the provider does not tell.
enum class payment_finding : std::uint8_t { captured = 1, voided, refunded };
BOOST_DESCRIBE_ENUM(payment_finding, captured, voided, refunded)

struct resolve_order {
  static constexpr std::string_view op = "order.resolve";
  std::string order_id;
  payment_finding payment = payment_finding::captured;
  std::string note;
};
BOOST_DESCRIBE_STRUCT(resolve_order, (), (order_id, payment, note))

/// Money back without goods: goodwill.
struct grant_refund {
  static constexpr std::string_view op = "payment.refund";
  std::string order_id;
  std::string refund_id;
  minor_units amount = 0;
  std::optional<std::string> reason;
};
BOOST_DESCRIBE_STRUCT(grant_refund, (), (order_id, refund_id, amount, reason))

/// Another way to pay, after a decline while the order is on hold.
struct retry_payment {
  static constexpr std::string_view op = "payment.retry";
  std::string order_id;
  payment_method payment;
};
BOOST_DESCRIBE_STRUCT(retry_payment, (), (order_id, payment))

// -- The envelope around all of them --------------------------------------------------------------

using command_body =
  std::variant<receive_stock, adjust_stock, reserve_stock, commit_reservation, release_reservation,
               ship_reservation, place_order, cancel_order, ship_order, deliver_order, return_order,
               hold_order, resume_order, resolve_order, grant_refund, retry_payment, receive_batch>;

/// One command as a user sends it.
struct command {
  std::string command_id;      ///< empty: the engine makes one up
  std::optional<timestamp> at; ///< business time
  command_body body;
};

/// The `op` of a command.
std::string_view op_of(const command_body& body);

/// The limits of contract.md, section 4.
struct command_limits {
  static constexpr std::size_t lines = 2'000;
  static constexpr std::uint32_t quantity = 1'000'000;
  static constexpr minor_units unit_price = 1'000'000'000'000;
  static constexpr std::size_t id_characters = 128;
  static constexpr std::size_t text_characters = 500;
  static constexpr std::size_t metadata_entries = 50;
  static constexpr std::uint32_t ttl_seconds = 604'800;
};

/// What is wrong with a command that its shape alone shows.
struct command_error {
  std::string pointer; ///< JSON pointer (RFC 6901) to the field, "" for the whole
  std::string message; ///< what is wrong and the bound

  friend bool operator==(const command_error&, const command_error&) = default;
};

/// Checks every limit and the sums; the first mistake, or nothing. Pure: knows no state.
std::optional<command_error> check(const command& value);

/// quantity x unit_price - discount + tax; nothing on overflow. It is negative only for an invalid
/// line.
std::optional<minor_units> line_total(const order_line& line);

/// The lines' totals + shipping; nothing on overflow.
std::optional<minor_units> order_total(const place_order& order);

} // namespace purser
