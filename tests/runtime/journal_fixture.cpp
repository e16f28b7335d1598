#include "tests/runtime/journal_fixture.hpp"

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

} // namespace purser::tests
