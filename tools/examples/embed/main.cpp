// An order engine inside a program: stock comes in, orders go out, and every event is told. Run it
// twice on one directory: the second time every command is a duplicate, and nothing changes.
#include <purser/purser.hpp>

#include <future>
#include <iostream>

using namespace purser;

command receipt_of(const std::string& sku, std::uint32_t quantity) {
  return {{}, {}, receive_stock{"delivery-of-" + sku, sku, "main", quantity}};
}

command order_of(const std::string& id, const std::string& sku, std::uint32_t quantity) {
  place_order placed;
  placed.order_id = id;
  placed.customer_id = "ada";
  placed.currency = "EUR";
  placed.payment.method = "card";
  placed.lines.push_back({"1", sku, "main", quantity, 750, 0, 0}); // at 7.50 each
  return {{}, {}, placed};
}

void tell(const answer& result) {
  std::cout << result.id << ' ' << (result.result == outcome::accepted ? "accepted" : "refused: ")
            << (result.why == rejection::none ? result.detail : std::string{to_string(result.why)})
            << (result.duplicate ? ", as before\n" : "\n");
}

int main(int argc, char** argv) try {
  if (argc != 2)
    return std::cerr << "usage: embed DATA_DIRECTORY\n", 2;
  engine_options options;
  options.data_dir = argv[1];
  const auto shop = engine::start(options);

  tell(shop->submit(receipt_of("mug", 3)).get()); // in hand before anybody orders
  auto first = shop->submit(order_of("o-1", "mug", 2));
  auto second = shop->submit(order_of("o-2", "mug", 2)); // one of the two is too late
  tell(first.get());
  tell(second.get());

  const auto found = shop->query({entity_kind::order, "o-1"}).get();
  const auto& view = std::get<order_view>(found.view);
  std::cout << "order o-1 is " << to_string(view.status) << ", captured " << view.captured << " of "
            << view.total << " cents\n";

  std::promise<void> told; // a subscriber of yours keeps its position, and goes on from there
  const auto newest = shop->figures().durable_position;
  const auto events = shop->subscribe(0, [&](const event_notice& event) {
    std::cout << event.position << ' ' << to_string(event.stream) << ' ' << event.name << '\n';
    if (event.position == newest)
      told.set_value();
  });
  told.get_future().wait();
  shop->stop();
} catch (const std::exception& error) { // the directory is in use, damaged, of a newer format...
  std::cerr << "embed: " << error.what() << '\n';
  return 1;
}
