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

std::vector<std::string> by_use(const cell_table& table, std::size_t most) {
  std::vector<std::string> keys;
  for (const auto* each : table.newest(most))
    keys.push_back(each->ref.key);
  return keys;
}

} // namespace

TEST_CASE("a table of entities agrees with a simple one, whatever is done to it") {
  cell_table table;
  std::map<std::string, entity_cell_ptr> cells;
  std::list<std::string> once; // open ones, newest first
  std::list<std::string> again;
  std::map<std::string, std::uint64_t> counted_at;
  std::uint64_t openings = 0;
  std::size_t most_again = 0;
  std::mt19937 random{1};
  for (int step = 0; step < 40'000; ++step) {
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
    switch (random() % 40) {
    case 0:
    case 1:
    case 2:
      once.remove(key);
      again.remove(key);
      table.close(cell);
      break;
    default:
      if (!cell.open) {
        once.push_front(key);
        counted_at[key] = ++openings;
        table.open(cell);
      } else {
        const bool counts = openings - counted_at[key] >= cell_table::pause;
        const bool was_again = std::count(again.begin(), again.end(), key) > 0;
        once.remove(key);
        again.remove(key);
        (counts || was_again ? again : once).push_front(key);
        if (counts)
          counted_at[key] = openings;
        table.use(cell);
      }
      break;
    case 3:
      if (cell.open)
        break;
      table.remove(cell);
      cells.erase(known);
    }
    std::vector<std::string> used{once.begin(), once.end()};
    used.insert(used.end(), again.begin(), again.end());
    REQUIRE(table.open_ones() == used.size());
    REQUIRE(table.all().size() == cells.size());
    REQUIRE(by_use(table, used.size() + 1) == used);
    used.resize(std::min<std::size_t>(used.size(), 5));
    REQUIRE(by_use(table, 5) == used);
    most_again = std::max(most_again, again.size());
  }
  CHECK(most_again > 10); // else it did not try them
}

TEST_CASE("D4: what is used again and again, with pauses, stays; a burst of uses is one") {
  cell_table table;
  std::vector<entity_cell_ptr> cells;
  std::vector<std::string> left;
  const auto named = [&](const std::string& key) -> entity_cell& {
    cells.push_back(std::make_shared<entity_cell>(entity_ref{entity_kind::stock, key}));
    table.add(cells.back());
    table.open(*cells.back());
    return *cells.back();
  };
  const auto shrink_to = [&](std::size_t most) {
    while (table.open_ones() > most)
      for (auto* each : table.next_to_leave(1)) {
        left.push_back(each->ref.key);
        table.close(*each);
      }
  };
  auto& needed = named("needed");
  auto& busy_once = named("busy-once");
  for (int i = 0; i < 100; ++i)
    table.use(busy_once);
  constexpr std::size_t room = 500;
  for (int order = 1; order < 10'000; ++order) {
    named("order-" + std::to_string(order));
    if (order == 300 || order == 600 || order % 900 == 0) // it would be gone after 500
      table.use(needed);
    shrink_to(room);
  }
  CHECK(needed.open);
  CHECK_FALSE(busy_once.open);
  CHECK(left.front() == "busy-once"); // the oldest
  CHECK(std::count(left.begin(), left.end(), "needed") == 0);

  std::vector<entity_cell*> others; // are needed now, and it is not
  for (int order = 0; order < 3'000; ++order) {
    auto& other = named("later-" + std::to_string(order));
    if (others.size() < room)
      others.push_back(&other);
    for (auto* each : others)
      if (each->open && order % 200 == 150)
        table.use(*each);
    shrink_to(room);
  }
  CHECK_FALSE(needed.open);
}

TEST_CASE("D4: those that may leave are named once each, and few are looked at") {
  cell_table table;
  std::vector<entity_cell_ptr> cells;
  for (std::size_t i = 0; i < 2 * cell_table::pause; ++i) {
    cells.push_back(
      std::make_shared<entity_cell>(entity_ref{entity_kind::order, std::to_string(i)}));
    table.add(cells.back());
    table.open(*cells.back());
  }
  CHECK(cell_table{}.next_to_leave(3).empty());
  auto found = table.next_to_leave(2 * cells.size());
  CHECK(found.size() == cells.size());
  std::sort(found.begin(), found.end());
  CHECK(std::unique(found.begin(), found.end()) == found.end());

  for (std::size_t i = 0; i < cell_table::pause; ++i)
    table.use(*cells[i]);
  CHECK(table.next_to_leave(1).front() == cells[cell_table::pause].get());
  for (std::size_t i = cell_table::pause; i < cells.size(); ++i)
    table.close(*cells[i]);
  CHECK(table.next_to_leave(1).empty()); // each has one chance: eight lost it
  CHECK(table.next_to_leave(2 * cells.size()).size() == 8);
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
