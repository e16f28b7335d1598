#include "runtime/simulation/workload.hpp"

#include <array>
#include <string>

namespace purser::simulation {

namespace {

constexpr std::array<const char*, 3> skus{"mug", "pen", "hat"};
constexpr std::array<const char*, 4> locations{"main", "main", "main", "east"};
constexpr std::array<minor_units, 5> prices{0, 1, 10, 33, 100};

class shop_floor {
public:
  explicit shop_floor(std::uint64_t seed) : chance_(seed) {}

  command next() {
    ++made_;
    command request{"c-" + std::to_string(made_), {}, body()};
    return request;
  }

private:
  std::uint32_t number(std::uint32_t least, std::uint32_t most) {
    return least + static_cast<std::uint32_t>(chance_.below(most - least + 1));
  }
  std::string serial() const { return std::to_string(made_); }
  std::string an_order() { return "o-" + std::to_string(number(1, orders_ + 1)); }
  std::string a_reservation() { return "r-" + std::to_string(number(1, reservations_ + 1)); }

  command_body body() {
    if (made_ <= skus.size())
      return receive_stock{"d-" + serial(), skus.at(made_ - 1), "main", number(4, 12)};
    const auto kind = chance_.below(100);
    if (kind < 34)
      return placed();
    if (kind < 47)
      return shipped();
    if (kind < 55)
      return canceled();
    if (kind < 62)
      return returned();
    if (kind < 66)
      return deliver_order{an_order(), std::nullopt};
    if (kind < 70)
      return grant_refund{an_order(), "g-" + serial(), number(1, 40), "sorry"};
    if (kind < 78)
      return reserved();
    if (kind < 82)
      return commit_reservation{a_reservation()};
    if (kind < 84)
      return release_reservation{a_reservation()};
    if (kind < 87)
      return ship_reservation{a_reservation()};
    if (kind < 90)
      return hold_order{an_order(), "a look"};
    if (kind < 93)
      return resume_order{an_order(), std::nullopt};
    if (kind < 94)
      return retry_payment{an_order(), {"card", "tok_ok"}};
    if (kind < 97)
      return received();
    return adjust_stock{"a-" + serial(),
                        chance_.of(skus),
                        chance_.of(locations),
                        chance_.one_in(3) ? std::int64_t{2} : -std::int64_t{number(1, 4)},
                        "a count",
                        chance_.one_in(2)};
  }

  command_body received() {
    constexpr std::uint32_t one_of_three_is_a_batch = 3;
    receipt_line line{chance_.of(skus), chance_.of(locations), number(1, 5)};
    if (made_ % one_of_three_is_a_batch != 0)
      return receive_stock{"d-" + serial(), line.sku, line.location, line.quantity};
    return receive_batch{"b-" + serial(), {line, {"hat", "main", 1}, {"pen", "east", 2}, line}};
  }

  command_body placed() {
    place_order made;
    made.order_id = "o-" + std::to_string(++orders_);
    made.customer_id = "ada";
    made.currency = "EUR";
    const bool free = chance_.one_in(14);
    const auto lines = number(1, 3);
    for (std::uint32_t i = 1; i <= lines; ++i)
      made.lines.push_back({std::to_string(i), chance_.of(skus), chance_.of(locations),
                            number(1, 3), free ? 0 : chance_.of(prices), 0, 0});
    if (!free)
      made.shipping = 5;
    made.payment.method = "card";
    made.capture = chance_.one_in(2) ? capture_policy::on_confirm : capture_policy::on_ship;
    made.allow_backorder = chance_.one_in(2);
    return made;
  }

  std::optional<std::vector<line_quantity>> some_lines() {
    if (chance_.one_in(2))
      return std::nullopt;
    return std::vector<line_quantity>{{std::to_string(number(1, 2)), number(1, 2)}};
  }

  command_body shipped() {
    return ship_order{an_order(), "s-" + serial(), some_lines(), std::nullopt, std::nullopt};
  }
  command_body canceled() { return cancel_order{an_order(), "changed my mind", some_lines()}; }
  command_body returned() {
    return return_order{
      an_order(), "t-" + serial(), {{"1", number(1, 2), !chance_.one_in(3)}}, std::nullopt};
  }

  command_body reserved() {
    reserve_stock made;
    made.reservation_id = "r-" + std::to_string(++reservations_);
    made.lines.push_back({chance_.of(skus), chance_.of(locations), number(1, 2)});
    if (chance_.one_in(2))
      made.lines.push_back({chance_.of(skus), "main", 1});
    made.ttl_seconds = number(1, 20) * 60;
    return made;
  }

  dice chance_;
  std::uint32_t made_ = 0;
  std::uint32_t orders_ = 0;
  std::uint32_t reservations_ = 0;
};

} // namespace

std::vector<command> make_workload(std::uint64_t seed, std::size_t count) {
  shop_floor floor{seed};
  std::vector<command> commands;
  commands.reserve(count);
  while (commands.size() < count)
    commands.push_back(floor.next());
  return commands;
}

} // namespace purser::simulation
