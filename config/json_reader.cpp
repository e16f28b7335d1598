#include "config/json_reader.hpp"

#include <boost/json/serialize.hpp>

namespace purser::config {

namespace {

/// RFC 6901: ~ and / are escaped.
void append_escaped(std::string& out, std::string_view name) {
  for (const char c : name)
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
}

} // namespace

std::string json_place::pointer() const {
  if (parent == nullptr)
    return {};
  auto path = parent->pointer();
  path += '/';
  if (index)
    path += std::to_string(*index);
  else
    append_escaped(path, name.substr(0, 128));
  return path;
}

std::string describe(const boost::json::value& value) {
  switch (value.kind()) {
  case boost::json::kind::null: return "null";
  case boost::json::kind::bool_: return value.get_bool() ? "true" : "false";
  case boost::json::kind::int64:
  case boost::json::kind::uint64:
  case boost::json::kind::double_: return "the number " + boost::json::serialize(value);
  case boost::json::kind::string: return "a string";
  case boost::json::kind::array: return "a list";
  case boost::json::kind::object: return "an object";
  }
  return "something else";
}

void fail(const json_place& place, const std::string& message) {
  throw json_error(place.pointer(), message);
}

std::int64_t read_signed(const boost::json::value& value, const json_place& place,
                         std::int64_t least, std::int64_t most) {
  if (const auto* number = value.if_int64(); number && *number >= least && *number <= most)
    return *number;
  fail(place, "must be an integer from " + std::to_string(least) + " to " + std::to_string(most) +
                ", not " + describe(value));
}

std::uint64_t read_unsigned(const boost::json::value& value, const json_place& place,
                            std::uint64_t most) {
  if (const auto* number = value.if_int64();
      number && *number >= 0 && static_cast<std::uint64_t>(*number) <= most)
    return static_cast<std::uint64_t>(*number);
  if (const auto* number = value.if_uint64(); number && *number <= most)
    return *number;
  fail(place, "must be an integer from 0 to " + std::to_string(most) + ", not " + describe(value));
}

std::string read_string(const boost::json::value& value, const json_place& place) {
  const auto* text = value.if_string();
  if (text == nullptr)
    fail(place, "must be a string, not " + describe(value));
  return {text->data(), text->size()};
}

std::int64_t read_time(const boost::json::value& value, const json_place& place) {
  const auto text = read_string(value, place);
  const auto time = parse_rfc3339(text);
  if (!time)
    fail(place, "must be a time like \"1996-07-04T00:00:00Z\" (RFC 3339), not \"" +
                  text.substr(0, 64) + "\"");
  return *time;
}

} // namespace purser::config
