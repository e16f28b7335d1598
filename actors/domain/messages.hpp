// What aggregates say to each other: one-way messages, and the effects that a decision asks for.
// Effects are data; the shell carries them out.
#pragma once

#include "actors/domain/commands.hpp"
#include "actors/domain/entity_ref.hpp"
#include "actors/domain/payment_call.hpp"
#include "actors/domain/rejection.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace purser {

/// Units at one location of a SKU.
struct location_units {
  std::string location;
  std::int64_t quantity = 0;

  friend bool operator==(const location_units&, const location_units&) = default;
};
BOOST_DESCRIBE_STRUCT(location_units, (), (location, quantity))

// -- To stock -------------------------------------------------------------------------------------
// Each is answered with a stock_reply. All are idempotent. `attempt` tells which asking a reply is
// to: an entity that crashed asks anew, and a reply to its former self may be out of date.

struct book_receipt {
  location_units units;
};
struct book_adjustment {
  location_units units; ///< the quantity is signed
  bool force = false;   ///< also below what is promised (K10)
};
/// What arrived of one SKU in a batch: all of it or nothing is booked.
struct book_batch {
  std::vector<location_units> items; ///< one per location, summed
  std::uint64_t attempt = 0;
};
/// Sets units aside for the sender, all or none (K6, K7).
struct hold_units {
  std::vector<location_units> items; ///< one per location, summed
  unix_millis expires_at = 0;        ///< 0: never
  std::uint64_t attempt = 0;
  bool queue = false; ///< when they are short the sender gets a place in the queue
};
struct commit_units {
  std::uint64_t attempt = 0;
};
/// Units of the sender's reservation go back on sale. `items` are how many are released at each
/// location in all, this release and earlier ones: so a repeat changes nothing. Empty: all that is
/// left, and the place in the queue.
struct release_units {
  std::vector<location_units> items;
  std::uint64_t attempt = 0;
  bool undo = false; ///< of an attempt that failed elsewhere: the sender keeps its place
};
/// Committed units leave. `items` count as those of release_units.
struct ship_units {
  std::vector<location_units> items;
  std::uint64_t attempt = 0;
};
/// Units that had left come back on sale. Its key makes it happen once.
struct restock_units {
  std::vector<location_units> items;
  std::uint64_t attempt = 0;
};

/// The sender needs its place in the queue no more. Not answered.
struct leave_queue {
  bool holds = false; ///< because it holds, as it believes: not so if its hold was just taken
};

enum class stock_step : std::uint8_t { book = 1, hold, commit, release, ship, restock };

struct stock_reply {
  stock_step step = stock_step::book;
  std::string sku;
  rejection refused = rejection::none;
  std::uint64_t attempt = 0;
};

/// Units that the receiver has a place in the queue for are set aside for it, until it holds them,
/// undoes that, or leaves the queue.
struct offer_units {
  std::string sku;
};
/// A forced adjustment took the receiver's hold (K10): it is in the queue again.
struct hold_lost {
  std::string sku;
  bool again = false; ///< told before a restart: news only to those who believe that they hold
};

// -- To and from payments -------------------------------------------------------------------------

