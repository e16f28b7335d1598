#include "actors/aggregate.hpp"
#include "actors/codec.hpp"
#include "actors/command_log.hpp"
#include "actors/domain/order_saga.hpp"
#include "actors/state_codec.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace purser {

namespace {

/// Reads a stored event in place if it is the alternative.
template <class Alternative, class Event>
bool read_as(const event_record& record, std::optional<Event>& event) {
  if (Alternative::type != record.type || Alternative::schema != record.schema)
    return false;
  event.emplace(std::in_place_type<Alternative>);
  codec::decode_all(record.payload, *std::get_if<Alternative>(&*event));
  return true;
}

template <class Event, std::size_t... Index>
bool read_as_one_of(const event_record& record, std::optional<Event>& event,
                    std::index_sequence<Index...>) {
  return (read_as<std::variant_alternative_t<Index, Event>>(record, event) || ...);
}

/// Reads a stored event of a variant by its type number.
template <class Event>
std::optional<Event> decode_event(const event_record& record) {
  std::optional<Event> event;
  if (!read_as_one_of(record, event, std::make_index_sequence<std::variant_size_v<Event>>{}))
    throw codec::decode_error("unknown event type " + std::to_string(record.type) + " schema " +
                              std::to_string(record.schema));
  return event;
}

template <class Event>
void encode_event(const Event& event, event_record& into) {
  std::visit(
    [&into](const auto& alternative) {
      into.type = alternative.type;
      into.schema = alternative.schema;
      codec::encode(into.payload, alternative);
    },
    event);
}

template <class Event>
std::string_view name_in(std::uint16_t type) {
  std::string_view name;
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::variant_size_v<Event>>>([&](auto index) {
    using alternative = std::variant_alternative_t<index, Event>;
    if (alternative::type == type)
      name = alternative::name;
  });
  return name;
}

// What differs between the kinds: the domain's types and which of its functions to call. `handle`
// leaves the state evolved, `decide` leaves that to its caller.

struct order_traits {
  using state = order;
  using event = order_event;
  order_policy policy;
  order_progress progress;

  auto handle(order& current, const message_body& request, const decide_context& context) {
    return purser::handle(current, progress, request, context, policy);
  }
  static bool open(const order& current) { return purser::has_open_step(current); }
  static bool exists(const order& current) { return current.phase != order_status::absent; }
  static rejection verdict(const order& current, const command_body& body) {
    const auto outcome = [&](task_kind kind, const std::string& id, rejection refused) {
      if (was_refused(current, kind, id))
        return refused;
      return find_task(current, kind, id) == nullptr ? rejection::none : rejection::payment_unknown;
    };
    if (std::holds_alternative<place_order>(body) && current.phase == order_status::rejected)
      return rejection::out_of_stock;
    if (const auto* ship = std::get_if<ship_order>(&body))
      return outcome(task_kind::capture, ship->shipment_id, rejection::capture_refused);
    if (const auto* refund = std::get_if<grant_refund>(&body))
      return outcome(task_kind::refund, refund->refund_id, rejection::refund_refused);
    return rejection::none;
  }
  static entity_view view(const order& current, const std::string& key, std::uint64_t version,
                          unix_millis) {
    return view_of(current, key, version);
  }
  static void check(const order& current) {
    minor_units sum = current.shipping;
    for (const auto& line : current.lines)
      sum += line_total(line).value();
    if (exists(current) && sum != current.total)
      throw broken_invariant("M5: an order's total is not the sum of its lines and shipping");
  }
};

struct stock_traits {
  using state = stock;
  using event = stock_event;

  auto decide(const stock& current, const message_body& request, const decide_context& context) {
    return purser::decide(current, request, context);
  }
  /// What follows from the state that a decision led to.
  static auto follow_up(const stock& current, const decide_context& context) {
    return offer_next(current, context);
  }
  static bool open(const stock&) { return false; }
  static bool exists(const stock& current) { return !current.locations.empty(); }
  static rejection verdict(const stock&, const command_body&) { return rejection::none; }
  static entity_view view(const stock& current, const std::string& key, std::uint64_t version,
                          unix_millis now) {
    return view_of(current, key, version, now);
  }
  static void check(const stock& current) { check_invariants(current); }
};

struct payment_traits {
  using state = payment;
  using event = payment_event;
  payment_policy policy;
  payment_progress progress;

