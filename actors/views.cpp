#include "actors/views.hpp"

#include "actors/domain/stock.hpp"

#include <chrono>

namespace purser {

namespace {

template <class Text>
std::optional<std::string> unless_empty(const Text& text) {
  if (text.empty())
    return std::nullopt;
  return std::string{text};
}

/// A number with leading zeros, and what follows it. Every view has times: printf would be most of
/// its cost.
template <std::size_t Digits, class Number>
void put_digits(std::string& out, Number number, char then) {
  char text[Digits + 1];
  text[Digits] = then;
  for (auto at = Digits; at > 0; number /= 10)
    text[--at] = static_cast<char>('0' + static_cast<int>(number % 10));
  out.append(text, sizeof text);
}

/// Where the units of a line are, by the order's phase (K8).
order_line_view line_view(const order& current, std::size_t index) {
  const auto& line = current.lines.at(index);
  order_line_view view{line.line_id,    line.sku,      line.location, line.quantity,
                       line.unit_price, line.discount, line.tax};
  const auto& counts = current.counts.at(index);
  const auto here = line.quantity - counts.canceled - counts.shipped;
  view.canceled = counts.canceled;
  view.shipped = counts.shipped;
  view.returned = counts.returned;
  switch (current.phase) {
  case order_status::awaiting_payment: view.held = here; break;
  case order_status::confirmed:
  case order_status::fulfilling: view.committed = here; break;
  case order_status::backordered: view.backordered = here; break;
  case order_status::canceling: view.canceled += here; break; // decided; stock follows
  default: break;
  }
  return view;
}

} // namespace

stock_view view_of(const stock& current, const std::string& sku, std::uint64_t version,
                   unix_millis now) {
  stock_view view;
  view.sku = sku;
  view.version = version;
  for (const auto& [location, books] : current.locations) {
    const auto free = available(current, location, now);
    const auto held = books.on_hand() - books.committed - free; // lapsed holds are free
    view.locations.push_back({location, books.on_hand(), held, books.committed, free});
    view.on_hand += books.on_hand();
    view.held += held;
    view.committed += books.committed;
    view.available += free;
    view.received += books.received;
    view.adjusted += books.adjusted;
    view.shipped += books.shipped;
    view.restocked += books.restocked;
  }
  view.oversold = is_oversold(current);
  for (const auto& [arrival, place] : current.queue.places)
    if (!place.lapsed(now))
      for (const auto& item : place.items)
        view.backordered += item.quantity;
  return view;
}

order_view view_of(const order& current, const std::string& order_id, std::uint64_t version) {
  order_view view;
  view.order_id = order_id;
  view.status = status_of(current);
  view.reason = unless_empty(reason_of(current));
  view.customer_id = current.customer_id;
  view.currency = current.currency;
  view.total = current.total;
  view.shipping = current.shipping;
  view.placed_at = to_rfc3339(current.placed_at);
  view.version = version;
  view.captured = current.captured;
  view.refunded = current.refunded;
  for (std::size_t i = 0; i < current.lines.size(); ++i)
    view.lines.push_back(line_view(current, i));
  for (const auto& shipped : current.shipments)
    view.shipments.push_back(
      {shipped.shipment_id, shipped.carrier, shipped.tracking, to_rfc3339(shipped.at.ms),
       shipped.delivered_at ? std::optional{to_rfc3339(shipped.delivered_at->ms)} : std::nullopt});
  for (const auto& came_back : current.returns)
    view.returns.push_back({came_back.return_id, came_back.refund, to_rfc3339(came_back.at.ms)});
  for (const auto& task : current.tasks)
    view.tasks.push_back({task.kind, task.id, task.amount});
  if (const auto at = due(current))
    view.due = to_rfc3339(*at);
  view.metadata = current.metadata;
  return view;
}

payment_view view_of(const payment& current, const std::string& order_id, std::uint64_t version) {
  payment_view view{order_id,         status_of(current),
                    current.currency, current.authorized,
                    current.captured, current.voided,
                    current.expired,  current.refunded,
                    version,          {}};
  for (const auto& operation : current.operations)
    view.operations.push_back({operation.operation_id, operation.kind, operation.status,
                               operation.amount, unless_empty(operation.reason),
                               unless_empty(operation.reference)});
  return view;
}

reservation_view view_of(const reservation& current, const std::string& id, std::uint64_t version) {
  return {id, current.status, to_rfc3339(current.expires_at), version, current.lines};
}

document_view view_of(const stock_document& current, const std::string& id, std::uint64_t version) {
  const auto reason =
    current.why == rejection::none ? std::nullopt : unless_empty(to_string(current.why));
  return {id,     current.status, current.sku, current.units.location, current.units.quantity,
          reason, version};
}

batch_view view_of(const receipt_batch& current, const std::string& id, std::uint64_t version) {
  return {id, current.status, current.line_count, current.units, current.refused, version};
}

std::string to_rfc3339(unix_millis at) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> time{chrono::milliseconds{at}};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999)
    return std::to_string(at);
  constexpr std::size_t longest = std::string_view{"2013-07-04T00:00:00.000Z"}.size();
  std::string out;
  out.reserve(longest);
  put_digits<4>(out, year, '-');
  put_digits<2>(out, static_cast<unsigned>(date.month()), '-');
  put_digits<2>(out, static_cast<unsigned>(date.day()), 'T');
  put_digits<2>(out, clock.hours().count(), ':');
  put_digits<2>(out, clock.minutes().count(), ':');
  if (const auto ms = clock.subseconds().count(); ms != 0) {
    put_digits<2>(out, clock.seconds().count(), '.');
    put_digits<3>(out, ms, 'Z');
  } else {
    put_digits<2>(out, clock.seconds().count(), 'Z');
  }
  return out;
}

} // namespace purser
