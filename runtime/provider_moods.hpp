// How the simulated provider can be told to behave.
#pragma once

#include "actors/domain/payment_call.hpp"

#include <boost/describe.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace purser {

/// How an operation is treated.
enum class provider_mood : std::uint8_t {
  approve,
  decline,
  timeout,       ///< no effect, and never an answer
  timeout_after, ///< it takes effect, but the first answer never comes: asking finds it
  unknown,       ///< it takes effect, and nobody gets a definite answer until `confess`
  late,          ///< it takes effect, and the answer comes `late_ms` later
  twice,         ///< answered twice
  action,        ///< waits for the customer: `act`
  expire,        ///< of a capture or a void: the authorization has run out
};
BOOST_DESCRIBE_ENUM(provider_mood, approve, decline, timeout, timeout_after, unknown, late, twice,
                    action, expire)

/// What the next operations that fit are to meet.
struct provider_rule {
  std::optional<operation_kind> kind;  ///< any
  std::optional<std::string> order_id; ///< any
  provider_mood mood = provider_mood::approve;
  std::uint32_t times = 1; ///< operations; 0: all from now on
};

struct provider_options {
  std::uint64_t seed = 1; ///< of chance, which hangs on an operation's key alone
  std::uint32_t decline_permille = 0;
  std::uint32_t timeout_permille = 0;
  std::uint32_t timeout_after_permille = 0;
  std::uint32_t late_permille = 0;
  std::uint32_t twice_permille = 0;
  std::int64_t late_ms = 20'000;
  bool sales = false; ///< it takes authorize and capture in one call (payment_gateway)
  /// Every operation that took effect, as JSON Lines (docs/formats/provider_list.md): remembered
  /// over restarts. Without it the provider decides by the token again, and so answers as before.
  std::optional<std::filesystem::path> list;
};

} // namespace purser
