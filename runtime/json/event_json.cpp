#include "runtime/json/event_json.hpp"

#include "actors/codec.hpp"
#include "actors/command_log.hpp"
#include "actors/domain/order.hpp"
#include "actors/domain/payment.hpp"
#include "actors/domain/receipt_batch.hpp"
#include "actors/domain/reservation.hpp"
#include "actors/domain/stock.hpp"
#include "actors/domain/stock_document.hpp"
#include "runtime/json/time_json.hpp"

namespace purser {

namespace {

template <class Event>
bool read_as(const recorded_event& event, boost::json::object& out) {
  bool found = false;
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<std::variant_size_v<Event>>>([&](auto index) {
    using alternative = std::variant_alternative_t<index, Event>;
    if (found || alternative::type != event.event.type || alternative::schema != event.event.schema)
      return;
    out = config::to_json(codec::from_bytes<alternative>(event.event.payload)).as_object();
    found = true;
  });
  return found;
}

bool read_by_kind(const recorded_event& event, boost::json::object& out) {
  if (event.event.type == command_noted::type) {
    out = config::to_json(codec::from_bytes<command_noted>(event.event.payload)).as_object();
    return true;
  }
  switch (event.stream.kind) {
  case entity_kind::order: return read_as<order_event>(event, out);
  case entity_kind::stock: return read_as<stock_event>(event, out);
  case entity_kind::payment: return read_as<payment_event>(event, out);
  case entity_kind::receipt:
  case entity_kind::adjustment: return read_as<document_event>(event, out);
  case entity_kind::reservation: return read_as<reservation_event>(event, out);
  case entity_kind::batch: return read_as<batch_event>(event, out);
  }
  return false;
}

} // namespace

boost::json::object event_data(const recorded_event& event) {
  boost::json::object out;
  try {
    if (read_by_kind(event, out))
      return out;
  } catch (const codec::decode_error& error) {
    throw journal_corrupt(to_string(event.stream) + ": event " + std::to_string(event.version) +
                          " cannot be read: " + error.what());
  }
  throw journal_corrupt(to_string(event.stream) + ": event " + std::to_string(event.version) +
                        " is of a type that this program does not know");
}

} // namespace purser
