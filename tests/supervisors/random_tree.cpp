#include "tests/supervisors/random_tree.hpp"

#include <array>

namespace purser::supervisors {

namespace {

template <class Enum, std::size_t n>
std::string name_of(const std::array<const char*, n>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

std::string name_of(bool value) {
  return value ? "true" : "false";
}
std::string name_of(restart_type value) {
  return name_of(std::array{"permanent", "transient", "temporary"}, value);
}
std::string name_of(auto_shutdown value) {
  return name_of(std::array{"never", "any_significant", "all_significant"}, value);
}
std::string name_of(strategy value) {
  return name_of(std::array{"one_for_one", "one_for_all", "rest_for_one"}, value);
}

} // namespace

std::string to_term(const node& it) {
  const auto as_child = it.id + "," + name_of(it.restart) + "," + name_of(it.significant);
  const auto limits = std::to_string(it.intensity) + "," + name_of(it.end);
  if (it.what == node::kind::worker)
    return "{worker," + as_child + "}";
  if (it.what == node::kind::dynamic)
    return "{dynamic," + as_child + "," + limits + "," + name_of(it.instance_restart) + "," +
           name_of(it.instance_significant) + "}";
  std::string children;
  for (const auto& child : it.children)
    children += (children.empty() ? "" : ",") + to_term(child);
  return "{supervisor," + as_child + "," + limits + "," + name_of(it.how) + ",[" + children + "]}";
}

std::string to_term(const step& it) {
  const auto what =
    name_of(std::array{"crash", "finish", "spoil", "mend", "start", "stop", "wait"}, it.what);
  const auto under = it.under.empty() ? "" : "," + it.under;
  return "{" + what + "," + it.id + under + "}";
}

} // namespace purser::supervisors
