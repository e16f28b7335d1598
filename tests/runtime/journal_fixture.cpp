#include "tests/runtime/journal_fixture.hpp"

#include "runtime/journal/marks.hpp"

#include <cstdlib>

namespace purser::tests {

scratch_directory::scratch_directory() {
  auto pattern = (std::filesystem::temp_directory_path() / "purser-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no scratch directory");
  path_ = pattern;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::set<std::string> due_marks(store& disk) {
  std::set<std::string> found;
  disk.for_each_mark(marks::due,
                     [&](std::string_view rest, std::string_view) { found.emplace(rest); });
  return found;
}

} // namespace purser::tests
