// `purser order|stock|payment|reservation show ID`.
#include "config/json_writer.hpp"
#include "runtime/inspect.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/event_line.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <iostream>

namespace purser::tools {

namespace {

struct show_options {
  entity_kind kind = entity_kind::order;
  std::string id;
  std::string data;
  bool history = false;
  bool json = false;
  bool quiet = false;
};

boost::json::value view_json(const entity_view& view) {
  return std::visit(
    [](const auto& found) -> boost::json::value {
      if constexpr (std::is_same_v<std::decay_t<decltype(found)>, std::monostate>)
        return nullptr;
      else
        return config::to_json(found);
    },
    view);
}

/// JSON as indented lines for people: "status: confirmed".
void print_readably(const boost::json::value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  for (const auto& entry : value.as_object()) {
    const auto name = std::string_view{entry.key().data(), entry.key().size()};
    if (entry.value().is_object()) {
      std::cout << indent << name << ":\n";
      print_readably(entry.value(), depth + 1);
    } else if (entry.value().is_array() && !entry.value().get_array().empty() &&
               entry.value().get_array().front().is_object()) {
      std::cout << indent << name << ":\n";
      for (const auto& item : entry.value().get_array()) {
        std::cout << indent << "  " << boost::json::serialize(item) << '\n';
      }
    } else if (const auto* text = entry.value().if_string()) {
      std::cout << indent << name << ": " << text->c_str() << '\n';
    } else {
      std::cout << indent << name << ": " << boost::json::serialize(entry.value()) << '\n';
    }
  }
}

int show(const show_options& options) {
  const auto source = inspector::open(options.data);
  const entity_ref entity{options.kind, options.id};
  auto view = view_json(source->show(entity));
  if (view.is_null()) {
    complain(options.data + " has no " + to_string(entity));
    return exit_findings;
  }
  boost::json::array events;
  if (options.history)
    source->history(entity,
                    [&](const event_notice& event) { events.push_back(event_object(event)); });
  if (options.json) {
    if (options.history)
      view.as_object()["history"] = events;
    std::cout << boost::json::serialize(view) << '\n';
    return exit_ok;
  }
  print_readably(view, 0);
  if (options.history) {
    std::cout << "history:\n";
    for (const auto& event : events)
      std::cout << "  " << history_line(event.as_object()) << '\n';
  }
  return exit_ok;
}

void add_one(CLI::App& app, chosen_action& chosen, const char* name, entity_kind kind,
             const char* what) {
  auto options = std::make_shared<show_options>();
  options->kind = kind;
  auto* group = app.add_subcommand(name, std::string{"Look at "} + what);
  group->require_subcommand(1);
  auto* sub = group->add_subcommand("show", std::string{"Show "} + what);
  sub->add_option("ID", options->id, "its id")->required();
  sub->add_option("--data", options->data, "data directory")->required();
  sub->add_flag("--history", options->history, "every event, in order");
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer(std::string{"Example:\n  purser "} + name +
              " show ID --data /tmp/shop --history\n"
              "Exit code: 0 shown, 1 there is none, 2 it could not be read.");
  sub->callback([&chosen, options] { chosen = [options] { return show(*options); }; });
}

} // namespace

void add_show(CLI::App& app, chosen_action& chosen) {
  add_one(app, chosen, "order", entity_kind::order, "an order");
  add_one(app, chosen, "stock", entity_kind::stock, "the stock of a SKU");
  add_one(app, chosen, "payment", entity_kind::payment, "the payment of an order");
  add_one(app, chosen, "reservation", entity_kind::reservation, "a reservation");
}

} // namespace purser::tools
