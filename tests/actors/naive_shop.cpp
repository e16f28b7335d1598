#include "tests/actors/naive_shop.hpp"

#include "actors/codec.hpp"

#include <algorithm>
#include <sstream>

namespace purser::tests {

namespace {

using status = order_status;

std::string bytes_of(const command_body& body) {
  std::string bytes{op_of(body)};
  std::visit([&](const auto& command) { codec::encode(bytes, command); }, body);
  return bytes;
}

bool waits(const naive_reservation& reservation) {
  return reservation.status == reservation_status::held ||
         reservation.status == reservation_status::backordered;
}

} // namespace

// -- Commands -------------------------------------------------------------------------------------

std::optional<rejection> naive_shop::submit(const entity_ref& to, const std::string& key,
                                            const command_body& body) {
  const auto [known, fresh] = commands_.try_emplace({to, key}, noted{bytes_of(body), body});
  if (fresh) {
    known->second.refused =
      std::visit([&](const auto& command) { return on(to.key, command); }, body);
    run();
  }
  return answer(to, key, body); // I1
}

std::optional<rejection> naive_shop::answer(const entity_ref& to, const std::string& key,
                                            const command_body& body) const {
  const auto& command = commands_.at({to, key});
  if (command.bytes != bytes_of(body))
    return rejection::id_reused; // I2
  if (command.refused != rejection::none)
    return command.refused;
  if (to.kind == entity_kind::order && is_open(orders.at(to.key)))
    return std::nullopt;
  return verdict(to, command);
}

/// What an accepted command came to.
std::optional<rejection> naive_shop::verdict(const entity_ref& to, const noted& command) const {
  if (to.kind == entity_kind::reservation) {
    const bool rejected = reservations.at(to.key).status == reservation_status::rejected;
    return rejected ? rejection::out_of_stock : rejection::none;
  }
  if (to.kind != entity_kind::order)
    return rejection::none;
  const auto& order = orders.at(to.key);
  const auto of_task = [&](const std::string& task, rejection why) {
    return order.refused.contains(task) ? why
           : has_task(order, task)      ? rejection::payment_unknown
                                        : rejection::none;
  };
  if (std::holds_alternative<place_order>(command.body) && order.phase == status::rejected)
    return rejection::out_of_stock;
  if (const auto* ship = std::get_if<ship_order>(&command.body))
    return of_task("ship/" + ship->shipment_id, rejection::capture_refused);
  if (const auto* refund = std::get_if<grant_refund>(&command.body))
    return of_task("refund/" + refund->refund_id, rejection::refund_refused);
  return rejection::none;
}

// -- Time and the world ---------------------------------------------------------------------------

void naive_shop::run() {
  for (auto& operation : operations)
    operation.asked = false;
  while (mood.money_first ? ask_provider() || serve_queues() : serve_queues() || ask_provider())
    ;
}

void naive_shop::advance_to(unix_millis at) {
  for (;;) {
    auto earliest = at;
    std::function<void()> fire;
    for (const auto& [id, order] : orders)
      if (const auto when = due(order);
          when && *when <= earliest && !(fire && mood.first_id_first && *when == earliest)) {
        earliest = *when;
        fire = [this, name = id] { deadline(name); };
      }
    for (auto& [id, reservation] : reservations)
      if (reservation.expires_at <= earliest && waits(reservation)) {
        earliest = reservation.expires_at;
        fire = [this, name = id] {
          auto& over = reservations.at(name);
          over.status = over.status == reservation_status::held ? reservation_status::expired
                                                                : reservation_status::canceled;
          release({entity_kind::reservation, name});
        };
      }
    if (!fire)
      break;
    now = std::max(now, earliest);
    fire();
    run();
  }
  now = std::max(now, at);
}

void naive_shop::set_line(provider_line good_for) {
  wire = good_for;
  run();
}

void naive_shop::act(bool now_acted) {
  acted = now_acted;
  run();
}

void naive_shop::confess() {
  confessed = true;
  run();
}

minor_units share(const order_line& line, std::int64_t already, std::int64_t units) {
  const auto total = line_total(line).value();
  const std::int64_t quantity = line.quantity;
  return total * (already + units) / quantity - total * already / quantity;
}

bool has_task(const naive_order& order, const std::string& prefix) {
  return std::any_of(order.tasks.begin(), order.tasks.end(),
                     [&](const auto& task) { return task.starts_with(prefix); });
}

// -- Questions ------------------------------------------------------------------------------------

order_status naive_shop::status_of(const naive_order& order) const {
  return order.parked ? status::needs_attention : order.on_hold ? status::on_hold : order.phase;
}

std::string naive_shop::reason_of(const naive_order& order) const {
  return order.parked ? "payment_unknown" : order.on_hold ? order.hold_reason : order.reason;
}

std::int64_t naive_shop::left_of(const naive_line& line) const {
  return line.wanted.quantity - line.canceled - line.shipped - line.shipping;
}

naive_line* naive_shop::find_line(naive_order& order, const std::string& line_id) const {
  for (auto& line : order.lines)
    if (line.wanted.line_id == line_id)
      return &line;
  return nullptr;
}

/// The share of units that were paid for and come back, or will not go. Notes it.
minor_units naive_shop::refund_units(naive_line& line, std::int64_t units) const {
  const auto money = std::min(share(line.wanted, line.canceled + line.returned, units),
                              line.captured - line.refunded);
  line.refunded += money;
  return money;
}

/// Whether it goes on by itself, so that answers wait.
bool naive_shop::is_open(const naive_order& order) const {
  if (order.parked)
    return false;
  switch (order.phase) {
  case status::reserving:
  case status::canceling: return true;
  case status::awaiting_payment: return !order.declined && !order.action_required;
  default: return !order.tasks.empty();
  }
}

std::optional<unix_millis> naive_shop::due(const naive_order& order) const {
  if (order.phase == status::backordered)
    return order.wait_until;
  if (order.phase == status::awaiting_payment && !order.lost && !(order.overdue && order.parked))
    return order.pay_by;
  if (order.phase == status::completed && order.close_at != 0 && order.tasks.empty())
    return order.close_at;
  return std::nullopt;
}

const naive_operation* naive_shop::unknown_operation(const std::string& order) const {
  for (const auto& operation : operations)
    if (operation.order == order && !operation.given_up &&
        (operation.unknown || operation.needs_action))
      return &operation;
  return nullptr;
}

bool naive_shop::has_backorders() const {
  return std::any_of(skus.begin(), skus.end(),
                     [](const auto& entry) { return !entry.second.queue.empty(); });
}

std::optional<unix_millis> naive_shop::next_due(const std::string& but) const {
  std::optional<unix_millis> next;
  for (const auto& [id, order] : orders)
    if (const auto when = due(order); when && (!next || *when < *next))
      next = when;
  for (const auto& [id, reservation] : reservations)
    if (id != but && waits(reservation) && (!next || reservation.expires_at < *next))
      next = reservation.expires_at;
  return next;
}

std::string naive_shop::described() const {
  std::ostringstream out;
  for (const auto& [name, sku] : skus) {
    out << name << ":";
    for (const auto& [location, units] : sku.on_hand)
      out << " " << location << "=" << units;
    for (const auto& hold : sku.holds) {
      out << " [" << to_string(hold.owner) << (hold.committed ? " committed" : "");
      for (const auto& [location, units] : hold.units)
        out << " " << location << "=" << units;
      out << "]";
    }
    for (const auto& place : sku.queue)
      out << " <" << to_string(place.owner) << (place.live ? "" : " passed")
          << (sku.offered == place.owner ? " offered" : "") << ">";
    out << "\n";
  }
  for (const auto& [id, order] : orders) {
    out << id << ": " << to_string(order.phase) << " " << to_string(status_of(order)) << " "
        << reason_of(order) << order.lost << order.declined << order.action_required
        << order.overdue << " due=" << due(order).value_or(0) << " captured=" << order.captured
        << " refunded=" << order.refunded << " open=" << order.ours.open << "/"
        << order.theirs.open;
    for (const auto& line : order.lines)
      out << " " << line.canceled << "," << line.shipped << "," << line.returned << ","
          << line.shipping;
    for (const auto& task : order.tasks)
      out << " " << task;
    out << "\n";
  }
  for (const auto& [id, reservation] : reservations)
    out << id << ": " << static_cast<int>(reservation.status) << "\n";
  for (const auto& operation : operations)
    out << operation.order << " " << static_cast<int>(operation.kind) << " " << operation.amount
        << (operation.unknown ? " unknown" : "") << (operation.given_up ? " given up" : "") << "\n";
  return out.str();
}

} // namespace purser::tests
