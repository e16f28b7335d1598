// The provider's list of operations as JSON Lines (docs/formats/provider_list.md): what a
// reconciliation compares with (domain.md, M9).
#pragma once

#include "actors/domain/payment_call.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace purser {

enum class provider_status : std::uint8_t { succeeded = 1, refused };
BOOST_DESCRIBE_ENUM(provider_status, succeeded, refused)

/// One operation as the provider has it.
struct provider_entry {
  std::string key; ///< the idempotency key that it came with
  std::string order_id;
  operation_kind kind = operation_kind::authorize;
  minor_units amount = 0;
  std::string currency; ///< ISO 4217
  provider_status status = provider_status::succeeded;
};
BOOST_DESCRIBE_STRUCT(provider_entry, (), (key, order_id, kind, amount, currency, status))

std::string to_line(const provider_entry& entry);

/// Reads a list; a file that does not exist is empty; a last line without its end is ignored (the
/// writer was killed). Throws std::runtime_error, "FILE:LINE: pointer: what is wrong".
std::vector<provider_entry> read_provider_list(const std::filesystem::path& file);

} // namespace purser
