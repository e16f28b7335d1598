#include "tests/actors/shop_coverage.hpp"

#include "actors/codec.hpp"
#include "actors/domain/order_tables.hpp"
#include "tests/actors/shop_player.hpp"

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace purser::tests {

namespace {

template <class Event>
Event decoded(const event_record& record) {
  std::optional<Event> made;
  boost::mp11::mp_for_each<boost::mp11::mp_iota<boost::mp11::mp_size<Event>>>([&](auto index) {
    using alternative = boost::mp11::mp_at_c<Event, index>;
    if (alternative::type == record.type)
      made = codec::from_bytes<alternative>(record.payload);
  });
  return made.value();
}

/// What an operation may go through (payment.hpp); nothing: it was not there.
const std::vector<operation_move>& operation_moves() {
  using enum operation_status;
  static const std::vector<operation_move> moves{
    {std::nullopt, created},    {std::nullopt, submitted},    {created, submitted},
    {created, refused},         {submitted, succeeded},       {submitted, refused},
    {submitted, unknown},       {submitted, action_required}, {unknown, submitted},
    {unknown, succeeded},       {unknown, refused},           {action_required, succeeded},
    {action_required, refused}, {refused, succeeded}};
  return moves;
}

template <class Enum>
std::string name_of(Enum value) {
  return boost::describe::enum_to_string(value, "?");
}

std::string name_of(const operation_move& one) {
  return "operation: " + (one.first ? name_of(*one.first) : "(none)") + " -> " +
         name_of(one.second);
}

} // namespace

void note(coverage& reached, duel& played) {
  std::map<std::string, order> orders;
  std::map<std::string, reservation> reservations;
  std::map<std::string, payment> payments;
  for (const auto& event : played.node().journal()) {
    const auto& key = event.stream.key;
    if (event.event.type == command_noted::type)
      continue;
    if (event.stream.kind == entity_kind::order) {
      auto& current = orders[key];
      reached.orders.emplace(current.phase, event.event.type);
      evolve(current, decoded<order_event>(event.event));
    } else if (event.stream.kind == entity_kind::reservation) {
      auto& current = reservations[key];
      const auto before = current.status;
      evolve(current, decoded<reservation_event>(event.event));
      reached.reservations.emplace(before, current.status);
    } else if (event.stream.kind == entity_kind::payment) {
      auto& current = payments[key];
      const auto before = current.operations;
      evolve(current, decoded<payment_event>(event.event));
      reached.tokens.insert(current.token);
      for (std::size_t i = 0; i < current.operations.size(); ++i) {
        const auto is = current.operations[i].status;
        const auto was = i < before.size() ? std::optional{before[i].status} : std::nullopt;
        if (was != is)
          reached.operations.emplace(was, is);
      }
    }
  }
  reached.rejections.insert(played.rejections().begin(), played.rejections().end());
  reached.commands += played.node().commands();
  ++reached.runs;
}

const std::set<std::string>& unreachable() {
  static const std::set<std::string> all{
    // Only a message that was given up parks an order while it asks for holds: no shell, no giving
    // up (supervision has tests of its own).
    "order: reserving + order_parked",
    "order: reserving + order_unparked",
    // A SKU that books nothing of a batch is full, or was given up.
    "rejection: batch_incomplete",
    "rejection: dead_lettered",
    "rejection: quarantined",
    // Nothing bounds the node's queues.
    "rejection: overloaded",
    // At most 10^12 units an adjustment: 64 bits are full after nine million of them.
    "rejection: quantity_overflow",
    // A capture waits while its authorization is renewed. The provider renews at once, and a
    // command that comes between is a race.
    "operation: created -> refused",
  };
  return all;
}

std::set<std::string> missed(const coverage& reached) {
  std::set<std::string> names;
  const auto unless = [&names](bool found, const std::string& name) {
    if (!found)
      names.insert(name);
  };
  const auto of_order = [&](order_status from, std::uint16_t event) {
    unless(event == 0 || reached.orders.contains({from, event}),
           "order: " + name_of(from) + " + " + std::string{event_name(entity_kind::order, event)});
  };
  for (const auto& transition : order_rules::transitions)
    of_order(transition.from, transition.event);
  for (const auto& row : order_rules::stays)
    for (const auto event : row.events)
      of_order(row.phase, event);
  for (const auto& [from, to] : reservation_moves())
    unless(reached.reservations.contains({from, to}),
           "reservation: " + name_of(from) + " -> " + name_of(to));
  for (const auto& one : operation_moves())
    unless(reached.operations.contains(one), name_of(one));
  for (const auto* token : tokens)
    unless(reached.tokens.contains(token), std::string{"provider: "} + token);
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<rejection>>([&](auto one) {
    unless(reached.rejections.contains(one.value), std::string{"rejection: "} + one.name);
  });
  return names;
}

std::set<std::string> surprises(const coverage& reached) {
  std::set<std::string> names;
  const auto& known = operation_moves();
  for (const auto& one : reached.operations)
    if (std::find(known.begin(), known.end(), one) == known.end())
      names.insert(name_of(one));
  return names;
}

} // namespace purser::tests
