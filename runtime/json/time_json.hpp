// Times in JSON: RFC 3339 UTC.
#pragma once

#include "actors/domain/money.hpp"
#include "actors/views.hpp"
#include "config/json_reader.hpp"
#include "config/json_schema.hpp"
#include "config/json_writer.hpp"

namespace purser::config {

template <>
inline void read(const boost::json::value& from, timestamp& to, const json_place& place,
                 const read_limits&) {
  to.ms = read_time(from, place);
}

template <>
struct schema_form<timestamp> {
  static boost::json::object make() { return {{"type", "string"}, {"format", "date-time"}}; }
};

namespace detail {

template <>
struct json_form<timestamp> {
  static boost::json::value make(const timestamp& value) {
    return boost::json::value(to_rfc3339(value.ms));
  }
};

} // namespace detail
} // namespace purser::config
