#include "actors/domain/stock_document.hpp"

namespace purser {

namespace {

send_message booking(const entity_ref& self, const std::string& sku, const location_units& units,
                     bool force) {
  const entity_ref to{entity_kind::stock, sku};
  if (self.kind == entity_kind::receipt)
    return {to, book_receipt{units}, to_string(self)};
  return {to, book_adjustment{units, force}, to_string(self)};
}

class document_rules {
public:
  document_rules(const stock_document& current, const decide_context& context)
      : current_(current), context_(context) {}

  decision<document_event> take() && { return std::move(made_); }

  void on(const command_body& body) {
    if (const auto* receipt = std::get_if<receive_stock>(&body))
      return open(receipt->sku, {receipt->location, receipt->quantity}, {}, false);
    if (const auto* adjustment = std::get_if<adjust_stock>(&body))
      return open(adjustment->sku, {adjustment->location, adjustment->delta}, adjustment->reason,
                  adjustment->force);
    throw broken_invariant("a stock document was sent " + std::string{op_of(body)});
  }

  void on(const stock_reply& reply) {
    if (current_.status != document_status::open)
      return; // a repeat
    if (reply.refused == rejection::none)
      made_.events.emplace_back(document_booked{});
    else
      made_.events.emplace_back(document_refused{reply.refused});
  }

  /// Of an answer that was given up it is not known what it said: the stock is asked again.
  void on(const undeliverable& notice) {
    const bool was_answered = context_.from.key.empty();
    if (current_.status == document_status::open && !was_answered)
      made_.events.emplace_back(document_refused{notice.why});
  }

  void on(const resume_step&) { made_.effects = resume(current_, context_); }

  template <class Other>
  void on(const Other&) {
    throw broken_invariant("a stock document was sent a message that is not for it");
  }

private:
  void open(const std::string& sku, location_units units, std::string reason, bool force) {
    if (current_.status != document_status::absent) {
      made_.refused = rejection::id_reused;
      return;
    }
    made_.effects.emplace_back(booking(context_.self, sku, units, force));
    made_.events.emplace_back(document_opened{sku, std::move(units), std::move(reason), force});
  }

  const stock_document& current_;
  const decide_context& context_;
  decision<document_event> made_;
};

void require(bool holds, const char* what) {
  if (!holds)
    throw broken_invariant(what);
}

struct document_evolution {
  stock_document& current;

  void operator()(const document_opened& event) const {
    require(current.status == document_status::absent, "I2: a stock document opens twice");
    current = {document_status::open, event.sku, event.units, rejection::none, event.force};
  }
  void operator()(const document_booked&) const {
    require(current.status == document_status::open, "a stock document is booked that is not open");
    current.status = document_status::booked;
  }
  void operator()(const document_refused& event) const {
    require(current.status == document_status::open,
            "a stock document is refused that is not open");
    current.status = document_status::refused;
    current.why = event.why;
  }
};

} // namespace

decision<document_event> decide(const stock_document& current, const message_body& request,
                                const decide_context& context) {
  document_rules rules{current, context};
  std::visit([&rules](const auto& body) { rules.on(body); }, request);
  return std::move(rules).take();
}

void evolve(stock_document& current, const document_event& event) {
  std::visit(document_evolution{current}, event);
}

std::vector<effect> resume(const stock_document& current, const decide_context& context) {
  if (current.status != document_status::open)
    return {};
  return {booking(context.self, current.sku, current.units, current.force)};
}

} // namespace purser
