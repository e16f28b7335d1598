// A whole node without threads, for tests: the real aggregates, a journal that loses its newest
// events, messages in every order that the router allows, a provider of every mood, crashes of
// entities and of the process. The same seed does the same.
#pragma once

#include "actors/entity_image.hpp"
#include "actors/envelope.hpp"

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace purser::tests {

/// What the line to the provider is good for.
enum class provider_line : std::uint8_t {
  up,
  noisy, ///< calls take effect, and nothing definite comes back
  down,  ///< calls wait
};

/// Carries out each key once and says the same of it for ever. The token of an authorization says
/// how it behaves; `refused_captures` and the like say it of everything else.
///
/// tok_ok (and any other): approved. tok_decline. tok_timeout: no effect, no answer, ever.
/// tok_timeout_after: effect, the first answer never comes. tok_unknown: effect, and no definite
/// answer ever, until `confess`. tok_late: effect, definite from the third question on. tok_twice:
/// answered twice. tok_action: waits for `act`. tok_no_capture: authorized, captures are refused.
/// tok_expires: every other capture finds the authorization expired.
class moody_provider {
public:
  /// The answers to a call, in order: none, one or two. No answer stands for a deadline that
  /// passes.
  std::vector<payment_answer> submit(const payment_call& call, bool unsure);

  /// The customers of action_required payments do what they have to.
  void act() { acted_ = true; }
  void stop_acting() { acted_ = false; }
  /// What was unknown for ever is told from now on.
  void confess() { confessed_ = true; }

  /// Money that moved: the sum of an order's operations of a kind that took effect. What expired
  /// counts as voided.
  minor_units moved(const std::string& order_id, operation_kind kind) const;

private:
  struct record {
    payment_answer_kind outcome = payment_answer_kind::succeeded;
    int questions = 0;
  };
  payment_answer_kind outcome_of(const payment_call& call);
  minor_units open_authorization(const std::string& order_id) const;
  record& carry_out(const payment_call& call);

  std::map<std::string, record> records_; ///< by key
  std::map<std::pair<std::string, operation_kind>, minor_units> moved_;
  std::set<std::string> waiting_; ///< keys that wait for the customer
  std::set<std::string> renewed_; ///< orders with an expired authorization
  bool acted_ = false;
  bool confessed_ = false;
};

/// A client's command, and what it was answered.
struct client_command {
  envelope message;
  std::optional<rejection> answer; ///< none: accepted
};

/// Whether a command that was told "payment_unknown" is told more when it is repeated later.
bool may_become_definite(const command_body& body);

class simulated_node {
public:
  /// `unsure`: the provider hardly ever knows.
  explicit simulated_node(std::uint32_t seed, bool unsure = false, shop_policy policy = {});

  /// Like a client that repeats until it is acknowledged. The same command again is the one that
  /// was sent before; the same key with another body is a command of its own, to be refused (I2).
  /// @returns the command's number.
  std::size_t submit(entity_ref to, const std::string& key, command_body body);

  /// Any one thing that can happen next, crashes of entities and of the process too.
  void step();

  /// No more crashes; everything comes through, questions to the provider too, as long as they
  /// bring something new and the line is not down.
  void run_until_quiet();

  /// Business time moves on; what is due fires in order, each when all is quiet.
  void advance_to(unix_millis at);

  /// Business time moves on at once, while anything is under way; what is due fires.
  void jump_by(std::int64_t ms);

  /// Every command is sent again: the answers must be the same. Throws broken_invariant (I1) when
  /// one is not, now or at any other repeat; an answer that was unknown may become definite.
  void repeat_commands();

  /// The first message on its way that is like this is handled before all others, and is durable.
  /// @returns whether there is one.
  bool overtake(const std::function<bool(const envelope&)>& like);

  /// Any one call to the provider, if one waits; its answer is on its way.
  void reach_provider() { ask_provider(false); }

  /// From now on: `step` does as this seed does, and the line is good for this.
  void reseed(std::uint32_t seed) { random_.seed(seed); }
  void set_line(provider_line line) { line_ = line; }

  void crash_process();
  void crash_entity();

  unix_millis now() const { return now_ms_; }
  const client_command& command(std::size_t number) const { return commands_.at(number); }
  std::size_t commands() const { return commands_.size(); }
  const entity_image& at(const entity_ref& ref) { return image(ref); }
  const std::map<entity_ref, entity_image>& entities() const { return entities_; }
  moody_provider& provider() { return provider_; }
  /// Names of events, also of those that were lost.
  const std::set<std::string>& happened() const { return happened_; }
  const std::vector<recorded_event>& journal() const { return journal_; }
  std::size_t messages() const { return handled_; }
  std::size_t alarms() const { return alarms_; }

private:
  struct waiting_call {
    entity_ref payment;
    call_provider call;
    std::size_t after = 0; ///< events that must be durable first
  };

  std::size_t any_of(std::size_t size) { return random_() % size; }
  entity_image& image(const entity_ref& ref);
  void send(envelope message) { in_flight_.push_back(std::move(message)); }
  void sync();
  void deliver_one();
  void handle(const envelope& message);
  void handle_command(entity_image& target, const envelope& message);
  void answer(const envelope& message, rejection why);
  std::optional<command_log::entry> known(const entity_image& target, const std::string& key) const;
  void settle(const entity_ref& ref);
  void append(entity_image& target, const std::vector<event_record>& events);
  void carry_out(const entity_ref& from, std::vector<effect> effects);
  void ask_provider(bool unsure);
  void ask_provider(std::vector<waiting_call>::iterator picked, bool unsure);
  void rebuild(const entity_ref& ref);
  void resume(const entity_ref& ref);
  decide_context context_of(const envelope& message);
  bool fire_one(unix_millis at);

  std::mt19937 random_;
  bool unsure_; ///< until nothing crashes any more
  provider_line line_ = provider_line::up;
  shop_policy policy_;
  unix_millis now_ms_ = 1;
  std::int64_t monotonic_ms_ = 1;
  std::uint64_t attempts_ = 0;
  std::map<entity_ref, entity_image> entities_;
  std::vector<client_command> commands_;
  using command_id = std::tuple<entity_ref, std::string, std::uint64_t>; ///< key and fingerprint
  std::map<command_id, std::size_t> numbers_;                            ///< of commands
  std::map<entity_ref, std::vector<envelope>> awaiting_;
  struct held_answer {
    std::size_t command = 0;
    rejection why = rejection::none;
    std::size_t after = 0; ///< events that must be durable first
  };
  std::vector<held_answer> answers_;
  std::vector<envelope> in_flight_;
  std::vector<waiting_call> calls_;
  std::vector<recorded_event> journal_;
  std::vector<std::size_t> appends_; ///< where each append since the last crash ended
  std::size_t durable_ = 0;
  std::set<std::string> happened_;
  std::size_t handled_ = 0;
  std::size_t alarms_ = 0;
  moody_provider provider_;
};

} // namespace purser::tests
