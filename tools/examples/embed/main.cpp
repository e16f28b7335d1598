// An order engine inside a program: stock comes in, orders go out, and every event is told. Run it
// twice on one directory: the second time every command is a duplicate, and nothing changes.
#include <purser/purser.hpp>

#include <future>
#include <iostream>

namespace {

purser::command receive(const std::string& sku, std::uint32_t quantity) {
  purser::receive_stock goods;
  goods.receipt_id = "delivery-of-" + sku;
  goods.sku = sku;
  goods.quantity = quantity;
  return {.command_id = {}, .at = {}, .body = goods};
}

purser::command order(const std::string& id, const std::string& sku, std::uint32_t quantity) {
  purser::place_order placed;
  placed.order_id = id;
  placed.customer_id = "ada";
  placed.currency = "EUR";
  placed.payment.method = "card";
  auto& line = placed.lines.emplace_back();
  line.sku = sku;
  line.quantity = quantity;
  line.unit_price = 750; // cents
  return {.command_id = {}, .at = {}, .body = placed};
}

void tell(const purser::answer& result) {
  std::cout << result.id
            << (result.result == purser::outcome::accepted ? " accepted" : " refused: ")
            << (result.why == purser::rejection::none ? result.detail
                                                      : std::string{to_string(result.why)})
            << (result.duplicate ? ", as before\n" : "\n");
}

void run(const char* directory) {
  purser::engine_options options;
  options.data_dir = directory;
  const auto shop = purser::engine::start(options);

  tell(shop->submit(receive("mug", 3)).get()); // in hand before anybody orders
  auto first = shop->submit(order("o-1", "mug", 2));
  auto second = shop->submit(order("o-2", "mug", 2)); // one of the two is too late
  tell(first.get());
  tell(second.get());

  const auto found = shop->query({purser::entity_kind::order, "o-1"}).get();
  const auto& view = std::get<purser::order_view>(found.view);
  std::cout << "order o-1 is " << to_string(view.status) << ", captured " << view.captured << " of "
            << view.total << " cents\n";

  std::promise<void> told; // a subscriber of yours keeps its position, and goes on from there
  const auto newest = shop->figures().durable_position;
  const auto events = shop->subscribe(0, [&](const purser::event_notice& event) {
    std::cout << event.position << ' ' << to_string(event.stream) << ' ' << event.name << '\n';
    if (event.position == newest)
      told.set_value();
  });
  told.get_future().wait();
  shop->stop();
}

} // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2)
      return run(argv[1]), 0;
    std::cerr << "usage: embed DATA_DIRECTORY\n";
    return 2;
  } catch (const std::exception& error) { // the directory is in use, damaged, of a newer format...
    std::cerr << "embed: " << error.what() << '\n';
    return 1;
  }
}
