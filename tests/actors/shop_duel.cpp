#include "tests/actors/shop_duel.hpp"

#include <boost/mp11.hpp>

#include <algorithm>
#include <sstream>

namespace purser::tests {

namespace {

// -- In words -------------------------------------------------------------------------------------

void print(std::ostream& out, const std::string& value) {
  out << '"' << value << '"';
}
void print(std::ostream& out, bool value) {
  out << (value ? "true" : "false");
}
template <class T>
void print(std::ostream& out, const T& value);

template <class T>
void print_range(std::ostream& out, const T& values) {
  out << '[';
  const char* comma = "";
  for (const auto& value : values) {
    out << std::exchange(comma, ", ");
    print(out, value);
  }
  out << ']';
}

template <class T>
void print(std::ostream& out, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    out << '"' << boost::describe::enum_to_string(value, "?") << '"';
  } else if constexpr (std::is_arithmetic_v<T>) {
    out << value;
  } else if constexpr (requires { value.has_value(); }) {
    if (value)
      print(out, *value);
    else
      out << "null";
  } else if constexpr (requires { value.begin()->second; }) {
    out << "{}"; // metadata: not used here
  } else if constexpr (requires { value.begin(); }) {
    print_range(out, value);
  } else {
    out << '{';
    const char* comma = "";
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
      [&](auto member) {
        out << std::exchange(comma, ", ") << '"' << member.name << "\": ";
        print(out, value.*member.pointer);
      });
    out << '}';
  }
}

std::string in_words(const std::optional<rejection>& answer) {
  return answer ? std::string{to_string(*answer)} : "(waits)";
}

template <class T>
void same(const std::string& what, const T& real, const T& model) {
  if (real == model)
    return;
  std::ostringstream out;
  out << what << ": " << real << ", and the model says " << model;
  throw difference(out.str());
}

cancel_order cancel_of(const entity_ref& order) {
  return {order.key, std::nullopt, std::nullopt};
}

} // namespace

std::string in_words(const move& made) {
  std::ostringstream out;
  out << boost::describe::enum_to_string(made.what, "?");
  if (made.what == move_kind::advance)
    out << ' ' << made.ms << " ms";
  if (!made.key.empty()) {
    out << ' ' << to_string(made.to) << ' ' << made.key << ' ' << op_of(made.body) << ' ';
    std::visit([&](const auto& body) { print(out, body); }, made.body);
  }
  if (made.steps > 0)
    out << " steps=" << made.steps;
  return out.str();
}

// -- The two shops --------------------------------------------------------------------------------

void duel::play(naive_shop& shop, const move& wanted) {
  switch (wanted.what) {
  case move_kind::command: shop.submit(wanted.to, wanted.key, wanted.body); break;
  case move_kind::place_and_cancel:
    shop.stock_is_slow = true;
    shop.submit(wanted.to, wanted.key, wanted.body);
    shop.stock_is_slow = false;
    shop.submit(wanted.to, "command/at once", cancel_of(wanted.to));
    break;
  case move_kind::commit_after_expiry:
    shop.advance_to(shop.reservations.at(wanted.to.key).expires_at);
    shop.submit(wanted.to, wanted.key, wanted.body);
    break;
  case move_kind::advance: shop.advance_to(shop.now + wanted.ms); break;
  case move_kind::line_up: shop.set_line(provider_line::up); break;
  case move_kind::line_noisy: shop.set_line(provider_line::noisy); break;
  case move_kind::line_down: shop.set_line(provider_line::down); break;
  case move_kind::act: shop.act(true); break;
  case move_kind::stop_acting: shop.act(false); break;
  case move_kind::confess: shop.confess(); break;
  }
  shop.advance_to(shop.now);
}

