// A shell at work: an entity with messages runs in it (architecture.md, 3 and 5; entity_shell.hpp).
//
//   not in memory --a message--> recovering --loaded--> running <--messages--> asleep
//        ^                             \                  /                     |
//        |                   a throw anywhere: the shell ends, and              |
//        |                   the shard starts the next incarnation              |
//        +--------------------- not used for longest (D4) ----------------------+
//
// E1 A message is decided, evolved, appended; only then its effects go out. Evolving before
// appending
//    keeps an event that breaks an invariant out of the journal.
// E2 Nothing waits for the disk inside; what leaves the node is released by the journal
// (when_durable). E3 A command is known by its key: a repeat has no effect and is answered as the
// first was. E4 A client's command is answered when the workflow it began has settled. E5 An
// incarnation leaves memory only when it is idle, no step is open and its last event is durable.
#pragma once

#include "actors/entity_cell.hpp"
#include "actors/entity_shell.hpp"
#include "actors/incarnation.hpp"
#include "actors/node_context.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>
#include <optional>
#include <string>

namespace purser {

class entity_actor final : public caf::event_based_actor {
public:
  entity_actor(caf::actor_config& config, node_context& node, entity_shell_ptr shell);

  caf::behavior make_behavior() override;
  const char* name() const override { return "entity"; }
  void on_exit() override;

private:
  /// What became of an entity's turn.
  enum class turn : std::uint8_t {
    over,      ///< it is asleep, or waits for the journal: no longer ours
    unfinished ///< it has had its share, and there is more to do
  };

  void serve();
  turn serve_one();
  bool load();
  void recovered();
  turn drain();
  bool ask(const std::shared_ptr<journal_reply>& reply) const;
  bool handle(envelope& message);

  // The steps of handle, in order.
  void answer_query(const envelope& message);
  std::optional<bool> is_repeat(envelope& message);
  void repeat(envelope& message);
  void carry_out(envelope& message);
  void give_up(envelope& message);
  void keep_letter(const envelope& message, bool took_effect);

  void append(std::vector<event_record> events, const decide_context& context);
  void send_out(std::vector<effect> effects, unix_millis at);
  bool is_first_to_its_payment(const entity_ref& to);
  /// @returns false when the message waits for its workflow to settle.
  bool finish(envelope& message, rejection refused);
  void settle();
  void report_healed();
  void count_open_step();
  void fire_timer_if_due(const envelope& before);
  void set_timer();

  void answer_client(const envelope& message, rejection why);
  void crash_if_told(crash_point point, const envelope& message) const;
  decide_context context_of(const envelope& message);

  node_context& node_;
  entity_shell_ptr shell_;
  entity_cell_ptr cell_;                ///< null while it is idle
  incarnation* own_ = nullptr;          ///< the cell's
  std::size_t share_ = 0;               ///< messages that may still be handled in this turn
  std::optional<crash_point> crash_at_; ///< while handling the message in hand
};

} // namespace purser
