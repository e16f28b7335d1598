// The table of docs/supervision.md says the truth.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path source{PURSER_SOURCE_DIR};

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{source / path}.rdbuf();
  return text.str();
}

struct row {
  std::string where;
  std::string tests;
};

std::map<std::string, row> rows() {
  const auto text = text_of("docs/supervision.md");
  const std::regex pattern{R"(\| ([SAB]\d+) \| [^|]+ \| `([^`]+)` \| `([^`]+)` \|\n)"};
  std::map<std::string, row> all;
  for (std::sregex_iterator it{text.begin(), text.end(), pattern}, end; it != end; ++it) {
    CAPTURE((*it)[1].str());
    CHECK(all.emplace((*it)[1], row{(*it)[2], (*it)[3]}).second); // once each
  }
  return all;
}

/// Its name begins with the clause.
bool has_test_of(const std::string& text, const std::string& clause) {
  const std::regex pattern{"TEST_CASE\\(\\s*\"" + clause + ": "};
  return std::regex_search(text, pattern);
}

} // namespace

TEST_CASE("every clause of docs/supervision.md names a file that exists and tests that name it") {
  const auto all = rows();

  std::vector<std::string> clauses{"A2", "A7", "A9", "A10", "B2", "B3", "B4",
                                   "B5", "B6", "B7", "B8",  "B9", "B10"};
  for (auto i = 1; i <= 21; ++i)
    clauses.push_back("S" + std::to_string(i));
  CHECK(all.size() == clauses.size());
  for (const auto& clause : clauses) {
    CAPTURE(clause);
    REQUIRE(all.contains(clause));
    const auto& [where, tests] = all.at(clause);
    CHECK(std::filesystem::is_regular_file(source / where));
    CHECK(has_test_of(text_of(tests), clause));
  }
}

TEST_CASE("a file without a test of a clause is noticed") {
  CHECK(has_test_of("TEST_CASE(\n  \"S4: one\")", "S4"));
  CHECK_FALSE(has_test_of("TEST_CASE(\"S40: one\") TEST_CASE(\"as S4: says\")", "S4"));
}