bool duel::make(const move& wanted) {
  if (wanted.what == move_kind::commit_after_expiry && !can_expire_alone(wanted.to))
    return false;
  auto next = model_;
  play(next, wanted);
  if (next.raced)
    return false;
  const auto* adjusted = std::get_if<adjust_stock>(&wanted.body);
  if (model_.has_backorders() || next.has_backorders() ||
      (adjusted != nullptr && adjusted->force)) {
    const auto outcome = next.described();
    for (unsigned whim = 1; whim < 16; ++whim) {
      auto other = model_;
      other.mood = {(whim & 1U) != 0, (whim & 2U) != 0, (whim & 4U) != 0, (whim & 8U) != 0};
      play(other, wanted);
      if (other.raced || other.described() != outcome)
        return false;
    }
  }
  const auto first = node_.commands();
  play(wanted);
  model_ = std::move(next);
  compare();
  for (auto i = first; i < node_.commands(); ++i)
    compare_answer(i);
  return true;
}

void duel::submit_first(const entity_ref& to, const std::string& key, const command_body& body) {
  node_.submit(to, key, body);
  node_.overtake([&](const envelope& message) { return message.to == to && message.key == key; });
}

/// Whether nothing else is due until the reservation expires.
bool duel::can_expire_alone(const entity_ref& reservation) const {
  const auto found = model_.reservations.find(reservation.key);
  if (found == model_.reservations.end() || found->second.status != reservation_status::held)
    return false;
  const auto next = model_.next_due(reservation.key);
  return !next || *next > found->second.expires_at;
}

void duel::play(const move& wanted) {
  node_.reseed(wanted.seed);
  switch (wanted.what) {
  case move_kind::command: node_.submit(wanted.to, wanted.key, wanted.body); break;
  case move_kind::place_and_cancel:
    submit_first(wanted.to, wanted.key, wanted.body);
    submit_first(wanted.to, "command/at once", cancel_of(wanted.to));
    break;
  case move_kind::commit_after_expiry:
    submit_first(wanted.to, wanted.key, wanted.body);
    node_.jump_by(model_.reservations.at(wanted.to.key).expires_at - node_.now());
    while (node_.overtake(
      [](const envelope& message) { return std::holds_alternative<timer_due>(message.body); }))
      ;
    break;
  case move_kind::advance: break;
  case move_kind::line_up: node_.set_line(provider_line::up); break;
  case move_kind::line_noisy: node_.set_line(provider_line::noisy); break;
  case move_kind::line_down: node_.set_line(provider_line::down); break;
  case move_kind::act: node_.provider().act(); break;
  case move_kind::stop_acting: node_.provider().stop_acting(); break;
  case move_kind::confess: node_.provider().confess(); break;
  }
  for (int i = 0; i < wanted.steps; ++i)
    node_.step();
  node_.advance_to(node_.now() + (wanted.what == move_kind::advance ? wanted.ms : 0));
}

void duel::end() {
  for (const auto what : {move_kind::line_up, move_kind::act, move_kind::confess})
    make({.what = what, .to = {}, .key = {}, .body = {}});
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < node_.commands(); ++i)
      compare_answer(i);
    node_.repeat_commands();
    node_.run_until_quiet();
    compare();
  }
}

void duel::compare() {
  for (const auto& [id, order] : model_.orders)
    compare(id, order);
  for (const auto& [name, sku] : model_.skus)
    compare(name, sku);
  for (const auto& [id, reservation] : model_.reservations) {
    const auto view = node_.at({entity_kind::reservation, id}).view(node_.now());
    const auto* real = std::get_if<reservation_view>(&view);
    same("the status of reservation " + id,
         static_cast<int>(real == nullptr ? reservation_status::absent : real->status),
         static_cast<int>(reservation.status));
  }
  for (const auto& [ref, image] : node_.entities())
    image.state().check();
}

