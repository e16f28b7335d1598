#include "actors/domain/commands.hpp"

#include "actors/domain/currencies.hpp"
#include "actors/domain/text_rules.hpp"

#include <map>
#include <set>
#include <utility>

namespace purser {

namespace {

/// A JSON pointer in parts: put together only for the one mistake that is told.
struct pointer {
  std::string_view path;
  std::optional<std::size_t> index = {};
  std::string_view field = {};

  pointer(const char* whole) : path(whole) {} // NOLINT(google-explicit-constructor)
  pointer(std::string_view list, std::optional<std::size_t> at, std::string_view of)
      : path(list), index(at), field(of) {}

  std::string text() const {
    std::string whole{path};
    if (index)
      whole += std::to_string(*index);
    return whole.append(field);
  }
};

pointer in_line(std::size_t index, std::string_view field) {
  return {"/lines/", index, field};
}

/// The first mistake of a command; checks after it do nothing.
class checker {
public:
  std::optional<command_error> first;

  void fail(const pointer& at, std::string message) {
    if (!first)
      first = command_error{at.text(), std::move(message)};
  }

  void id(const pointer& at, const std::string& text) {
    if (text.empty())
      return fail(at, "must not be empty");
    optional_id(at, text);
  }

  void optional_id(const pointer& at, const std::string& text) {
    if (is_printable_ascii(text) && text.size() <= command_limits::id_characters)
      return; // as nearly all are: no closer look is needed
    const auto length = utf8_length(text);
    if (!length)
      return fail(at, "is not valid UTF-8");
    if (*length > command_limits::id_characters)
      return fail(at, "has " + std::to_string(*length) + " characters; at most " +
                        std::to_string(command_limits::id_characters) + " are allowed");
    if (has_control_character(text))
      fail(at, "holds a control character (U+0000 to 1F, 7F to 9F)");
  }

  void text(const pointer& at, const std::string& value) {
    if (is_printable_ascii(value) && value.size() <= command_limits::text_characters)
      return;
    const auto length = utf8_length(value);
    if (!length)
      return fail(at, "is not valid UTF-8");
    if (*length > command_limits::text_characters)
      fail(at, "has " + std::to_string(*length) + " characters; at most " +
                 std::to_string(command_limits::text_characters) + " are allowed");
  }

  void text(const pointer& at, const std::optional<std::string>& value) {
    if (value)
      text(at, *value);
  }

  void range(const pointer& at, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most)
      fail(at, "is " + std::to_string(value) + "; it must be from " + std::to_string(least) +
                 " to " + std::to_string(most));
  }

  void quantity(const pointer& at, std::uint32_t value) {
    range(at, value, 1, command_limits::quantity);
  }

  template <class Lines>
  void count(const Lines& lines) {
    if (lines.empty())
      fail("/lines", "has no line; 1 to " + std::to_string(command_limits::lines) + " are allowed");
    if (lines.size() > command_limits::lines)
      fail("/lines", "has " + std::to_string(lines.size()) + " lines; at most " +
                       std::to_string(command_limits::lines) + " are allowed");
  }

  /// Lines of {sku, location, quantity}.
  template <class Lines>
  void places(const Lines& lines) {
    count(lines);
    for (std::size_t i = 0; i < lines.size() && !first; ++i) {
      id(in_line(i, "/sku"), lines[i].sku);
      id(in_line(i, "/location"), lines[i].location);
      quantity(in_line(i, "/quantity"), lines[i].quantity);
    }
  }

  // -- One function for each command --------------------------------------------------------------

  void operator()(const receive_stock& command) {
    optional_id("/receipt_id", command.receipt_id);
    id("/sku", command.sku);
    id("/location", command.location);
    quantity("/quantity", command.quantity);
  }

  void operator()(const adjust_stock& command) {
    constexpr std::int64_t most = 1'000'000'000'000;
    optional_id("/adjustment_id", command.adjustment_id);
    id("/sku", command.sku);
    id("/location", command.location);
    range("/delta", command.delta, -most, most);
    if (command.delta == 0)
      fail("/delta", "is 0; an adjustment changes something");
    text("/reason", command.reason);
  }

  void operator()(const receive_batch& command) {
    optional_id("/batch_id", command.batch_id);
    places(command.lines);
  }

  void operator()(const reserve_stock& command) {
    id("/reservation_id", command.reservation_id);
    places(command.lines);
    range("/ttl_seconds", command.ttl_seconds, 1, command_limits::ttl_seconds);
  }

  void operator()(const commit_reservation& command) {
    id("/reservation_id", command.reservation_id);
  }
  void operator()(const release_reservation& command) {
    id("/reservation_id", command.reservation_id);
  }
  void operator()(const ship_reservation& command) {
    id("/reservation_id", command.reservation_id);
  }

