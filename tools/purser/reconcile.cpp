// `purser reconcile`: our ledger against the provider's list (domain.md, M9).
#include "config/json_writer.hpp"
#include "runtime/inspect.hpp"
#include "runtime/json/provider_list.hpp"
#include "tools/purser/commands.hpp"
#include "tools/purser/terminal.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <iostream>
#include <map>

namespace purser::tools {

namespace {

struct reconcile_options {
  std::string list;
  std::string data;
  bool json = false;
  bool quiet = false;
};

/// What two ledgers say differently of one operation.
struct ledger_difference {
  std::string key;
  std::string what;
};
BOOST_DESCRIBE_STRUCT(ledger_difference, (), (key, what))

struct reconciliation {
  std::uint64_t operations = 0; ///< of ours, that took effect
  std::uint64_t listed = 0;     ///< of the provider's, that took effect
  std::uint64_t matching = 0;
  std::uint64_t open = 0; ///< of ours, whose outcome we do not know
  std::vector<ledger_difference> differences;
};
BOOST_DESCRIBE_STRUCT(reconciliation, (), (operations, listed, matching, open, differences))

class reconciler {
public:
  explicit reconciler(const std::vector<provider_entry>& list) {
    for (const auto& entry : list)
      if (entry.status == provider_status::succeeded) {
        ++result_.listed;
        if (!theirs_.emplace(entry.key, entry).second)
          differ(entry.key, "the provider lists it twice");
      }
  }

  void add(const payment_view& payment) {
    for (const auto& operation : payment.operations) {
      const auto key = payment.order_id + ":" + operation.operation_id;
      const auto found = theirs_.find(key);
      const bool done = operation.status == operation_status::succeeded;
      if (done)
        ++result_.operations;
      else if (operation.status != operation_status::refused)
        ++result_.open;
      if (found == theirs_.end()) {
        if (done)
          differ(key, "we count " + text(operation.amount, payment.currency) +
                        ", the provider does not list it");
        continue;
      }
      compare(key, found->second, operation, payment.currency);
      theirs_.erase(found);
    }
  }

  reconciliation finish() && {
    for (const auto& [key, entry] : theirs_)
      differ(key, "the provider lists " + text(entry.amount, entry.currency) + " (" +
                    boost::describe::enum_to_string(entry.kind, "?") + " of order " +
                    entry.order_id + "), we know nothing of it");
    return std::move(result_);
  }

private:
  static std::string text(minor_units sum, const std::string& currency) {
    return std::to_string(sum) + " " + currency;
  }

  void compare(const std::string& key, const provider_entry& theirs, const operation_view& ours,
               const std::string& currency) {
    if (ours.status != operation_status::succeeded)
      return differ(key, "the provider carried it out, we have it as " +
                           std::string{boost::describe::enum_to_string(ours.status, "?")});
    if (theirs.kind != ours.kind)
      return differ(key, std::string{"the provider has it as "} +
                           boost::describe::enum_to_string(theirs.kind, "?"));
    if (theirs.amount != ours.amount || theirs.currency != currency)
      return differ(key, "we count " + text(ours.amount, currency) + ", the provider " +
                           text(theirs.amount, theirs.currency));
    ++result_.matching;
  }

  void differ(std::string key, std::string what) {
    result_.differences.push_back({std::move(key), std::move(what)});
  }

  std::map<std::string, provider_entry> theirs_;
  reconciliation result_;
};

int reconcile(const reconcile_options& options) {
  if (!std::filesystem::exists(options.list))
    throw std::runtime_error(options.list + " does not exist");
  reconciler books{read_provider_list(options.list)};
  inspector::open(options.data)->for_each([&](const entity_view& view) {
    if (const auto* payment = std::get_if<payment_view>(&view))
      books.add(*payment);
  });
  const auto result = std::move(books).finish();
  if (options.json) {
    std::cout << boost::json::serialize(config::to_json(result)) << '\n';
  } else {
    for (const auto& difference : result.differences)
      std::cout << difference.key << ": " << difference.what << '\n';
    const auto count = [](std::uint64_t value) {
      return grouped(static_cast<std::int64_t>(value));
    };
    table out;
    out.heading("reconciliation");
    out.row("our operations", count(result.operations));
    out.row("the provider's", count(result.listed));
    out.row("matching", count(result.matching));
    out.row("of unknown outcome", count(result.open));
    out.row("differences", count(result.differences.size()));
    if (!options.quiet)
      std::cout << out.text();
  }
  return result.differences.empty() ? exit_ok : exit_findings;
}

} // namespace

void add_reconcile(CLI::App& app, chosen_action& chosen) {
  auto options = std::make_shared<reconcile_options>();
  auto* sub = app.add_subcommand(
    "reconcile", "Compare every payment operation with the provider's list; nothing is changed");
  sub->add_option("LIST", options->list, "the provider's operations, as JSON Lines")->required();
  sub->add_option("--data", options->data, "data directory")->required();
  sub->add_flag("--json", options->json, "print one JSON document");
  sub->add_flag("--quiet", options->quiet, "only the differences");
  sub->footer("Example:\n  purser reconcile provider.jsonl --data /tmp/shop\n"
              "The format: docs/formats/provider_list.md.\n"
              "Exit code: 0 the books agree, 1 they do not, 2 they could not be read.");
  sub->callback([&chosen, options] { chosen = [options] { return reconcile(*options); }; });
}

} // namespace purser::tools
