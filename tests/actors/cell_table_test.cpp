#include "actors/cell_table.hpp"
#include "actors/envelope_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>
#include <string>

using namespace purser;

namespace {

std::vector<std::string> by_use(const cell_table& table) {
  std::vector<std::string> keys;
  for (auto* each = table.newest(); each != nullptr; each = each->older)
    keys.push_back(each->ref.key);
  return keys;
}

} // namespace

TEST_CASE("a table of entities agrees with a simple one, whatever is done to it") {
  cell_table table;
  std::map<std::string, entity_cell_ptr> cells;
  std::list<std::string> used; // open ones, newest first
  std::mt19937 random{1};
  for (int step = 0; step < 20'000; ++step) {
    const auto key = "k-" + std::to_string(random() % 60);
    const entity_ref ref{entity_kind::stock, key};
    const auto known = cells.find(key);
    REQUIRE(table.find(ref) == (known == cells.end() ? nullptr : known->second.get()));
    REQUIRE(table.find({entity_kind::order, key}) == nullptr);
    if (known == cells.end()) {
      const auto made = std::make_shared<entity_cell>(ref);
      cells.emplace(key, made);
      table.add(made);
      continue;
    }
    auto& cell = *known->second;
    switch (random() % 4) {
    case 0:
      if (!cell.open) {
        used.push_front(key);
        table.open(cell);
      }
      break;
    case 1:
      if (cell.open) {
        used.remove(key);
        used.push_front(key);
        table.use(cell);
      }
      break;
    case 2:
      used.remove(key);
      table.close(cell);
      break;
    default:
      if (cell.open)
        break;
      table.remove(cell);
      cells.erase(known);
    }
    REQUIRE(table.open_ones() == used.size());
    REQUIRE(table.all().size() == cells.size());
    REQUIRE(by_use(table) == std::vector<std::string>(used.begin(), used.end()));
    REQUIRE((table.oldest() == nullptr ? "" : table.oldest()->ref.key) ==
            (used.empty() ? "" : used.back()));
  }
}

TEST_CASE("queues of messages keep the order, and give all of it to another") {
  const auto named = [](const char* key) {
    auto made = std::make_unique<envelope>();
    made->key = key;
    return made;
  };
  const auto drained = [](envelope_queue queue) {
    std::string keys;
    while (const auto message = queue.pop_front())
      keys += message->key;
    return keys;
  };
  envelope_queue one;
  envelope_queue other;
  one.append(std::move(other)); // both empty
  CHECK(one.empty());
  for (const auto* key : {"a", "b"})
    one.push_back(named(key));
  envelope_queue more;
  for (const auto* key : {"c", "d"})
    more.push_back(named(key));
  one.append(std::move(more));
  CHECK(one.size() == 4);
  CHECK(one.pop_front()->key == "a");
  one.push_back(named("e"));

  auto taken = std::move(one);
  CHECK(taken.size() == 4);
  CHECK(drained(std::move(taken)) == "bcde");

  envelope_queue dropped; // a long one does not end in a deep recursion
  for (int i = 0; i < 200'000; ++i)
    dropped.push_back(named("x"));
}
