// What a benchmark's clients choose by.
#include "tools/purser/client_numbers.hpp"

#include <doctest/doctest.h>

#include <set>

using purser::tools::client_numbers;

TEST_CASE("each client of a benchmark chooses by numbers of its own") {
  // Once they were all one sequence, each client a step ahead of the next: 64 of them chose the
  // same few SKUs at the same time, and what was called spread was not.
  constexpr std::uint64_t clients = 64;
  constexpr std::uint64_t of_each = 100;
  std::set<std::uint64_t> numbers;
  for (std::uint64_t client = 0; client < clients; ++client) {
    client_numbers own{client};
    client_numbers again{client};
    for (std::uint64_t i = 0; i < of_each; ++i) {
      const auto number = own.next();
      CHECK(number == again.next());
      numbers.insert(number);
    }
  }
  CHECK(numbers.size() == clients * of_each);
}

TEST_CASE("a benchmark's clients choose from all SKUs") {
  constexpr std::uint64_t skus = 1'000;
  std::set<std::uint64_t> chosen;
  for (std::uint64_t client = 0; client < 64; ++client) {
    client_numbers own{client};
    for (int i = 0; i < 100; ++i)
      chosen.insert(own.next() % skus);
  }
  CHECK(chosen.size() > skus * 95 / 100); // 998 are to be expected of 6,400 tries
}