  void operator()(const place_order& command) {
    optional_id("/order_id", command.order_id);
    id("/customer_id", command.customer_id);
    if (!is_currency(command.currency))
      fail("/currency",
           "\"" + command.currency.substr(0, 16) + "\" is no active currency code of ISO 4217");
    count(command.lines);
    std::set<std::string> line_ids;
    for (std::size_t i = 0; i < command.lines.size() && !first; ++i)
      order_line_at(i, command.lines[i], line_ids);
    range("/shipping", command.shipping, 0, max_total);
    way_to_pay(command.payment);
    metadata(command.metadata);
    if (first)
      return;
    const auto total = order_total(command);
    if (!total || *total > max_total)
      fail("/lines", "the order's total is too large; at most " + std::to_string(max_total) +
                       " minor units are allowed");
  }

  void operator()(const cancel_order& command) {
    id("/order_id", command.order_id);
    text("/reason", command.reason);
    parts(command.lines);
  }

  void operator()(const ship_order& command) {
    id("/order_id", command.order_id);
    id("/shipment_id", command.shipment_id);
    text("/carrier", command.carrier);
    text("/tracking", command.tracking);
    parts(command.lines);
  }

  void operator()(const deliver_order& command) {
    id("/order_id", command.order_id);
    if (command.shipment_id)
      id("/shipment_id", *command.shipment_id);
  }

  void operator()(const return_order& command) {
    id("/order_id", command.order_id);
    id("/return_id", command.return_id);
    units_of_lines(command.lines);
    if (command.refund)
      range("/refund", *command.refund, 0, max_total);
  }

  void operator()(const hold_order& command) {
    id("/order_id", command.order_id);
    text("/reason", command.reason);
  }

  void operator()(const resume_order& command) {
    id("/order_id", command.order_id);
    text("/note", command.note);
  }

  void operator()(const resolve_order& command) {
    id("/order_id", command.order_id);
    text("/note", command.note);
  }

  void operator()(const grant_refund& command) {
    id("/order_id", command.order_id);
    id("/refund_id", command.refund_id);
    range("/amount", command.amount, 0, max_total);
    text("/reason", command.reason);
  }

  void operator()(const retry_payment& command) {
    id("/order_id", command.order_id);
    way_to_pay(command.payment);
  }

private:
  void way_to_pay(const payment_method& payment) {
    if (payment.method.empty())
      fail("/payment/method", "must not be empty");
    text("/payment/method", payment.method);
    text("/payment/token", payment.token);
  }

  template <class Lines>
  void units_of_lines(const Lines& lines) {
    count(lines);
    std::set<std::string> line_ids;
    for (std::size_t i = 0; i < lines.size() && !first; ++i) {
      id(in_line(i, "/line_id"), lines[i].line_id);
      quantity(in_line(i, "/quantity"), lines[i].quantity);
      if (!line_ids.insert(lines[i].line_id).second)
        fail(in_line(i, "/line_id"), "\"" + lines[i].line_id + "\" is named twice");
    }
  }

  void parts(const std::optional<std::vector<line_quantity>>& lines) {
    if (lines)
      units_of_lines(*lines);
  }

  void order_line_at(std::size_t index, const order_line& line, std::set<std::string>& line_ids) {
    optional_id(in_line(index, "/line_id"), line.line_id);
    const auto [id_of_line, is_new] =
      line_ids.insert(line.line_id.empty() ? std::to_string(index + 1) : line.line_id);
    if (!is_new)
      fail(in_line(index, "/line_id"), "\"" + *id_of_line + "\" is the id of another line too");
    id(in_line(index, "/sku"), line.sku);
    id(in_line(index, "/location"), line.location);
    quantity(in_line(index, "/quantity"), line.quantity);
    range(in_line(index, "/unit_price"), line.unit_price, 0, command_limits::unit_price);
    range(in_line(index, "/discount"), line.discount, 0, max_total);
    range(in_line(index, "/tax"), line.tax, 0, max_total);
    if (const auto total = line_total(line); !first && (!total || *total < 0))
      fail(in_line(index, "/discount"),
           "is larger than the line's price; a line's total is never negative");
  }

  void metadata(const std::map<std::string, std::string>& entries) {
    if (entries.size() > command_limits::metadata_entries)
      fail("/metadata", "has " + std::to_string(entries.size()) + " entries; at most " +
                          std::to_string(command_limits::metadata_entries) + " are allowed");
    for (const auto& [name, value] : entries) {
      const pointer entry{"/metadata/", std::nullopt, name};
      optional_id(entry, name);
      text(entry, value);
    }
  }
};

} // namespace

std::string_view op_of(const command_body& body) {
  return std::visit([](const auto& alternative) { return alternative.op; }, body);
}

std::optional<command_error> check(const command& value) {
  checker checks;
  checks.optional_id("/command_id", value.command_id);
  std::visit([&checks](const auto& body) { checks(body); }, value.body);
  return checks.first;
}

std::optional<minor_units> line_total(const order_line& line) {
  const auto gross = checked_multiply(line.quantity, line.unit_price);
  const auto net = gross ? checked_add(*gross, -line.discount) : std::nullopt;
  return net ? checked_add(*net, line.tax) : std::nullopt;
}

std::optional<minor_units> order_total(const place_order& order) {
  std::optional<minor_units> sum = order.shipping;
  for (const auto& line : order.lines) {
    const auto total = line_total(line);
    sum = sum && total ? checked_add(*sum, *total) : std::nullopt;
  }
  return sum;
}

} // namespace purser
