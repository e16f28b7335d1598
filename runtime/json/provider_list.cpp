#include "runtime/json/provider_list.hpp"

#include "config/json_reader.hpp"
#include "config/json_writer.hpp"
#include "runtime/json/strict_parse.hpp"

#include <boost/json/serialize.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace purser::config {

template <>
struct required_fields<provider_entry> {
  static constexpr std::array<std::string_view, 5> names{"key", "order_id", "kind", "amount",
                                                         "currency"};
};

} // namespace purser::config

namespace purser {

std::string to_line(const provider_entry& entry) {
  return boost::json::serialize(config::to_json(entry));
}

std::vector<provider_entry> read_provider_list(const std::filesystem::path& file) {
  std::vector<provider_entry> entries;
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return entries;
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    if (end == std::string::npos)
      break;
    const auto line = std::string_view{text}.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    try {
      config::read(parse_strictly(line), entries.emplace_back(), config::json_place{});
    } catch (const config::json_error& error) {
      throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": " + error.pointer +
                               ": " + error.what());
    }
  }
  return entries;
}

} // namespace purser
