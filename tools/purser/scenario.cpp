#include "tools/purser/scenario.hpp"

#include "actors/domain/rejection.hpp"
#include "config/json_schema.hpp"
#include "runtime/json/command_json.hpp"
#include "runtime/json/strict_parse.hpp"

#include <boost/describe/enum_from_string.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <fstream>
#include <iterator>

namespace purser::config {

template <>
struct required_fields<tools::scenario> {
  static constexpr std::array<std::string_view, 3> names{"name", "story", "steps"};
};
template <>
struct required_fields<tools::stock_step> {
  static constexpr std::array<std::string_view, 2> names{"sku", "quantity"};
};
template <>
struct required_fields<tools::provider_step> {
  static constexpr std::array<std::string_view, 1> names{"mood"};
};
template <>
struct required_fields<tools::expectation> {
  static constexpr std::array<std::string_view, 1> names{"is"};
};

template <>
struct field_texts<tools::scenario_step> {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> texts{{
    {"say", "shown in the timeline"},
    {"command", "one command of the vocabulary"},
    {"together", "commands that are sent at the same time"},
    {"repeat", "sends the command so often; {n} in its texts is 1, 2, 3..."},
    {"answer", "what the command or the redrive is answered: accepted, or the rejection's name"},
    {"wait", "time passes: 90s, 15m, 2h, 30d"},
    {"until", "time passes until then"},
    {"crash", "an actor crashes at its next message that fits"},
    {"provider", "how the provider treats the next operations that fit"},
    {"customer_acts", "the customer of this order's payment does what is asked"},
    {"provider_confesses", "the provider tells what was unknown"},
    {"redrive", "every dead letter is sent again, the oldest first"},
    {"kill", "the engine is killed, and starts again"},
    {"restart", "the engine is stopped in order, and starts again"},
    {"expect", "what must hold"},
    {"within", "so much time may pass until it holds"},
  }};
};

} // namespace purser::config

namespace purser::tools {

namespace {

using config::json_place;

void check_command(const boost::json::value& command, const json_place& place) {
  const auto parsed = parse_command(boost::json::serialize(with_number(command, 1)));
  if (const auto* mistake = std::get_if<command_error>(&parsed))
    throw config::json_error(place.pointer() + mistake->pointer, mistake->message);
}

void check_duration(const std::optional<std::string>& text, const json_place& place) {
  if (text && !duration_ms(*text))
    config::fail(place, "\"" + *text + "\" is no duration; write 90s, 15m, 2h or 30d");
}

void check_step(const scenario_step& step, const json_place& place) {
  const int actions = (step.command ? 1 : 0) + (step.together.empty() ? 0 : 1) +
                      (step.wait ? 1 : 0) + (step.until ? 1 : 0) + (step.crash ? 1 : 0) +
                      (step.provider ? 1 : 0) + (step.customer_acts ? 1 : 0) +
                      (step.provider_confesses ? 1 : 0) + (step.redrive ? 1 : 0) +
                      (step.kill ? 1 : 0) + (step.restart ? 1 : 0) + (step.expect ? 1 : 0);
  if (actions > 1 || (actions == 0 && !step.say))
    config::fail(place,
                 "has " + std::to_string(actions) +
                   " actions; a step is one of command, "
                   "together, wait, until, crash, provider, customer_acts, "
                   "provider_confesses, redrive, kill, restart, expect, or only says something");
  check_duration(step.wait, {&place, "wait", {}});
  check_duration(step.within, {&place, "within", {}});
  if (step.command)
    check_command(*step.command, {&place, "command", {}});
  const json_place together{&place, "together", {}};
  for (std::size_t i = 0; i < step.together.size(); ++i)
    check_command(step.together[i], {&together, {}, i});
  if (step.within && !step.expect)
    config::fail({&place, "within", {}}, "goes with expect");
  if (step.repeat && !step.command)
    config::fail(place, "repeat goes with command");
  if (step.answer && !step.command && !step.redrive)
    config::fail(place, "answer goes with command or redrive");
  if (rejection known{}; step.answer && *step.answer != "accepted" &&
                         !boost::describe::enum_from_string(step.answer->c_str(), known))
    config::fail({&place, "answer", {}},
                 "\"" + *step.answer + "\" is neither accepted nor the name of a rejection");
  if (step.crash && step.crash->actor && step.crash->actor->find('/') == std::string::npos)
    config::fail({&place, "crash", {}}, "an actor is named like order/o-1");
  if (!step.expect)
    return;
  const auto& what = *step.expect;
  const int subjects = (what.order ? 1 : 0) + (what.payment ? 1 : 0) + (what.stock ? 1 : 0) +
                       (what.reservation ? 1 : 0) + (what.totals ? 1 : 0);
  if (subjects != 1)
    config::fail({&place, "expect", {}}, "names one of order, payment, stock, reservation, totals");
}

boost::json::value parse_file(const std::string& file) {
  std::ifstream in{file};
  if (!in)
    throw scenario_error(file + " cannot be opened");
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return parse_strictly(text);
}

} // namespace

scenario load_scenario(const std::string& file) {
  try {
    scenario made;
    const json_place root{};
    const auto document = parse_file(file);
    if (document.is_object() && document.get_object().contains("$schema")) {
      auto without = document.get_object();
      without.erase("$schema"); // for editors
      config::read(boost::json::value(std::move(without)), made, root);
    } else {
      config::read(document, made, root);
    }
    const json_place steps{&root, "steps", {}};
    for (std::size_t i = 0; i < made.steps.size(); ++i)
      check_step(made.steps[i], {&steps, {}, i});
    return made;
  } catch (const config::json_error& error) {
    throw scenario_error(file + ": " + error.pointer + ": " + error.what());
  }
}

std::optional<std::int64_t> duration_ms(const std::string& text) {
  std::int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  constexpr std::int64_t most = 1'000'000'000;
  if (error != std::errc{} || rest + 1 != end || count < 0 || count > most)
    return std::nullopt;
  switch (*rest) {
  case 's': return count * 1'000;
  case 'm': return count * 60'000;
  case 'h': return count * 3'600'000;
  case 'd': return count * 86'400'000;
  default: return std::nullopt;
  }
}

boost::json::value with_number(const boost::json::value& command, std::uint32_t n) {
  if (const auto* text = command.if_string()) {
    std::string made{text->c_str(), text->size()};
    constexpr std::string_view slot = "{n}";
    for (auto at = made.find(slot); at != std::string::npos; at = made.find(slot, at))
      made.replace(at, slot.size(), std::to_string(n));
    return boost::json::value(made);
  }
  auto made = command;
  if (auto* object = made.if_object())
    for (auto& entry : *object)
      entry.value() = with_number(entry.value(), n);
  if (auto* array = made.if_array())
    for (auto& item : *array)
      item = with_number(item, n);
  return made;
}

boost::json::object scenario_schema() {
  auto made = config::schema_of<scenario>();
  auto& properties = made.at("properties").as_object();
  properties["$schema"] = boost::json::object{{"type", "string"}};
  auto& step = properties.at("steps").as_object().at("items").as_object();
  const boost::json::object command{{"$ref", "#/$defs/command"}};
  step.at("properties").as_object()["command"] = command;
  step.at("properties").as_object()["together"] =
    boost::json::object{{"type", "array"}, {"items", command}};
  boost::json::object all{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                          {"title", "A scenario of purser run"},
                          {"$defs", boost::json::object{{"command", command_schema()}}}};
  for (auto& entry : made)
    all[entry.key()] = std::move(entry.value());
  return all;
}

} // namespace purser::tools