  auto handle(payment& current, const message_body& request, const decide_context& context) {
    if (std::holds_alternative<resume_step>(request))
      return decision<payment_event>{{}, resume(current, context), rejection::none};
    return purser::handle(current, progress, request, context, policy);
  }
  static bool open(const payment& current) { return has_open_step(current); }
  static bool exists(const payment& current) { return !current.operations.empty(); }
  static rejection verdict(const payment&, const command_body&) { return rejection::none; }
  static entity_view view(const payment& current, const std::string& key, std::uint64_t version,
                          unix_millis) {
    return view_of(current, key, version);
  }
  static void check(const payment& current) {
    if (authorized_rest(current) < 0)
      throw broken_invariant("M2: more captured or voided than authorized");
    if (current.refunded > current.captured)
      throw broken_invariant("M4: more refunded than captured");
  }
};

struct document_traits {
  using state = stock_document;
  using event = document_event;

  auto decide(const stock_document& current, const message_body& request,
              const decide_context& context) {
    return purser::decide(current, request, context);
  }
  static bool open(const stock_document& current) {
    return current.status == document_status::open;
  }
  static bool exists(const stock_document& current) {
    return current.status != document_status::absent;
  }
  static rejection verdict(const stock_document& current, const command_body&) {
    return current.why;
  }
  static entity_view view(const stock_document& current, const std::string& key,
                          std::uint64_t version, unix_millis) {
    return view_of(current, key, version);
  }
  static void check(const stock_document&) {}
};

struct reservation_traits {
  using state = reservation;
  using event = reservation_event;
  reservation_progress progress;

  auto decide(const reservation& current, const message_body& request,
              const decide_context& context) {
    return purser::decide(current, progress, request, context);
  }
  static bool open(const reservation& current) { return has_open_step(current); }
  static bool exists(const reservation& current) {
    return current.status != reservation_status::absent;
  }
  static rejection verdict(const reservation& current, const command_body& body) {
    if (std::holds_alternative<reserve_stock>(body) &&
        current.status == reservation_status::rejected)
      return rejection::out_of_stock;
    if (std::holds_alternative<commit_reservation>(body) &&
        current.status == reservation_status::expired)
      return rejection::reservation_expired;
    return rejection::none;
  }
  static entity_view view(const reservation& current, const std::string& key, std::uint64_t version,
                          unix_millis) {
    return view_of(current, key, version);
  }
  static void check(const reservation&) {}
};

struct batch_traits {
  using state = receipt_batch;
  using event = batch_event;
  batch_progress progress;

  auto decide(const receipt_batch& current, const message_body& request,
              const decide_context& context) {
    return purser::decide(current, progress, request, context);
  }
  static bool open(const receipt_batch& current) { return has_open_step(current); }
  static bool exists(const receipt_batch& current) {
    return current.status != batch_status::absent;
  }
  static rejection verdict(const receipt_batch& current, const command_body&) {
    return current.refused.empty() ? rejection::none : rejection::batch_incomplete;
  }
  static entity_view view(const receipt_batch& current, const std::string& key,
                          std::uint64_t version, unix_millis) {
    return view_of(current, key, version);
  }
  static void check(const receipt_batch&) {}
};

template <class Traits>
class aggregate_of final : public aggregate {
public:
  explicit aggregate_of(Traits traits = {}) : traits_(std::move(traits)) {}

