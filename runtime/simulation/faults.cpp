#include "runtime/simulation/faults.hpp"

#include <boost/mp11.hpp>

#include <algorithm>
#include <stdexcept>

namespace purser::simulation {

fault_set all_faults() {
  fault_set all;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<fault>>(
    [&](auto each) { all.insert(each.value); });
  return all;
}

std::string_view name_of(fault what) {
  return boost::describe::enum_to_string(what, "unknown");
}

namespace {

std::string joined(const fault_set& faults) {
  std::string names;
  for (const auto each : faults)
    names.append(names.empty() ? "" : ",").append(name_of(each));
  return names;
}

} // namespace

fault_set parse_faults(const std::string& names) {
  if (names == "all")
    return all_faults();
  fault_set faults;
  if (names == "none")
    return faults;
  for (std::size_t begin = 0; begin <= names.size();) {
    const auto end = std::min(names.find(',', begin), names.size());
    const auto name = names.substr(begin, end - begin);
    fault found{};
    if (!boost::describe::enum_from_string(name.c_str(), found))
      throw std::invalid_argument("there is no fault \"" + name + "\"; there are " +
                                  joined(all_faults()) + ", and all and none");
    faults.insert(found);
    begin = end + 1;
  }
  return faults;
}

std::string to_string(const fault_set& faults) {
  return faults == all_faults() ? "all" : faults.empty() ? "none" : joined(faults);
}

} // namespace purser::simulation
