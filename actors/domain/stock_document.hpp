// A receipt or an adjustment: the paper behind a change of stock. It exists so that its id is known
// for ever and means one thing, whichever SKU a repeat names (I1, I2), while the stock itself stays
// small.
//
//   absent -> open -> booked | refused
#pragma once

#include "actors/domain/messages.hpp"

#include <string>
#include <variant>
#include <vector>

namespace purser {

// -- State ----------------------------------------------------------------------------------------

enum class document_status : std::uint8_t { absent = 0, open = 1, booked = 2, refused = 3 };
BOOST_DESCRIBE_ENUM(document_status, absent, open, booked, refused)

struct stock_document {
  document_status status = document_status::absent;
  std::string sku;
  location_units units; ///< signed for an adjustment
  rejection why = rejection::none;
  bool force = false; ///< of an adjustment (K10)

  friend bool operator==(const stock_document&, const stock_document&) = default;
};
BOOST_DESCRIBE_STRUCT(stock_document, (), (status, sku, units, why, force))

// -- Events ---------------------------------------------------------------------------------------

struct document_opened {
  static constexpr std::uint16_t type = 1, schema = 1;
  static constexpr std::string_view name = "document_opened";
  std::string sku;
  location_units units;
  std::string reason; ///< of an adjustment
  bool force = false; ///< of an adjustment
};
BOOST_DESCRIBE_STRUCT(document_opened, (), (sku, units, reason, force))

struct document_booked {
  static constexpr std::uint16_t type = 2, schema = 1;
  static constexpr std::string_view name = "document_booked";
};
BOOST_DESCRIBE_STRUCT(document_booked, (), ())

struct document_refused {
  static constexpr std::uint16_t type = 3, schema = 1;
  static constexpr std::string_view name = "document_refused";
  rejection why = rejection::none;
};
BOOST_DESCRIBE_STRUCT(document_refused, (), (why))

using document_event = std::variant<document_opened, document_booked, document_refused>;

// -- Rules ----------------------------------------------------------------------------------------

/// Throws broken_invariant for a message that no workflow sends to a document.
decision<document_event> decide(const stock_document& current, const message_body& request,
                                const decide_context& context);

void evolve(stock_document& current, const document_event& event);

/// Books again what is still open; the stock knows the document by its key.
std::vector<effect> resume(const stock_document& current, const decide_context& context);

} // namespace purser