void duel::compare(const std::string& id, const naive_order& order) {
  const auto about = [&](const char* what) { return std::string{what} + " of order " + id; };
  const auto found = node_.at({entity_kind::order, id}).view(node_.now());
  const auto* view = std::get_if<order_view>(&found);
  if (view == nullptr)
    return same<std::string_view>(about("status"), "absent", to_string(order.phase));
  same(about("status"), to_string(view->status), to_string(model_.status_of(order)));
  same(about("reason"), view->reason.value_or(""), model_.reason_of(order));
  same(about("captured"), view->captured, order.captured);
  same(about("refunded"), view->refunded, order.refunded);
  for (std::size_t i = 0; i < order.lines.size(); ++i) {
    const auto& line = order.lines[i];
    const auto& real = view->lines.at(i);
    const auto at = [&](const char* what) {
      return about(what) + ", line " + line.wanted.line_id + ",";
    };
    const auto here = line.wanted.quantity - line.canceled - line.shipped;
    const auto in = [&](std::initializer_list<order_status> phases) {
      return std::find(phases.begin(), phases.end(), order.phase) != phases.end() ? here : 0;
    };
    same(at("canceled"), real.canceled, line.canceled + in({order_status::canceling}));
    same(at("held"), real.held, in({order_status::awaiting_payment}));
    same(at("committed"), real.committed, in({order_status::confirmed, order_status::fulfilling}));
    same(at("backordered"), real.backordered, in({order_status::backordered}));
    same(at("shipped"), real.shipped, line.shipped);
    same(at("returned"), real.returned, line.returned);
  }
  compare_money(id, order);
}

void duel::compare_money(const std::string& id, const naive_order& order) {
  const auto about = [&](const char* what) { return std::string{what} + " of order " + id; };
  const auto moved = [&](operation_kind kind) { return node_.provider().moved(id, kind); };
  const auto open = moved(operation_kind::authorize) - moved(operation_kind::capture) -
                    moved(operation_kind::void_authorization);
  same(about("the provider's open authorization"), open, order.theirs.open);
  same(about("the provider's captures"), moved(operation_kind::capture), order.theirs.captured);
  same(about("the provider's refunds"), moved(operation_kind::refund), order.theirs.refunded);
  const auto found = node_.at({entity_kind::payment, id}).view(node_.now());
  payment_view ours;
  if (const auto* view = std::get_if<payment_view>(&found))
    ours = *view;
  same(about("our open authorization"),
       ours.authorized - ours.captured - ours.voided - ours.expired, order.ours.open);
  same(about("our captures"), ours.captured, order.ours.captured);
  same(about("our refunds"), ours.refunded, order.ours.refunded);
}

void duel::compare(const std::string& name, const naive_sku& sku) {
  const auto found = node_.at({entity_kind::stock, name}).view(node_.now());
  std::map<std::string, location_view> real;
  if (const auto* view = std::get_if<stock_view>(&found))
    for (const auto& at : view->locations)
      real[at.location] = at;
  auto held = model_.reserved(name, false);
  auto committed = model_.reserved(name, true);
  for (const auto& [location, units] : sku.on_hand) {
    const auto at = [&, place = location](const char* what) {
      return std::string{what}.append(" of ").append(name).append(" at ").append(place);
    };
    const auto& books = real[location];
    same(at("on hand"), books.on_hand, units);
    same(at("held"), books.held, held[location]);
    same(at("committed"), books.committed, committed[location]);
    same(at("available"), books.available, model_.available(name, location));
  }
}

/// While the model has no answer the client may have been told one: people were looking at a
/// payment.
void duel::compare_answer(std::size_t number) {
  const auto& [message, real] = node_.command(number);
  const auto& body = std::get<command_body>(message.body);
  const auto expected = model_.answer(message.to, message.key, body);
  const bool was_unknown = real == rejection::payment_unknown && may_become_definite(body);
  if (real)
    rejections_.insert(*real);
  if (real != expected && !was_unknown && expected)
    throw difference("the answer to " + message.key + " of " + to_string(message.to) + ": " +
                     in_words(real) + ", and the model says " + in_words(expected));
}

} // namespace purser::tests
