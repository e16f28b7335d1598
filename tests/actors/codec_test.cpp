#include "actors/codec.hpp"
#include "actors/domain/order.hpp"
#include "actors/domain/stock.hpp"
#include "actors/state_codec.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <limits>
#include <random>

using namespace purser;

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char two[3];
    static_cast<void>(std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c)));
    out += two;
  }
  return out;
}

template <class T>
T again(const T& value) {
  return codec::from_bytes<T>(codec::to_bytes(value));
}

} // namespace

TEST_CASE("golden: the worked example of docs/formats/events.md") {
  const units_held event{{entity_kind::order, "o-1"}, {{"main", 2}}, {}};

  CHECK(hex(codec::to_bytes(event)) == "01036f2d3101046d61696e0400");
}

TEST_CASE("golden: an order as placed has exactly these bytes") {
  order_placed event;
  event.customer_id = "c-1";
  event.currency = "EUR";
  event.lines = {{"1", "mug", "main", 2, 500, 10, 0}};
  event.shipping = 300;
  event.total = 1'290;
  event.payment = {"card", "tok"};
  event.placed_at = {1'000};
  event.metadata = {{"k", "v"}};

  CHECK(hex(codec::to_bytes(event)) ==
        "03632d3103455552010131036d7567046d61696e02e8071400d8049414046361726401"
        "03746f6bd00f01016b01760100");
}

TEST_CASE("integers of every size come back") {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{-64},
        std::int64_t{64}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()})
    CHECK(again(value) == value);
  CHECK(again(std::numeric_limits<std::uint64_t>::max()) ==
        std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("bytes that are no image of the type are refused") {
  using codec::decode_error;
  CHECK_THROWS_AS(codec::from_bytes<std::uint64_t>(""), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<std::uint64_t>("\x80"), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<std::uint64_t>(std::string(9, '\xff') + "\x02"), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<std::uint64_t>(std::string(11, '\x80')), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<std::uint64_t>("ab"), decode_error); // left over
  CHECK_THROWS_AS(codec::from_bytes<std::uint32_t>("\xff\xff\xff\xff\x7f"), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<std::string>("\x05"
                                                 "abc"),
                  decode_error);
  CHECK_THROWS_AS(codec::from_bytes<std::vector<std::string>>("\x7f"), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<bool>("\x02"), decode_error);
  CHECK_THROWS_AS(codec::from_bytes<order_status>("\x63"), decode_error);
}

TEST_CASE("random bytes are read or refused, and never crash") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    try {
      codec::from_bytes<order_placed>(bytes);
    } catch (const codec::decode_error&) {
      ++refused;
    }
  }
  CHECK(refused > 19'000);
}

TEST_CASE("a stock's state comes back, with the expiries that follow from it") {
  stock state;
  state.locations["main"] = {100, -3, 5, 10, 7};
  state.reservations[{entity_kind::reservation, "v-1"}] = {{{"main", 10}}, 5'000, false};
  state.reservations[{entity_kind::order, "o-1"}] = {{{"main", 7}}, 0, true};
  state.expiries.emplace(5'000, entity_ref{entity_kind::reservation, "v-1"});
  std::string bytes;
  save_state(bytes, state);

  stock restored;
  restore_state(bytes, restored);

  CHECK(restored == state);
}
