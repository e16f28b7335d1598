// The shop as one would write it down in an afternoon: maps, and each command carried out to its
// end in one function. No messages, no events, no crashes, nothing is ever asked twice. What it
// says is what domain.md says; the real aggregates must come to the same.
//
// A payment operation is asked for together with what to do once it has a definite outcome. Mostly
// that is at once. While the provider does not tell, it waits in `operations`.
//
// Where domain.md leaves an outcome to the order in which messages pass each other, the model has a
// `whim` for each order; a command whose outcome depends on it is not tested (see `raced` too).
#pragma once

#include "actors/domain/policies.hpp"
#include "actors/domain/rejection.hpp"
#include "actors/domain/reservation.hpp"
#include "tests/actors/simulated_node.hpp"

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace purser::tests {

using units_by_location = std::map<std::string, std::int64_t>;
using units_by_sku = std::map<std::string, units_by_location>;

struct naive_hold {
  entity_ref owner;
  units_by_location units;
  bool committed = false;
};

struct naive_place {
  entity_ref owner;
  units_by_location units;
  bool live = true; ///< Q3
};

struct naive_sku {
  units_by_location on_hand;
  std::vector<naive_hold> holds;     ///< oldest first
  std::vector<naive_place> queue;    ///< by arrival
  std::optional<entity_ref> offered; ///< Q2
};

struct naive_line {
  order_line wanted;
  std::int64_t canceled = 0, shipped = 0, returned = 0, shipping = 0;
  minor_units captured = 0, refunded = 0;
};

/// One side's idea of the money: ours or the provider's.
struct naive_purse {
  minor_units open = 0; ///< authorized, and neither captured, voided nor expired
  minor_units captured = 0;
  minor_units refunded = 0;

  friend bool operator==(const naive_purse&, const naive_purse&) = default;
};

struct naive_order {
  order_status phase = order_status::absent;
  bool on_hold = false, declined = false, action_required = false, lost = false;
  bool overdue = false, parked = false;
  bool reversing = false, released = false;
  bool ran_out = false; ///< its authorization, once
  std::string reason, hold_reason, token;
  unix_millis pay_by = 0, wait_until = 0, close_at = 0;
  place_order wanted;
  std::vector<naive_line> lines;
  minor_units total = 0, captured = 0, refunded = 0;
  naive_purse ours, theirs;
  std::vector<std::pair<std::string, bool>> shipments; ///< and whether it was delivered
  std::vector<std::string> tasks;                      ///< under way: "ship/7", "return/8"...
  std::set<std::string> refused;                       ///< of those
  int cancellations = 0;
};

struct naive_reservation {
  reservation_status status = reservation_status::absent;
  std::vector<reservation_line> lines;
  unix_millis expires_at = 0;
};

class naive_shop;

struct naive_operation {
  std::string order;
  operation_kind kind = operation_kind::authorize;
  minor_units amount = 0;
  std::string task;                            ///< of a refund: goodwill ("refund/...") or not
  std::function<void(naive_shop&, bool)> then; ///< what its outcome leads to
  std::optional<payment_answer_kind> effect;   ///< at the provider
  bool abandoned = false;                      ///< if it has not taken effect it never will
  bool given_up = false;                       ///< an operator said that it came to nothing
  bool unknown = false, needs_action = false;
  int failures = 0;   ///< of a compensation, before this try
  bool asked = false; ///< in this run
};

class naive_shop {
public:
  /// The order of things that pass each other.
  struct whim {
    bool last_sku_first = false;
    bool offers_first = false; ///< every SKU offers before anybody takes
    bool money_first = false;
    bool first_id_first = false; ///< of orders that are due in the same millisecond
  };

  explicit naive_shop(const shop_policy& policy = {}) : policy_(policy.orders) {}

  /// @returns the answer; nothing while it waits.
  std::optional<rejection> submit(const entity_ref& to, const std::string& key,
                                  const command_body& body);
  /// The answer to a command that was submitted.
  std::optional<rejection> answer(const entity_ref& to, const std::string& key,
                                  const command_body& body) const;

  void advance_to(unix_millis at);
  void set_line(provider_line line);
  void act(bool acted);
  void confess();

  order_status status_of(const naive_order& order) const;
  std::string reason_of(const naive_order& order) const;
  std::int64_t left_of(const naive_line& line) const;
  units_by_location reserved(const std::string& sku, bool committed) const;
  std::int64_t available(const std::string& sku, const std::string& location) const;
  const naive_operation* unknown_operation(const std::string& order) const;
  bool has_backorders() const;
  /// The next deadline but that of a reservation.
  std::optional<unix_millis> next_due(const std::string& reservation) const;

  /// All of it, for people and comparisons.
  std::string described() const;

  std::map<std::string, naive_sku> skus;
  std::map<std::string, naive_order> orders;
  std::map<std::string, naive_reservation> reservations;
  std::list<naive_operation> operations; ///< without a definite outcome
  unix_millis now = 1;
  provider_line wire = provider_line::up;
  bool acted = false, confessed = false;
  bool stock_is_slow = false; ///< orders that are placed now do not get to hold anything yet
  whim mood;
  bool raced = false; ///< the outcome would depend on which of two calls the provider sees first

private:
  struct noted {
    std::string bytes;
    command_body body;
    rejection refused = rejection::none;
  };

  // -- Commands -----------------------------------------------------------------------------------
  rejection on(const std::string& id, const receive_stock& command);
  rejection on(const std::string& id, const receive_batch& command);
  rejection on(const std::string& id, const adjust_stock& command);
  rejection on(const std::string& id, const reserve_stock& command);
  rejection on(const std::string& id, const commit_reservation& command);
  rejection on(const std::string& id, const release_reservation& command);
  rejection on(const std::string& id, const ship_reservation& command);
  rejection on(const std::string& id, const place_order& command);
  rejection on(const std::string& id, const cancel_order& command);
  rejection on(const std::string& id, const ship_order& command);
  rejection on(const std::string& id, const deliver_order& command);
  rejection on(const std::string& id, const return_order& command);
  rejection on(const std::string& id, const hold_order& command);
  rejection on(const std::string& id, const resume_order& command);
  rejection on(const std::string& id, const resolve_order& command);
  rejection on(const std::string& id, const grant_refund& command);
  rejection on(const std::string& id, const retry_payment& command);
  rejection over_for(const naive_order& order) const;
  std::vector<line_quantity> all_left(const naive_order& order) const;
  rejection cannot_take(naive_order& order, const std::vector<line_quantity>& parts) const;
  void cancel_units(const std::string& id, const std::vector<line_quantity>& parts);
  std::optional<rejection> verdict(const entity_ref& to, const noted& command) const;

  // -- Orders -------------------------------------------------------------------------------------
  void reserve(const std::string& id);
  void pay(const std::string& id);
  void commit(const std::string& id);
  void confirm(const std::string& id);
  void ship(const std::string& id, const std::string& shipment,
            const std::vector<line_quantity>& parts, minor_units price);
  void cancel(const std::string& id, const std::string& reason);
  void reverse(const std::string& id);
  void lose_hold(const std::string& id);
  void end_task(const std::string& id, const std::string& task);
  void deadline(const std::string& id);
  bool is_open(const naive_order& order) const;
  std::optional<unix_millis> due(const naive_order& order) const;
  minor_units refund_units(naive_line& line, std::int64_t units) const;
  naive_line* find_line(naive_order& order, const std::string& line_id) const;

  // -- Money --------------------------------------------------------------------------------------
  void ask(const std::string& id, operation_kind kind, minor_units amount, const std::string& task,
           std::function<void(naive_shop&, bool)> then);
  void capture(const std::string& id, minor_units amount,
               std::function<void(naive_shop&, bool)> then);
  void renew(const std::string& id, minor_units lost, minor_units amount,
             std::function<void(naive_shop&, bool)> then);
  void refund(const std::string& id, minor_units amount, const std::string& task);
  payment_answer_kind contact(naive_operation& operation);
  payment_answer_kind take_effect(const naive_operation& operation);
  void finish(naive_operation operation, payment_answer_kind how);
  void finish_late(const naive_operation& operation);
  bool ask_provider();

  // -- Stock --------------------------------------------------------------------------------------
  bool hold(const entity_ref& owner, const units_by_sku& wanted, bool queue);
  void pass(const entity_ref& owner, const units_by_sku& wanted);
  void release(const entity_ref& owner);
  void take_out(const entity_ref& owner, const order_line& line, std::int64_t units);
  bool fits(const std::string& sku, const units_by_location& units, const entity_ref& taker) const;
  bool offer(const std::string& sku);
  bool take_offer(naive_sku& sku);
  bool serve_queues();
  void try_again(const std::string& reservation);

  /// Until nothing goes on by itself.
  void run();

  order_policy policy_;
  std::map<std::pair<entity_ref, std::string>, noted> commands_;
};

// -- What the parts of the model share ------------------------------------------------------------

inline entity_ref order_ref(const std::string& id) {
  return {entity_kind::order, id};
}

/// Whether a task of this kind ("ship/") is under way.
bool has_task(const naive_order& order, const std::string& prefix);

/// M7
minor_units share(const order_line& line, std::int64_t already, std::int64_t units);

/// K6
template <class Lines>
units_by_sku sum_of(const Lines& lines) {
  units_by_sku sums;
  for (const auto& line : lines)
    sums[line.sku][line.location] += line.quantity;
  return sums;
}

} // namespace purser::tests
