// Amounts: signed 64-bit counts of minor units, never floating point (domain.md, "Money").
#pragma once

#include <boost/describe.hpp>

#include <cstdint>
#include <optional>

namespace purser {

/// Minor units of one currency (cents of USD, whole yen of JPY).
using minor_units = std::int64_t;

/// Milliseconds since 1970 UTC.
using unix_millis = std::int64_t;

/// A time as users and the journal's readers see it: RFC 3339 in JSON.
struct timestamp {
  unix_millis ms = 0;

  friend bool operator==(const timestamp&, const timestamp&) = default;
};
BOOST_DESCRIBE_STRUCT(timestamp, (), (ms))

/// The largest total of an order: the largest integer that every JSON reader keeps exact.
inline constexpr minor_units max_total = (std::int64_t{1} << 53) - 1;

/// a + b, or nothing on overflow.
inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    return std::nullopt;
  return sum;
}

/// a x b, or nothing on overflow.
inline std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    return std::nullopt;
  return product;
}

} // namespace purser
