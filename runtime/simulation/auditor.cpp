#include "runtime/simulation/auditor.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace purser::simulation {

namespace {

using status = order_status;

[[noreturn]] void broken(const std::string& rule, const std::string& what) {
  throw verdict(rule + ": " + what);
}

template <class T>
void same(const char* rule, const std::string& what, const T& found, const T& expected) {
  if (found == expected)
    return;
  std::ostringstream text;
  text << what << " is " << found << " and should be " << expected;
  broken(rule, text.str());
}

std::string in_words(const answer& result) {
  return result.result == outcome::accepted
           ? "accepted"
           : std::string{"rejected("}.append(to_string(result.why)) + ")";
}

/// What was not known when it was answered may be known later.
bool may_become_definite(const command& request, const answer& first) {
  return first.why == rejection::payment_unknown &&
         (std::holds_alternative<ship_order>(request.body) ||
          std::holds_alternative<grant_refund>(request.body));
}

bool moves_stock(const command& request) {
  return std::holds_alternative<receive_stock>(request.body) ||
         std::holds_alternative<receive_batch>(request.body) ||
         std::holds_alternative<adjust_stock>(request.body) ||
         std::holds_alternative<return_order>(request.body);
}

bool is_paid_for_good(status at) {
  return at == status::confirmed || at == status::fulfilling || at == status::completed ||
         at == status::closed;
}

minor_units total_of(const place_order& placed) {
  return order_total(placed).value();
}

/// The tree's intensities (runtime/tree.cpp), written down a second time.
struct intensity {
  std::size_t restarts;
  std::int64_t period_ms;
};
const std::map<std::string, intensity>& intensities() {
  static const std::map<std::string, intensity> table{{"root", {2, 5'000}},
                                                      {"root/shards", {8, 5'000}}};
  return table;
}

} // namespace

// -- Commands and answers -------------------------------------------------------------------------

void auditor::submitted(std::size_t number, const command& request, unix_millis at) {
  if (number >= records_.size())
    records_.resize(number + 1);
  auto& asked = records_[number];
  asked.request = request;
  asked.at.push_back(at);
  const auto* adjusted = std::get_if<adjust_stock>(&request.body);
  forced_ |= adjusted != nullptr && adjusted->force;
}

void auditor::answered(std::size_t number, const answer& result) {
  auto& asked = records_.at(number);
  asked.excused = result.why == rejection::quarantined; // itself, or what it needs
  if (result.result == outcome::unknown || result.why == rejection::overloaded || asked.excused)
    return; // nothing definite
  const auto name = asked.request.command_id + " (" + std::string{op_of(asked.request.body)} + ")";
  if (!asked.first) {
    asked.first = result;
    if (const auto* reserved = std::get_if<reserve_stock>(&asked.request.body);
        reserved != nullptr && result.result == outcome::accepted)
      expiries_[reserved->reservation_id] =
        asked.at.back() + std::int64_t{reserved->ttl_seconds} * 1'000;
    check_expiry(asked, result);
    return;
  }
  const bool is_same = asked.first->result == result.result && asked.first->why == result.why;
  const bool was_parked = std::holds_alternative<place_order>(asked.request.body) &&
                          asked.first->result == outcome::accepted && gave_up_;
  if (!is_same && (was_parked || may_become_definite(asked.request, *asked.first))) {
    asked.first = result;
    return;
  }
  if (!is_same)
    broken("J1",
           name + " was " + in_words(*asked.first) + ", and its repeat is " + in_words(result));
  if (!result.duplicate && result.why != rejection::id_reused)
    broken("J1", name + " was acknowledged, and its repeat is not known as one");
}

void auditor::check_expiry(const record& asked, const answer& result) const {
  const auto* commit = std::get_if<commit_reservation>(&asked.request.body);
  if (commit == nullptr || result.result != outcome::accepted)
    return;
  const auto expiry = expiries_.find(commit->reservation_id);
  if (expiry == expiries_.end())
    return;
  for (const auto& other : records_) {
    const auto* earlier = std::get_if<commit_reservation>(&other.request.body);
    if (earlier != nullptr && earlier->reservation_id == commit->reservation_id)
      for (const auto at : other.at)
        if (at < expiry->second)
          return;
  }
  broken("J6",
         "the reservation " + commit->reservation_id + " was committed when its time was over");
}

std::size_t auditor::unanswered() const {
  return static_cast<std::size_t>(
    std::count_if(records_.begin(), records_.end(),
                  [](const auto& each) { return !each.first && !each.excused; }));
}

// -- Supervision ----------------------------------------------------------------------------------

void auditor::started() {
  supervisors_.clear();
}

void auditor::supervised(const supervisors::supervision_event& event, unix_millis now) {
  using supervisors::event_kind;
  if (event.kind == event_kind::message_dead_lettered ||
      event.kind == event_kind::entity_quarantined)
    gave_up_ = true;
  if (event.kind == event_kind::child_crashed || event.kind == event_kind::escalated) {
    supervisors_.erase(event.path); // the next one of that name counts anew
    crashed_at_[event.path] = now;
  }
  const auto slash = event.path.rfind('/');
  const auto parent = slash == std::string::npos ? std::string{} : event.path.substr(0, slash);
  const auto& name = event.kind == event_kind::gave_up ? event.path : parent;
  const auto found = intensities().find(name);
  if (found == intensities().end())
    return;
  const auto forget = [&](std::deque<unix_millis>& times, unix_millis at) {
    while (!times.empty() && at - times.front() > found->second.period_ms)
      times.pop_front();
    return times.size();
  };
  auto& count = supervisors_[name];
  const auto intensity = found->second.restarts;
  if (event.kind == event_kind::child_crashed || event.kind == event_kind::escalated)
    count.failures.push_back(now);
  if (event.kind == event_kind::child_restarted) { // of a failure that may be a while ago
    const auto crash = crashed_at_.find(event.path);
    count.restarts.push_back(crash == crashed_at_.end() ? now : crash->second);
    if (const auto times = forget(count.restarts, count.restarts.back()); times > intensity)
      broken("J7", name + " restarts a child for the " + std::to_string(times) +
                     "th time within its period");
  }
  if (event.kind == event_kind::gave_up)
    if (const auto times = forget(count.failures, now); times <= intensity)
      broken("J7",
             name + " gave up after " + std::to_string(times) + " failures within its period");
}

// -- Everything at one moment ---------------------------------------------------------------------

void auditor::check(const look& ask, bool at_rest) const {
  places units;
  const bool strict = at_rest && !gave_up_;
  bool certain = true; // whether every command about stock has come to something
  for (const auto& asked : records_) {
    if (asked.at.empty())
      continue;
    if (strict && !asked.first && !asked.excused)
      broken("J5", asked.request.command_id + " (" + std::string{op_of(asked.request.body)} +
                     ") was never answered");
    certain &= asked.first || !moves_stock(asked.request);
    count_document(asked, units);
    if (const auto* placed = std::get_if<place_order>(&asked.request.body))
      look_at_order(ask, asked, *placed, strict, units);
    else if (const auto* wanted = std::get_if<reserve_stock>(&asked.request.body))
      look_at_reservation(ask, asked, *wanted, units);
  }
  const bool holds_move = forced_ && !at_rest; // K10: its loser may not know yet
  if (certain && !holds_move)
    check_stock(ask, units);
}

/// Accepted, and nothing was given up since: it must be there.
bool auditor::must_be_there(const record& asked) const {
  return asked.first && asked.first->result == outcome::accepted && !gave_up_;
}

void auditor::look_at_order(const look& ask, const record& asked, const place_order& placed,
                            bool strict, places& units) const {
  const auto view = ask({entity_kind::order, placed.order_id});
  const auto* order = std::get_if<order_view>(&view);
  if (order == nullptr && must_be_there(asked))
    broken("J2", "order " + placed.order_id + " was accepted, and is not there");
  if (order != nullptr)
    check_order(placed, *order, strict, units);
}

void auditor::look_at_reservation(const look& ask, const record& asked, const reserve_stock& wanted,
                                  places& units) const {
  const auto view = ask({entity_kind::reservation, wanted.reservation_id});
  const auto* reservation = std::get_if<reservation_view>(&view);
  if (reservation == nullptr && must_be_there(asked))
    broken("J2", "reservation " + wanted.reservation_id + " was accepted, and is not there");
  if (reservation != nullptr)
    count_reservation(wanted, *reservation, units);
}

/// Units of a line that clients wanted canceled by name.
std::int64_t auditor::named_in_cancels(const std::string& order_id,
                                       const std::string& line_id) const {
  std::int64_t units = 0;
  for (const auto& asked : records_)
    if (const auto* cancel = std::get_if<cancel_order>(&asked.request.body);
        cancel != nullptr && cancel->order_id == order_id && cancel->lines)
      for (const auto& line : *cancel->lines)
        if (line.line_id == line_id)
          units += line.quantity;
  return units;
}

void auditor::check_order(const place_order& placed, const order_view& view, bool at_rest,
                          places& units) const {
  const auto& id = placed.order_id;
  same("J2", "the total of order " + id, view.total, total_of(placed));
  if (view.lines.size() != placed.lines.size())
    broken("J2", "order " + id + " has lost lines");
  // Money that is open at the bank: its units are still promised (C3).
  const bool ends = view.status == status::canceled || view.status == status::rejected;
  const bool canceling =
    view.status == status::canceling ||
    (view.status == status::needs_attention && // while it cancels: it looks canceled already
     std::all_of(view.lines.begin(), view.lines.end(), [&](const auto& line) {
       return line.shipped == 0 && line.held + line.committed + line.backordered == 0;
     }));
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    const auto& line = view.lines[i];
    const auto& wanted = placed.lines[i];
    const auto what = "line " + line.line_id + " of order " + id;
    const std::int64_t quantity = wanted.quantity;
    const auto promised = line.held + line.committed;
    if (line.canceled + promised + line.backordered + line.shipped > quantity)
      broken("J2", what + " has more units than were ordered");
    if (line.returned > line.shipped)
      broken("J3", what + " has more units returned than shipped");
    auto& at = units[{wanted.sku, wanted.location}];
    at.came -= line.shipped;
    at.promised += promised;
    if (promised > 0)
      at.by += " " + id + ":" + std::to_string(promised);
    const auto rest = quantity - line.shipped - promised;
    const bool going = !ends && view.status != status::backordered &&
                       view.status != status::confirmed && view.status != status::fulfilling &&
                       view.status != status::completed && view.status != status::closed &&
                       view.status != status::returning;
    if (canceling && bank_.open_authorization(id) > 0) {
      // C3: the money is still held, and so are the units; but not those that went back on sale
      // before, when a part of the order was canceled.
      const auto perhaps = std::min(rest, named_in_cancels(id, line.line_id));
      at.promised += rest - perhaps;
      at.perhaps += perhaps;
      at.by += " " + id + ":" + std::to_string(rest - perhaps);
    } else if (going) {
      at.perhaps += rest;
    }
  }
  check_money(placed, view, at_rest);
  if (at_rest)
    check_ends(id, view);
}

void auditor::check_money(const place_order& placed, const order_view& view, bool at_rest) const {
  const auto& id = placed.order_id;
  const auto total = total_of(placed);
  const auto before = bank_.given_back(id); // of attempts to sell that came to nothing
  const auto captured = bank_.moved(id, operation_kind::capture) - before;
  const auto refunded = bank_.moved(id, operation_kind::refund) - before;
  const auto open = bank_.open_authorization(id);
  if (captured > total)
    broken("J4", "order " + id + " of " + std::to_string(total) + " was charged " +
                   std::to_string(captured));
  if (refunded > captured)
    broken("J4", "order " + id + " was refunded more than it was charged");
  if (open > total || open < 0)
    broken("J4", "order " + id + " of " + std::to_string(total) + " has " + std::to_string(open) +
                   " authorized");
  if (view.status == status::canceled || view.status == status::rejected) {
    same("J4", "what " + id + ", which is over, has cost", captured - refunded, minor_units{0});
    same("J4", "what is authorized for " + id + ", which is over,", open, minor_units{0});
  }
  if (is_paid_for_good(view.status) && placed.capture == capture_policy::on_confirm)
    same("J4", "what was charged for order " + id, captured, total);
  if (at_rest && is_paid_for_good(view.status) && view.tasks.empty()) {
    same("J4", "what was charged for order " + id, captured, view.captured);
    same("J4", "what was refunded of order " + id, refunded, view.refunded);
  }
}

void auditor::check_ends(const std::string& id, const order_view& view) const {
  switch (view.status) {
  case status::backordered:
  case status::confirmed:
  case status::fulfilling:
  case status::completed:
  case status::closed:
  case status::canceled:
  case status::rejected:
  case status::on_hold: break;
  default:
    broken("J5", "order " + id + " stays " + std::string{to_string(view.status)} + " (" +
                   view.reason.value_or("") + ")");
  }
  if (!view.tasks.empty() && view.status != status::on_hold)
    broken("J5", "order " + id + " never ends " + view.tasks.front().id);
}

void auditor::count_reservation(const reserve_stock& wanted, const reservation_view& view,
                                places& units) const {
  for (const auto& line : wanted.lines) {
    auto& at = units[{line.sku, line.location}];
    switch (view.status) {
    case reservation_status::held:
    case reservation_status::committed:
      at.promised += line.quantity;
      at.by += " " + wanted.reservation_id + ":" + std::to_string(line.quantity);
      break;
    case reservation_status::shipped: at.came -= line.quantity; break;
    case reservation_status::holding:
    case reservation_status::committing:
    case reservation_status::releasing: at.perhaps += line.quantity; break;
    case reservation_status::shipping: // of some SKUs it is done, perhaps
      at.perhaps += line.quantity;
      at.leaving += line.quantity;
      break;
    default: break;
    }
  }
}

void auditor::count_document(const record& asked, places& units) const {
  if (!asked.first || asked.first->result != outcome::accepted)
    return;
  if (const auto* received = std::get_if<receive_stock>(&asked.request.body))
    units[{received->sku, received->location}].came += received->quantity;
  else if (const auto* batch = std::get_if<receive_batch>(&asked.request.body))
    for (const auto& line : batch->lines)
      units[{line.sku, line.location}].came += line.quantity;
  else if (const auto* adjusted = std::get_if<adjust_stock>(&asked.request.body))
    units[{adjusted->sku, adjusted->location}].came += adjusted->delta;
  else if (const auto* goods = std::get_if<return_order>(&asked.request.body))
    for (const auto& other : records_)
      if (const auto* placed = std::get_if<place_order>(&other.request.body);
          placed != nullptr && placed->order_id == goods->order_id)
        for (const auto& line : goods->lines)
          for (const auto& wanted : placed->lines)
            if (line.restock && wanted.line_id == line.line_id)
              units[{wanted.sku, wanted.location}].came += line.quantity;
}

void auditor::check_stock(const look& ask, const places& units) const {
  std::set<std::string> skus;
  for (const auto& [place, sums] : units)
    skus.insert(place.first);
  for (const auto& sku : skus) {
    const auto found = ask({entity_kind::stock, sku});
    if (gave_up_) // perhaps only while we looked; perhaps this one, which then does not answer
      return;
    std::map<std::string, location_view> books;
    if (const auto* view = std::get_if<stock_view>(&found))
      for (const auto& at : view->locations)
        books[at.location] = at;
    for (const auto& [place, sums] : units) {
      if (place.first != sku)
        continue;
      const auto& at = books[place.second];
      const auto where = " of " + sku + " at " + place.second;
      same("J3", "on hand" + where, at.on_hand,
           std::clamp(at.on_hand, sums.came - sums.leaving, sums.came));
      const auto promised = at.held + at.committed;
      if (promised < sums.promised || promised > sums.promised + sums.perhaps)
        broken("J3", "promised" + where + " is " + std::to_string(promised) +
                       ", and what orders and reservations hold is " +
                       std::to_string(sums.promised) + " to " +
                       std::to_string(sums.promised + sums.perhaps) + sums.by);
      if (!forced_ && promised > at.on_hand)
        broken("J3", "more" + where + " is promised than there is");
    }
  }
}

} // namespace purser::simulation