struct authorize_payment {
  minor_units amount = 0;
  std::string currency;
  std::string method;
  std::string token;
  std::uint32_t series = 1; ///< a new one is a new attempt, after a decline
};
/// What an authorization's replies are named after: those of an earlier attempt may come late.
inline std::string series_name(std::uint32_t series) {
  return "series-" + std::to_string(series);
}
/// The same, authorized and captured in one call of the provider. The replies are those of an
/// authorization, but `captured`; whoever asks for the capture all the same is told that it is
/// done.
struct charge_payment {
  minor_units amount = 0;
  std::string currency;
  std::string method;
  std::string token;
  std::uint32_t series = 1; ///< as of authorize_payment
};
/// Takes a part of the authorized amount. `request` names it for ever: asked again, it is answered
/// as before.
struct capture_payment {
  std::string request;
  minor_units amount = 0;
};
/// Gives a part of the captured amount back.
struct refund_payment {
  std::string request;
  minor_units amount = 0;
};
/// Lets go of what is authorized and not captured.
struct void_rest {};
/// Makes the customer's balance zero: voids what is authorized, refunds what is captured.
struct reverse_payment {};
/// The order's deadline has passed: an authorization that the provider has not seen is given up.
struct expire_authorization {};
/// An operator says what became of the operation whose outcome is unknown.
struct settle_payment {
  payment_finding finding = payment_finding::captured;
  std::string note;
};
/// What the provider said to one operation.
struct provider_reply {
  std::string operation_id;
  bool asked = false;     ///< the answer to a question, not to the operation itself
  bool abandoned = false; ///< the question was a void under the operation's own key
  payment_answer answer;
};

enum class payment_outcome : std::uint8_t {
  authorized = 1,
  authorization_refused,
  captured,
  capture_refused,
  reversed,
  reversal_refused, ///< a void or a refund: for people to settle
  refunded,
  refund_refused,
  voided,
  void_refused,
  unknown,
  action_required, ///< the customer has to do something
  refunding,       ///< of a reversal: what was captured is on its way back (C2)
};

/// To the order, whenever an operation ends or is asked for again.
struct payment_reply {
  payment_outcome outcome = payment_outcome::unknown;
  std::string reason;
  std::string request; ///< of a capture or a refund; of an authorization or a sale its series_name
  bool stuck = false;  ///< another operation still needs people: an order stays parked
};

// -- All of them ----------------------------------------------------------------------------------

/// To one's own shell: the open step is to be taken up again.
struct resume_step {};

/// To an entity whose `due` has come (C8): what that means is for its state to say.
struct timer_due {};

/// In place of an answer: the message to `from` was given up (B3) or `from` is quarantined (B5).
/// Without a `from`: an answer came, and was given up.
struct undeliverable {
  rejection why = rejection::dead_lettered;
};

using message_body =
  std::variant<command_body, book_receipt, book_adjustment, hold_units, commit_units, release_units,
               ship_units, restock_units, stock_reply, authorize_payment, capture_payment,
               refund_payment, void_rest, reverse_payment, settle_payment, provider_reply,
               payment_reply, resume_step, undeliverable, leave_queue, offer_units, hold_lost,
               expire_authorization, timer_due, charge_payment, book_batch>;

/// A short name for logs.
std::string_view name_of(const message_body& body);

// -- Effects --------------------------------------------------------------------------------------

/// To another entity of this node: does not wait for the disk.
struct send_message {
  entity_ref to;
  message_body body;
  std::string key; ///< makes it idempotent for ever at the receiver; may be empty
};

/// To the payment provider: leaves the node, so it waits for the disk.
struct call_provider {
  payment_call call;
  std::string operation_id;
  std::int64_t delay_ms = 0;
  bool withdraw = false; ///< no call: what still waits to be made under this key is not made
};

/// For people: something that needs a look. It leaves the node, so it waits for the disk.
struct raise_alarm {
  std::string text; ///< begins with what happened, as an identifier: "stock_oversold sku=..."
};

using effect = std::variant<send_message, call_provider, raise_alarm>;

/// What an aggregate makes of a message.
template <class Event>
struct decision {
  std::vector<Event> events;
  std::vector<effect> effects;
  rejection refused = rejection::none; ///< for a client's command
};

/// What a decision may know besides the state and the message.
struct decide_context {
  entity_ref self;
  entity_ref from;               ///< the sender, when it is an entity
  unix_millis now = 0;           ///< business time
  std::int64_t monotonic_ms = 0; ///< for waits within one life of the process
  std::uint64_t attempt = 0;     ///< this number and the next thousands belong to this decision
};

} // namespace purser
