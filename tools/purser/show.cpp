// `purser order|stock|payment|reservation|batch show ID`, `purser order explain ID`.
#include "config/json_reader.hpp"
#include "config/json_writer.hpp"
#include "runtime/inspect.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/event_line.hpp"
#include "tools/purser/explain.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <iostream>

namespace purser::tools {

namespace {

struct show_options {
  entity_kind kind = entity_kind::order;
  std::string id;
  std::string data;
  std::string at; ///< a version, or a time
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

/// As it is, or as it was. Throws config::json_error when `--at` is neither a version nor a time.
entity_view look(inspector& source, const show_options& options) {
  const entity_ref entity{options.kind, options.id};
  if (options.at.empty())
    return source.show(entity);
  if (options.at.find_first_not_of("0123456789") == std::string::npos)
    return source.show_at(entity, std::stoull(options.at.substr(0, 18)), std::nullopt);
  return source.show_at(entity, std::nullopt,
                        config::read_time(boost::json::value(options.at), {}));
}

int explain_order(const show_options& options) {
  const auto source = inspector::open(options.data);
  const entity_ref entity{entity_kind::order, options.id};
  const auto view = source->show(entity);
  const auto* order = std::get_if<order_view>(&view);
  if (order == nullptr) {
    complain(options.data + " has no " + to_string(entity));
    return exit_findings;
  }
  std::vector<event_notice> events;
  source->history(entity, [&](const event_notice& event) { events.push_back(event); });
  const auto why = explain(*order, events);
  if (options.json)
    std::cout << boost::json::serialize(config::to_json(why)) << '\n';
  else
    std::cout << to_text(options.id, why);
  return exit_ok;
}

int show(const show_options& options) {
  const auto source = inspector::open(options.data);
  const entity_ref entity{options.kind, options.id};
  boost::json::value view;
  try {
    view = view_json(look(*source, options));
  } catch (const config::json_error& error) {
    complain("--at \"" + options.at + "\" is neither a version nor a time: it " + error.what());
    return exit_could_not;
  }
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

void add_explain(CLI::App& group, chosen_action& chosen) {
  auto options = std::make_shared<show_options>();
  auto* sub =
    group.add_subcommand("explain", "What an order is waiting for, since when, and what comes");
  sub->add_option("ID", options->id, "its id")->required();
  sub->add_option("--data", options->data, "data directory")->required();
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer("Example:\n  purser order explain o-1 --data /tmp/shop\n"
              "Exit code: 0 explained, 1 there is none, 2 it could not be read.");
  sub->callback([&chosen, options] { chosen = [options] { return explain_order(*options); }; });
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
  sub->add_option("--at", options->at, "as it was: after its N-th event, or at a time (RFC 3339)");
  sub->add_flag("--history", options->history, "every event, in order, with what caused it");
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "no notes");
  sub->footer(std::string{"Example:\n  purser "} + name +
              " show ID --data /tmp/shop --history\n"
              "Exit code: 0 shown, 1 there is none, 2 it could not be read.");
  sub->callback([&chosen, options] { chosen = [options] { return show(*options); }; });
  if (kind == entity_kind::order)
    add_explain(*group, chosen);
}

} // namespace

void add_show(CLI::App& app, chosen_action& chosen) {
  add_one(app, chosen, "order", entity_kind::order, "an order");
  add_one(app, chosen, "stock", entity_kind::stock, "the stock of a SKU");
  add_one(app, chosen, "payment", entity_kind::payment, "the payment of an order");
  add_one(app, chosen, "reservation", entity_kind::reservation, "a reservation");
  add_one(app, chosen, "batch", entity_kind::batch, "a batch of receipts");
}

} // namespace purser::tools
