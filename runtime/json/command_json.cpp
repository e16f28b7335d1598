#include "runtime/json/command_json.hpp"

#include "config/json_schema.hpp"
#include "runtime/json/strict_parse.hpp"
#include "runtime/json/time_json.hpp"

#include <xxhash.h>

#include <array>
#include <cstdio>

namespace purser::config {

template <>
struct required_fields<receive_stock> {
  static constexpr std::array<std::string_view, 2> names{"sku", "quantity"};
};
template <>
struct required_fields<adjust_stock> {
  static constexpr std::array<std::string_view, 3> names{"sku", "delta", "reason"};
};
template <>
struct required_fields<reservation_line> {
  static constexpr std::array<std::string_view, 2> names{"sku", "quantity"};
};
template <>
struct required_fields<receipt_line> : required_fields<reservation_line> {};
template <>
struct required_fields<receive_batch> {
  static constexpr std::array<std::string_view, 1> names{"lines"};
};
template <>
struct required_fields<reserve_stock> {
  static constexpr std::array<std::string_view, 2> names{"reservation_id", "lines"};
};
template <>
struct required_fields<commit_reservation> {
  static constexpr std::array<std::string_view, 1> names{"reservation_id"};
};
template <>
struct required_fields<release_reservation> : required_fields<commit_reservation> {};
template <>
struct required_fields<ship_reservation> : required_fields<commit_reservation> {};
template <>
struct required_fields<order_line> {
  static constexpr std::array<std::string_view, 3> names{"sku", "quantity", "unit_price"};
};
template <>
struct required_fields<payment_method> {
  static constexpr std::array<std::string_view, 1> names{"method"};
};
template <>
struct required_fields<place_order> {
  static constexpr std::array<std::string_view, 4> names{"customer_id", "currency", "lines",
                                                         "payment"};
};
template <>
struct required_fields<cancel_order> {
  static constexpr std::array<std::string_view, 1> names{"order_id"};
};
template <>
struct required_fields<ship_order> {
  static constexpr std::array<std::string_view, 2> names{"order_id", "shipment_id"};
};
template <>
struct required_fields<line_quantity> {
  static constexpr std::array<std::string_view, 2> names{"line_id", "quantity"};
};
template <>
struct required_fields<return_line> : required_fields<line_quantity> {};
template <>
struct required_fields<deliver_order> : required_fields<cancel_order> {};
template <>
struct required_fields<return_order> {
  static constexpr std::array<std::string_view, 3> names{"order_id", "return_id", "lines"};
};
template <>
struct required_fields<hold_order> {
  static constexpr std::array<std::string_view, 2> names{"order_id", "reason"};
};
template <>
struct required_fields<resume_order> : required_fields<cancel_order> {};
template <>
struct required_fields<resolve_order> {
  static constexpr std::array<std::string_view, 3> names{"order_id", "payment", "note"};
};
template <>
struct required_fields<grant_refund> {
  static constexpr std::array<std::string_view, 3> names{"order_id", "refund_id", "amount"};
};
template <>
struct required_fields<retry_payment> {
  static constexpr std::array<std::string_view, 2> names{"order_id", "payment"};
};

} // namespace purser::config

namespace purser {

namespace {

using boost::json::value;
using config::json_place;

/// Fields that every command may have.
constexpr std::array<std::string_view, 3> shared_fields{"op", "command_id", "at"};

template <class Visit>
void for_each_body(Visit visit) {
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::variant_size_v<command_body>>>(
    [&](auto index) { visit(std::variant_alternative_t<index, command_body>{}); });
}

[[noreturn]] void fail_op(const std::string& op) {
  const json_place root{};
  const json_place place{&root, "op", {}};
  std::vector<std::string_view> known;
  for_each_body([&](auto body) { known.push_back(body.op); });
  config::fail(place, "unknown op " + config::with_suggestion(op, known));
}

command read_command(const value& from) {
  const json_place root{};
  const auto* fields = from.if_object();
  if (fields == nullptr)
    config::fail(root, "a command must be an object, not " + config::describe(from));
  const auto* op_field = fields->if_contains("op");
  if (op_field == nullptr)
    config::fail({&root, "op", {}}, "is missing");
  const auto op = config::read_string(*op_field, {&root, "op", {}});
  command made;
  bool known = false;
  for_each_body([&](auto body) {
    if (known || body.op != op)
      return;
    known = true;
    config::detail::read_object(from, body, root, {}, shared_fields);
    made.body = std::move(body);
  });
  if (!known)
    fail_op(op);
  if (const auto* id = fields->if_contains("command_id")) {
    made.command_id = config::read_string(*id, {&root, "command_id", {}});
    if (made.command_id.empty())
      config::fail({&root, "command_id", {}}, "must not be empty");
  }
  if (const auto* at = fields->if_contains("at"))
    config::read(*at, made.at.emplace(), {&root, "at", {}});
  return made;
}

} // namespace

std::variant<command, command_error> parse_command(std::string_view json) {
  try {
    const auto document = parse_strictly(json);
    auto made = read_command(document);
    if (auto mistake = check(made))
      return std::move(*mistake);
    return made;
  } catch (const config::json_error& error) {
    return command_error{error.pointer, error.what()};
  }
}

void fill_ids(command& value) {
  if (auto* receipt = std::get_if<receive_stock>(&value.body);
      receipt && receipt->receipt_id.empty())
    receipt->receipt_id = value.command_id;
  if (auto* adjustment = std::get_if<adjust_stock>(&value.body);
      adjustment && adjustment->adjustment_id.empty())
    adjustment->adjustment_id = value.command_id;
  if (auto* batch = std::get_if<receive_batch>(&value.body); batch && batch->batch_id.empty())
    batch->batch_id = value.command_id;
  if (auto* place = std::get_if<place_order>(&value.body)) {
    if (place->order_id.empty())
      place->order_id = value.command_id;
    for (std::size_t i = 0; i < place->lines.size(); ++i)
      if (place->lines[i].line_id.empty())
        place->lines[i].line_id = std::to_string(i + 1);
  }
}

boost::json::object command_schema() {
  using boost::json::array;
  using boost::json::object;
  array every;
  for_each_body([&](auto body) {
    auto made = config::schema_of<decltype(body)>();
    auto& properties = made.at("properties").as_object();
    properties["op"] = object{{"const", body.op}};
    properties["command_id"] = object{{"type", "string"}};
    properties["at"] = config::schema_of<timestamp>();
    if (!made.contains("required"))
      made["required"] = array{};
    made.at("required").as_array().push_back("op");
    every.push_back(std::move(made));
  });
  return {{"oneOf", std::move(every)}};
}

std::string derived_command_id(std::string_view line, std::uint64_t occurrence) {
  const auto hash = XXH3_128bits_withSeed(line.data(), line.size(), occurrence);
  char text[40];
  const auto size = std::snprintf(text, sizeof text, "cmd-%016llx%016llx",
                                  static_cast<unsigned long long>(hash.high64),
                                  static_cast<unsigned long long>(hash.low64));
  return {text, static_cast<std::size_t>(size)};
}

} // namespace purser
