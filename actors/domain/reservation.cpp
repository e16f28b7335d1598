#include "actors/domain/reservation.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace purser {

namespace {

using status = reservation_status;

constexpr std::array<std::pair<status, status>, 17> moves{{
  {status::holding, status::backordered},
  {status::held, status::backordered},
  {status::backordered, status::holding},
  {status::backordered, status::canceled},
  {status::backordered, status::releasing},
  {status::holding, status::held},
  {status::holding, status::rejected},
  {status::held, status::committing},
  {status::held, status::releasing},
  {status::held, status::expired},
  {status::committing, status::committed},
  {status::committing, status::expired},
  {status::committed, status::shipping},
  {status::committed, status::releasing},
  {status::shipping, status::shipped},
  {status::releasing, status::released},
  {status::absent, status::holding},
}};

bool may_move(status from, status to) {
  return std::find(moves.begin(), moves.end(), std::pair{from, to}) != moves.end();
}

constexpr std::int64_t ms_per_second = 1'000;

class reservation_rules {
public:
  reservation_rules(const reservation& current, reservation_progress& progress,
                    const decide_context& context)
      : current_(current), progress_(progress), context_(context) {}

  decision<reservation_event> take() && { return std::move(made_); }

  void on(const command_body& body) {
    if (const auto* reserve = std::get_if<reserve_stock>(&body))
      return on_reserve(*reserve);
    if (current_.status == status::held && current_.expires_at <= context_.now) {
      move_to(status::expired); // R1, should the timer be late
      return refuse(rejection::reservation_expired);
    }
    if (std::holds_alternative<commit_reservation>(body))
      return on_commit();
    if (std::holds_alternative<release_reservation>(body))
      return on_release();
    if (std::holds_alternative<ship_reservation>(body))
      return on_ship();
    throw broken_invariant("a reservation was sent " + std::string{op_of(body)});
  }

  void on(const stock_reply& reply) {
    if (!progress_.stock.note(reply))
      return;
    if (progress_.letting_go)
      return fail();
    if (progress_.stock.refused() == rejection::none && !progress_.lost)
      return reach();
    if (current_.status == status::committing) // a hold lapsed under way: nothing stays committed
      progress_.stock = stock_fanout::ask({stock_step::release}, everything_of(current_.lines),
                                          made_.effects, context_.attempt);
    else
      progress_.stock =
        std::move(progress_.stock).release_granted(made_.effects, context_.attempt, current_.waits);
    progress_.letting_go = true;
    if (progress_.stock.done())
      fail();
  }

  void on(const hold_lost& notice) {
    switch (current_.status) {
    case status::holding: progress_.lost |= !notice.again; return;
    case status::held: return lose();
    default: return; // committing finds out; all else holds nothing that can be lost
    }
  }

  void on(const offer_units& offer) {
    switch (current_.status) {
    case status::backordered: return try_again();
    case status::holding: progress_.offered = true; return;
    default: leave_queue_of(offer.sku, current_.status == status::held);
    }
  }

  void on(const timer_due&) {
    if (current_.expires_at > context_.now)
      return;
    if (current_.status == status::held)
      move_to(status::expired); // R1
    if (current_.status != status::backordered)
      return;
    for (const auto& demand : everything_of(current_.lines))
      leave_queue_of(demand.sku, false);
    move_to(status::canceled);
  }

  void on(const resume_step&) {
    switch (current_.status) {
    case status::holding: return ask_holds();
    case status::committing: return ask(stock_step::commit);
    case status::releasing: return ask(stock_step::release);
    case status::shipping: return ask(stock_step::ship);
    case status::absent:
    case status::held:
    case status::committed:
    case status::released:
    case status::shipped:
    case status::rejected:
    case status::backordered:
    case status::canceled:
    case status::expired: return;
    }
  }

  void on(const undeliverable&) {} // the step stays open and is taken up at the next restart

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("a reservation was sent a message that is not for reservations");
  }

private:
  void on_reserve(const reserve_stock& request) {
    if (current_.status != status::absent)
      return refuse(rejection::id_reused);
    const auto expires_at = context_.now + request.ttl_seconds * ms_per_second;
    made_.events.emplace_back(reservation_requested{request.lines, {expires_at}});
    progress_ = {};
    progress_.stock = stock_fanout::ask({stock_step::hold, expires_at}, demands_of(request.lines),
                                        made_.effects, context_.attempt);
  }

  void on_commit() {
    switch (current_.status) {
    case status::held: return move_and_ask(status::committing, stock_step::commit);
    case status::committing:
    case status::committed:
    case status::shipping:
    case status::shipped: return; // already so
    case status::holding:
      return refuse(current_.waits ? rejection::out_of_stock : rejection::reservation_unknown);
    case status::backordered: return refuse(rejection::out_of_stock);
    default: return refuse_resolved();
    }
  }

