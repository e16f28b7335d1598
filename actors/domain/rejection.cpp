#include "actors/domain/rejection.hpp"

#include <boost/describe/enum_to_string.hpp>

namespace purser {

std::string_view to_string(rejection why) {
  return boost::describe::enum_to_string(why, "unknown_rejection");
}

} // namespace purser
