#include "runtime/json/strict_parse.hpp"

#include "config/json_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>

#include <set>
#include <string>
#include <vector>

namespace purser {

namespace {

constexpr std::size_t max_depth = 32;

/// How many members all objects of a value have.
std::size_t count_members(const boost::json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    count = object->size();
    for (const auto& entry : *object)
      count += count_members(entry.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array)
      count += count_members(item);
  }
  return count;
}

/// Walks the text and remembers the first field that stands twice in one object; counts them all.
class repeat_finder {
public:
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = ~std::size_t{0};
  using error_code = boost::json::error_code;
  using string_view = boost::json::string_view;

  std::string repeated; ///< its pointer

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return levels_.emplace_back(), true; }
  bool on_object_end(std::size_t, error_code&) { return leave(); }
  bool on_array_begin(error_code&) {
    levels_.emplace_back().is_array = true;
    return true;
  }
  bool on_array_end(std::size_t, error_code&) { return leave(); }
  bool on_key_part(string_view part, std::size_t, error_code&) { return key_.append(part), true; }
  bool on_key(string_view part, std::size_t, error_code&) {
    key_.append(part);
    auto& level = levels_.back();
    level.key = key_;
    if (!level.seen.insert(std::exchange(key_, {})).second && repeated.empty())
      repeated = pointer();
    return true;
  }
  bool on_string_part(string_view, std::size_t, error_code&) { return true; }
  bool on_string(string_view, std::size_t, error_code&) { return next(); }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, string_view, error_code&) { return next(); }
  bool on_uint64(std::uint64_t, string_view, error_code&) { return next(); }
  bool on_double(double, string_view, error_code&) { return next(); }
  bool on_bool(bool, error_code&) { return next(); }
  bool on_null(error_code&) { return next(); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

private:
  struct nesting {
    bool is_array = false;
    std::size_t index = 0;
    std::string key;
    std::set<std::string> seen;
  };

  bool leave() {
    levels_.pop_back();
    return next();
  }
  bool next() {
    if (!levels_.empty())
      ++levels_.back().index;
    return true;
  }
  std::string pointer() const {
    std::string path;
    for (const auto& level : levels_)
      path += "/" + (level.is_array ? std::to_string(level.index) : level.key);
    return path;
  }

  std::vector<nesting> levels_;
  std::string key_;
};

/// How many members the text gives: each key is a string followed by a colon outside of strings.
std::size_t count_keys(std::string_view json) {
  std::size_t count = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_string) {
      if (json[i] == '\\')
        ++i;
      else if (json[i] == '"')
        in_string = false;
    } else if (json[i] == '"') {
      in_string = true;
    } else if (json[i] == ':') {
      ++count;
    }
  }
  return count;
}

std::string find_repeat(std::string_view json) {
  boost::json::basic_parser<repeat_finder> finder{boost::json::parse_options{}};
  boost::json::error_code error;
  finder.write_some(false, json.data(), json.size(), error);
  return finder.handler().repeated;
}

} // namespace

boost::json::value parse_strictly(std::string_view json) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  thread_local boost::json::parser parser{{}, options};
  parser.reset();
  boost::json::error_code error;
  const auto read = parser.write(json.data(), json.size(), error);
  if (error)
    throw config::json_error("", "is not JSON: " + error.message() + " at byte " +
                                   std::to_string(std::min(read + 1, json.size() + 1)));
  auto value = parser.release();
  if (count_members(value) != count_keys(json))
    throw config::json_error(find_repeat(json), "is given twice");
  return value;
}

} // namespace purser
