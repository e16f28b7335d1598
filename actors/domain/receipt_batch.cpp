#include "actors/domain/receipt_batch.hpp"

#include <utility>

namespace purser {

namespace {

class batch_rules {
public:
  batch_rules(const receipt_batch& current, batch_progress& progress, const decide_context& context)
      : current_(current), progress_(progress), context_(context) {}

  decision<batch_event> take() && { return std::move(made_); }

  void on(const command_body& body) {
    const auto* batch = std::get_if<receive_batch>(&body);
    if (batch == nullptr)
      throw broken_invariant("a batch was sent " + std::string{op_of(body)});
    if (current_.status != batch_status::absent) {
      made_.refused = rejection::id_reused;
      return;
    }
    made_.events.emplace_back(batch_opened{batch->lines});
    book(batch->lines);
  }

  void on(const stock_reply& reply) {
    if (progress_.stock.note(reply))
      end();
  }

  /// Of an answer that was given up it is not known what it said: the SKU is asked again.
  void on(const undeliverable& notice) {
    if (progress_.stock.give_up(context_.from.key, notice.why))
      end();
  }

  /// The stock knows the batch by its key.
  void on(const resume_step&) {
    if (current_.status == batch_status::open)
      book(current_.lines);
  }

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("a batch was sent a message that is not for batches");
  }

private:
  void book(const std::vector<receipt_line>& lines) {
    progress_.stock = stock_fanout::ask({.step = stock_step::book, .key = to_string(context_.self)},
                                        demands_of(lines), made_.effects, context_.attempt);
  }

  void end() { made_.events.emplace_back(batch_booked{progress_.stock.refusals()}); }

  const receipt_batch& current_;
  batch_progress& progress_;
  const decide_context& context_;
  decision<batch_event> made_;
};

void require(bool holds, const char* what) {
  if (!holds)
    throw broken_invariant(what);
}

struct batch_evolution {
  receipt_batch& current;

  void operator()(const batch_opened& event) const {
    require(current.status == batch_status::absent, "I2: a batch opens twice");
    current.status = batch_status::open;
    current.lines = event.lines;
    current.line_count = event.lines.size();
    for (const auto& line : event.lines)
      current.units += line.quantity;
  }
  void operator()(const batch_booked& event) const {
    require(current.status == batch_status::open, "a batch is booked that is not open");
    current.status = batch_status::booked;
    current.lines = {};
    current.refused = event.refused;
  }
};

} // namespace

decision<batch_event> decide(const receipt_batch& current, batch_progress& progress,
                             const message_body& request, const decide_context& context) {
  batch_rules rules{current, progress, context};
  std::visit([&rules](const auto& body) { rules.on(body); }, request);
  return std::move(rules).take();
}

void evolve(receipt_batch& current, const batch_event& event) {
  std::visit(batch_evolution{current}, event);
}

} // namespace purser
