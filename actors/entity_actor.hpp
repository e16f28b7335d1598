// The shell of every entity: one incarnation, from its rebuilding out of the journal to its end
// (architecture.md, 3 and 5). A shell whose entity has left memory serves another one.
//
//   idle --wake--> recovering --loaded--> running --passivate--> idle (its entity is rebuilt when a
//                       \                    /                         message comes)
//                        a throw anywhere: crashed; the shard starts the next incarnation
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
#include "actors/entity_image.hpp"
#include "actors/entity_shell.hpp"
#include "actors/node_context.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>
#include <mutex>
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
  /// What the journal answers, on whatever thread; taken up on ours.
  struct journal_reply;

  void work();
  bool take_over();
  void load();
  void recovered();
  void drain();
  void handle(envelope& message);

  // The steps of handle, in order.
  void answer_query(const envelope& message);
  bool is_repeat(envelope& message); // may leave waiting_ set: ask again later
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
  void passivate();

  void answer_client(const envelope& message, rejection why);
  void crash_if_told(crash_point point, const envelope& message) const;
  decide_context context_of(const envelope& message);

  /// What there is of an entity in memory beside its cell.
  struct incarnation {
    incarnation(const entity_ref& ref, node_context& node);

    entity_image image;
    std::uint64_t attempts; ///< the number of the last decision
    position last_position = 0;
    bool started = false; ///< it is being loaded, or is
    bool waiting = true;  ///< for the journal
    bool was_absent = false; ///< it had no history: what it has done, it has done in here
    bool told_payment = false;
    std::shared_ptr<journal_reply> reply;
    std::optional<command_outcome> found; ///< what the index said about the message in hand
    bool asked_index = false;
    std::optional<crash_point> crash_at; ///< while handling the message in hand
  };

  node_context& node_;
  entity_shell_ptr shell_;
  entity_cell_ptr cell_; ///< null while it is idle
  std::optional<incarnation> own_; ///< of the cell's entity
};

} // namespace purser