  void on_release() {
    switch (current_.status) {
    case status::backordered:
    case status::held:
    case status::committed: return move_and_ask(status::releasing, stock_step::release);
    case status::releasing:
    case status::released: return; // already so
    case status::holding:
    case status::committing: return refuse(rejection::reservation_unknown);
    default: return refuse_resolved();
    }
  }

  void on_ship() {
    switch (current_.status) {
    case status::committed: return move_and_ask(status::shipping, stock_step::ship);
    case status::shipping:
    case status::shipped: return; // already so
    case status::held:
    case status::holding:
    case status::backordered:
    case status::committing: return refuse(rejection::reservation_not_committed);
    default: return refuse_resolved();
    }
  }

  void refuse_resolved() {
    refuse(current_.status == status::absent    ? rejection::reservation_unknown
           : current_.status == status::expired ? rejection::reservation_expired
                                                : rejection::reservation_resolved);
  }

  void move_and_ask(status to, stock_step step) {
    move_to(to);
    ask(step);
  }

  void ask(stock_step step) {
    progress_ = {};
    progress_.stock =
      stock_fanout::ask({step}, everything_of(current_.lines), made_.effects, context_.attempt);
  }

  void ask_holds() {
    progress_ = {};
    progress_.stock = stock_fanout::ask(
      {.step = stock_step::hold, .expires_at = current_.expires_at, .queue = current_.waits},
      demands_of(current_.lines), made_.effects, context_.attempt);
  }

  // -- The queue (R2) -----------------------------------------------------------------------------

  /// All or nothing: what is left of it goes back on sale, and the queues are asked at once.
  void lose() {
    move_to(status::backordered);
    for (const auto& demand : everything_of(current_.lines))
      made_.effects.emplace_back(send_message{
        {entity_kind::stock, demand.sku}, release_units{{}, context_.attempt, true}, {}});
    try_again();
  }

  void leave_queue_of(const std::string& sku, bool holds) {
    made_.effects.emplace_back(send_message{{entity_kind::stock, sku}, leave_queue{holds}, {}});
  }

  void try_again() {
    move_to(status::holding);
    progress_ = {};
    progress_.stock = stock_fanout::ask(
      {.step = stock_step::hold, .expires_at = current_.expires_at, .queue = true},
      demands_of(current_.lines), made_.effects, context_.attempt + 1);
  }

  // -- The end of a step --------------------------------------------------------------------------

  void reach() {
    const auto to = reached();
    move_to(to);
    if (to != status::held || !current_.waits)
      return;
    for (const auto& demand : everything_of(current_.lines)) // it holds: the places are not needed
      leave_queue_of(demand.sku, true);
  }

  void fail() {
    if (current_.status == status::committing)
      return move_to(status::expired);
    if (!current_.waits)
      return move_to(status::rejected);
    const bool offered = progress_.offered;
    move_to(status::backordered);
    if (offered)
      try_again();
  }

  status reached() const {
    switch (current_.status) {
    case status::holding: return status::held;
    case status::committing: return status::committed;
    case status::releasing: return status::released;
    case status::shipping: return status::shipped;
    default: throw broken_invariant("stock answered a reservation that asked nothing");
    }
  }

  void move_to(status to) { made_.events.emplace_back(reservation_moved{to}); }
  void refuse(rejection why) { made_.refused = why; }

  const reservation& current_;
  reservation_progress& progress_;
  const decide_context& context_;
  decision<reservation_event> made_;
};

struct reservation_evolution {
  reservation& current;

  void operator()(const reservation_requested& event) const {
    move(status::holding);
    current.lines = event.lines;
    current.expires_at = event.expires_at.ms;
  }
  void operator()(const reservation_moved& event) const { move(event.to); }

  void move(status to) const {
    if (!may_move(current.status, to))
      throw broken_invariant("a reservation cannot move from " +
                             std::to_string(static_cast<int>(current.status)) + " to " +
                             std::to_string(static_cast<int>(to)));
    if (to == status::backordered)
      current.waits = true;
    current.status = to;
  }
};

} // namespace

bool has_open_step(const reservation& current) {
  switch (current.status) {
  case status::holding:
  case status::committing:
  case status::releasing:
  case status::shipping: return true;
  default: return false;
  }
}

std::optional<unix_millis> due(const reservation& current) {
  const bool waits = current.status == status::held || current.status == status::backordered;
  return waits ? std::optional{current.expires_at} : std::nullopt;
}

std::span<const std::pair<reservation_status, reservation_status>> reservation_moves() {
  return moves;
}

decision<reservation_event> decide(const reservation& current, reservation_progress& progress,
                                   const message_body& request, const decide_context& context) {
  reservation_rules rules{current, progress, context};
  std::visit([&rules](const auto& body) { rules.on(body); }, request);
  return std::move(rules).take();
}

void evolve(reservation& current, const reservation_event& event) {
  std::visit(reservation_evolution{current}, event);
}

} // namespace purser
