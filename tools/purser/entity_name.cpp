#include "tools/purser/entity_name.hpp"

#include "config/text.hpp"

#include <array>
#include <stdexcept>

namespace purser::tools {

entity_ref entity_named(const std::string& name) {
  constexpr std::array kinds{
    entity_kind::order,      entity_kind::stock,       entity_kind::payment, entity_kind::receipt,
    entity_kind::adjustment, entity_kind::reservation, entity_kind::batch};
  const auto slash = name.find('/');
  if (slash == std::string::npos || slash + 1 == name.size())
    throw std::runtime_error("\"" + name + "\" names no entity; write KIND/ID, like order/o-1");
  const auto kind = name.substr(0, slash);
  std::array<std::string_view, kinds.size()> known;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    known[i] = to_string(kinds[i]);
    if (known[i] == kind)
      return {kinds[i], name.substr(slash + 1)};
  }
  throw std::runtime_error("there is no kind of entity " + config::with_suggestion(kind, known) +
                           " (" + name + "): order, stock, payment, receipt, adjustment," +
                           " reservation or batch");
}

} // namespace purser::tools