  reaction handle(const message_body& request, const decide_context& context) override {
    if constexpr (requires { traits_.handle(state_, request, context); }) {
      auto made = traits_.handle(state_, request, context);
      reaction result{{}, std::move(made.effects), made.refused};
      encode_all(made.events, result);
      return result;
    } else {
      auto made = traits_.decide(state_, request, context);
      reaction result{{}, std::move(made.effects), made.refused};
      evolve_by(made.events, result);
      if constexpr (requires { Traits::follow_up(state_, context); })
        if (!result.events.empty()) {
          auto more = Traits::follow_up(state_, context);
          evolve_by(more.events, result);
          std::move(more.effects.begin(), more.effects.end(), std::back_inserter(result.effects));
        }
      return result;
    }
  }

  std::vector<effect> answer_again(const message_body& request, rejection outcome,
                                   const decide_context& context) const override {
    if constexpr (std::is_same_v<typename Traits::state, stock>)
      return purser::answer_again(request, outcome, context);
    else if constexpr (std::is_same_v<typename Traits::state, payment>)
      return purser::answer_again(state_, request, context);
    else
      return {};
  }

  void evolve(const event_record& event) override {
    purser::evolve(state_, *decode_event<typename Traits::event>(event));
  }

  void save(std::string& out) const override { save_state(out, state_); }
  void restore(std::string_view bytes) override { restore_state(bytes, state_); }
  bool has_open_step() const override { return Traits::open(state_); }
  bool must_resume() const override {
    if constexpr (requires { purser::must_resume(state_); })
      return purser::must_resume(state_);
    else
      return Traits::open(state_);
  }

  std::optional<unix_millis> due() const override {
    if constexpr (requires { purser::due(state_); })
      return purser::due(state_);
    else
      return std::nullopt;
  }

  rejection final_verdict(const command_body& body) const override {
    return Traits::verdict(state_, body);
  }

  entity_view view(const std::string& key, std::uint64_t version, unix_millis now) const override {
    if (!Traits::exists(state_))
      return {};
    return Traits::view(state_, key, version, now);
  }

  bool same_state(const aggregate& other) const override {
    const auto* same_kind = dynamic_cast<const aggregate_of*>(&other);
    return same_kind != nullptr && state_ == same_kind->state_;
  }

  void check() const override { Traits::check(state_); }

private:
  using events = std::vector<typename Traits::event>;

  void evolve_by(const events& made, reaction& into) {
    for (const auto& event : made)
      purser::evolve(state_, event);
    encode_all(made, into);
  }

  static void encode_all(const events& made, reaction& into) {
    into.events.reserve(into.events.size() + made.size());
    for (const auto& event : made)
      encode_event(event, into.events.emplace_back());
  }

  Traits traits_;
  typename Traits::state state_;
};

} // namespace

std::unique_ptr<aggregate> make_aggregate(entity_kind kind, const shop_policy& policy) {
  switch (kind) {
  case entity_kind::order:
    return std::make_unique<aggregate_of<order_traits>>(order_traits{policy.orders, {}});
  case entity_kind::stock: return std::make_unique<aggregate_of<stock_traits>>();
  case entity_kind::payment:
    return std::make_unique<aggregate_of<payment_traits>>(payment_traits{policy.payments, {}});
  case entity_kind::receipt:
  case entity_kind::adjustment: return std::make_unique<aggregate_of<document_traits>>();
  case entity_kind::reservation: return std::make_unique<aggregate_of<reservation_traits>>();
  case entity_kind::batch: return std::make_unique<aggregate_of<batch_traits>>();
  }
  throw broken_invariant("unknown kind of entity");
}

std::string_view event_name(entity_kind kind, std::uint16_t type) {
  if (type == command_noted::type)
    return command_noted::name;
  switch (kind) {
  case entity_kind::order: return name_in<order_event>(type);
  case entity_kind::stock: return name_in<stock_event>(type);
  case entity_kind::payment: return name_in<payment_event>(type);
  case entity_kind::receipt:
  case entity_kind::adjustment: return name_in<document_event>(type);
  case entity_kind::reservation: return name_in<reservation_event>(type);
  case entity_kind::batch: return name_in<batch_event>(type);
  }
  return {};
}

} // namespace purser
