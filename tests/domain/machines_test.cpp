// docs/machines.md is drawn from the tables in the code.
#include "actors/domain/order_tables.hpp"
#include "actors/domain/payment.hpp"
#include "actors/domain/reservation.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/mp11.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

using namespace purser;

namespace {

std::string name_of_event(std::uint16_t type) {
  std::string name;
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::variant_size_v<order_event>>>(
    [&](auto index) {
      using event = std::variant_alternative_t<index, order_event>;
      if (event::type == type)
        name = event::name;
    });
  return name;
}

template <class E>
std::string name(E value) {
  return boost::describe::enum_to_string(value, "?");
}

std::string node(const std::string& state) {
  return state == "absent" ? "[*]" : state;
}

std::string verdict_text(const order_verdict& verdict) {
  switch (verdict.what) {
  case order_verdict::kind::accept: return "**yes**";
  case order_verdict::kind::already_so: return "already so";
  case order_verdict::kind::as_phase: return "as beneath";
  case order_verdict::kind::refuse: return name(verdict.why);
  }
  return "?";
}

std::string order_diagram() {
  std::string out = "```mermaid\nstateDiagram-v2\n";
  for (const auto& each : order_rules::transitions)
    out += "  " + node(name(each.from)) + " --> " + name(each.to) + ": " +
           name_of_event(each.event) + "\n";
  for (const auto* terminal : {"rejected", "canceled", "closed"})
    out += std::string{"  "} + terminal + " --> [*]\n";
  return out + "```\n";
}

std::string order_commands() {
  std::string out = "| status |";
  std::string rule = "|---|";
  for (const auto& row : order_rules::commands) {
    out += " " + name(row.command) + " |";
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (const auto status : order_rules::statuses) {
    out += "| " + name(status) + " |";
    for (const auto& row : order_rules::commands)
      out += " " + verdict_text(verdict_on(status, row.command)) + " |";
    out += "\n";
  }
  return out;
}

std::string reservation_diagram() {
  std::string out = "```mermaid\nstateDiagram-v2\n";
  for (const auto& [from, to] : reservation_moves())
    out += "  " + node(name(from)) + " --> " + name(to) + "\n";
  for (const auto* terminal : {"rejected", "released", "shipped", "expired", "canceled"})
    out += std::string{"  "} + terminal + " --> [*]\n";
  return out + "```\n";
}

std::string operation_diagram() {
  std::string out = "```mermaid\nstateDiagram-v2\n";
  for (const auto& [from, to] : operation_moves())
    out += "  " + name(from) + " --> " + name(to) + "\n";
  return out + "```\n";
}

std::string document() {
  return "# The machines\n\n"
         "Drawn from the tables in the code by `tools/dev golden`; a test fails when this page is "
         "stale.\n\n"
         "## An order\n"
         "From `actors/domain/order_tables.hpp`. `on_hold` and `needs_attention` lie over the "
         "state beneath, which goes on under them.\n\n" +
         order_diagram() +
         "\n### What each command meets\n`cancel_part` is an `order.cancel` with lines; *as "
         "beneath*: as in the "
         "state under `on_hold` or `needs_attention`.\n\n" +
         order_commands() + "\n## A reservation\nFrom `actors/domain/reservation.cpp`.\n\n" +
         reservation_diagram() +
         "\n## An operation at the payment provider\nFrom `actors/domain/payment.cpp`. `refused` "
         "to `succeeded` is a late success (C6).\n\n" +
         operation_diagram();
}

} // namespace

TEST_CASE("golden: docs/machines.md says what the tables say") {
  const std::string path = PURSER_SOURCE_DIR "/docs/machines.md";
  if (std::getenv("PURSER_UPDATE_GOLDEN") != nullptr) // NOLINT(concurrency-mt-unsafe): one thread
    std::ofstream{path} << document();

  std::ifstream in{path};
  const std::string found{std::istreambuf_iterator<char>{in}, {}};

  CHECK_MESSAGE(found == document(), "docs/machines.md is stale; tools/dev golden rewrites it");
}

TEST_CASE(
  "every state of every machine is reached by a transition, and left unless it is terminal") {
  std::map<order_status, int> reached;
  std::map<order_status, int> left;
  for (const auto& each : order_rules::transitions) {
    ++reached[each.to];
    ++left[each.from];
  }
  for (const auto status : order_rules::statuses) {
    CAPTURE(name(status));
    const bool lies_over =
      status == order_status::on_hold || status == order_status::needs_attention;
    const bool terminal = status == order_status::rejected || status == order_status::canceled ||
                          status == order_status::closed;
    if (!lies_over && status != order_status::absent)
      CHECK(reached[status] > 0);
    if (!lies_over)
      CHECK((left[status] > 0) == !terminal);
  }
}
