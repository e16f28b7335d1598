#include "actors/domain/commands.hpp"
#include "actors/domain/currencies.hpp"
#include "actors/domain/entity_ref.hpp"
#include "actors/domain/text_rules.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace purser;

TEST_CASE("UTF-8 is counted in characters, and refused when it is malformed") {
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("mug") == 3);
  CHECK(utf8_length("\u00e9\u4e16\U0001f600") == 3);
  for (const auto* bad : {"\x80", "\xc0\x80", "\xc3", "\xe2\x82", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xff"})
    CHECK_FALSE(utf8_length(bad).has_value());
}

TEST_CASE("control characters are found in both ranges, and nowhere else") {
  CHECK(has_control_character(std::string_view{"\0", 1}));
  CHECK(has_control_character("a\x1f"));
  CHECK(has_control_character("\x7f"));
  CHECK(has_control_character("\u0080"));
  CHECK(has_control_character("\u009f"));
  CHECK_FALSE(has_control_character(" ~\u00a0\u2028"));
}

TEST_CASE("a line costs quantity x unit price - discount + tax") {
  CHECK(line_total({"1", "mug", "main", 3, 500, 100, 50}) == 1'450);
  CHECK(line_total({"1", "mug", "main", 1'000'000, 1'000'000'000'000}) ==
        1'000'000'000'000'000'000);
  CHECK_FALSE(line_total({"1", "mug", "main", 1'000'000, 10'000'000'000'000}).has_value());
}

TEST_CASE("the largest total is 2^53 - 1") {
  place_order order;
  order.order_id = "o";
  order.customer_id = "c";
  order.currency = "EUR";
  order.payment.method = "card";
  order.lines = {{"1", "mug", "main", 1, 0}};

  order.shipping = max_total;
  CHECK_FALSE(check(command{"c-1", {}, order}).has_value());
  order.lines[0].unit_price = 1;
  const auto error = check(command{"c-1", {}, order});

  REQUIRE(error.has_value());
  CHECK(error->pointer == "/lines");
}

TEST_CASE("the currencies are the active ones of ISO 4217") {
  std::ifstream file{PURSER_SOURCE_DIR "/tests/data/iso4217-currency-codes.csv"};
  REQUIRE(file.good());
  std::set<std::string> active;
  std::set<std::string> withdrawn;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    // Only the first two columns may be quoted; the code is the fourth from the end.
    std::vector<std::string> columns;
    std::stringstream rest{line};
    for (std::string column; std::getline(rest, column, ',');)
      columns.push_back(column);
    if (line.back() == ',')
      columns.emplace_back();
    const auto& code = columns.at(columns.size() - 4);
    (columns.back().empty() ? active : withdrawn).insert(code);
  }
  active.erase("");

  CHECK(active.size() > 150);
  for (const auto& code : active)
    CHECK_MESSAGE(is_currency(code), code);
  for (const auto& code : withdrawn)
    CHECK_MESSAGE(is_currency(code) == active.contains(code), code);
  CHECK_FALSE(is_currency("XYZ"));
  CHECK_FALSE(is_currency(""));
}

TEST_CASE("the shard of an entity never changes") {
  CHECK(stable_hash({entity_kind::order, "NW-10248"}) == 0x4c7726202677dcaULL);
  CHECK(stable_hash({entity_kind::stock, ""}) == 0x5aec852590056221ULL);

  std::set<std::uint16_t> used;
  for (int i = 0; i < 200; ++i)
    used.insert(shard_of({entity_kind::stock, "sku-" + std::to_string(i)}, 8));
  CHECK(used.size() == 8);
}
