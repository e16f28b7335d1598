// The real aggregates (simulated_node) and a naive model of the same rules (naive_shop) under the
// same moves. What is not tried, because messages may pass each other and either outcome is right:
//
// - who gets units that came free at several SKUs at once, when the queues disagree, or of several
//   orders in the same millisecond: the model is run with several whims, and the move is left out
//   when they differ;
// - whether a void under an authorization's own key comes before the authorization that waited for
//   the line, with a provider that would never tell (naive_shop::raced);
// - crashes between an operator's wrong finding and the provider's late success: the question that
//   would bring it is forgotten with the process, and then the ledger differs (M9).
#pragma once

#include "tests/actors/naive_shop.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace purser::tests {

enum class move_kind : std::uint8_t {
  command,
  place_and_cancel,    ///< the cancel comes while the holds are being asked for
  commit_after_expiry, ///< the hold lapses while the commit is on its way to stock
  advance,
  line_up,
  line_noisy,
  line_down,
  act,
  stop_acting,
  confess,
};
BOOST_DESCRIBE_ENUM(move_kind, command, place_and_cancel, commit_after_expiry, advance, line_up,
                    line_noisy, line_down, act, stop_acting, confess)

struct move {
  move_kind what = move_kind::command;
  entity_ref to;
  std::string key;
  command_body body;
  std::int64_t ms = 0;    ///< of advance
  int steps = 0;          ///< at random, with crashes, before all goes quiet
  std::uint32_t seed = 0; ///< of those
};

/// Like a line of JSON.
std::string in_words(const move& made);

/// What differs; thrown where it is found.
struct difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The real aggregates and the model, under the same moves.
class duel {
public:
  explicit duel(std::uint32_t seed, bool unsure) : node_(seed, unsure) {}

  /// @returns false when the outcome would depend on a race: then nothing happened.
  bool make(const move& wanted);

  /// Everything comes to rest, and every command is repeated.
  void end();

  const naive_shop& model() const { return model_; }
  simulated_node& node() { return node_; }
  const std::set<rejection>& rejections() const { return rejections_; }

private:
  static void play(naive_shop& shop, const move& wanted);
  void play(const move& wanted);
  void submit_first(const entity_ref& to, const std::string& key, const command_body& body);
  bool can_expire_alone(const entity_ref& reservation) const;

  void compare();
  void compare(const std::string& id, const naive_order& order);
  void compare_money(const std::string& id, const naive_order& order);
  void compare(const std::string& name, const naive_sku& sku);
  void compare_answer(std::size_t number);

  simulated_node node_;
  naive_shop model_;
  std::set<rejection> rejections_;
};

} // namespace purser::tests
