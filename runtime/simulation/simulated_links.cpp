#include "runtime/simulation/simulated_links.hpp"

#include <algorithm>

namespace purser::simulation {

namespace {

/// One arrival in so many is acknowledged; one in so many loses an acknowledgement.
constexpr std::size_t acknowledged_once_in = 3;
constexpr std::size_t sent_again_once_in = 5;

} // namespace

class simulated_links::port final : public purser::link {
public:
  port(simulated_links& all, std::size_t node) : all_(all), node_(node) {}

  bool owns(std::uint16_t shard) const override { return all_.owner_of(shard) == node_; }

  void forward(std::uint16_t shard, std::string envelope) override {
    all_.lanes_[{node_, shard}].sent.push_back(std::move(envelope));
  }

private:
  simulated_links& all_;
  std::size_t node_;
};

simulated_links::simulated_links(dice& chance, std::size_t nodes, receiver arrives)
    : chance_(chance), arrives_(std::move(arrives)) {
  for (std::size_t node = 0; node < nodes; ++node)
    ports_.push_back(std::make_unique<port>(*this, node));
}

simulated_links::~simulated_links() = default;

purser::link& simulated_links::of(std::size_t node) {
  return *ports_.at(node);
}

std::size_t simulated_links::owner_of(std::uint16_t shard) const {
  const auto found = owners_.find(shard);
  return found == owners_.end() ? 0 : found->second;
}

void simulated_links::give(std::uint16_t shard, std::size_t to) {
  owners_[shard] = to;
  for (auto& [key, way] : lanes_)
    if (key.second == shard)
      way.next = 0; // what the former owner had not acknowledged
}

void simulated_links::cut(std::size_t one, std::size_t other) {
  cuts_.insert(std::minmax(one, other));
}

void simulated_links::mend(std::size_t one, std::size_t other) {
  cuts_.erase(std::minmax(one, other));
}

bool simulated_links::is_cut(std::size_t one, std::size_t other) const {
  return cuts_.contains(std::minmax(one, other));
}

void simulated_links::ends(std::size_t node) {
  std::erase_if(lanes_, [node](const auto& each) { return each.first.first == node; });
  for (auto& [key, way] : lanes_)
    if (owner_of(key.second) == node)
      way.next = 0;
}

std::vector<simulated_links::lane_key> simulated_links::ready() const {
  std::vector<lane_key> found;
  for (const auto& [key, way] : lanes_)
    if (way.next < way.sent.size() && !is_cut(key.first, owner_of(key.second)))
      found.push_back(key);
  return found;
}

bool simulated_links::has_arrivals() const {
  return !ready().empty();
}

void simulated_links::arrive() {
  const auto key = chance_.of(ready());
  auto& way = lanes_.at(key);
  const auto envelope = way.sent.at(way.next++);
  if (chance_.one_in(acknowledged_once_in)) {
    way.sent.erase(way.sent.begin(), way.sent.begin() + static_cast<std::ptrdiff_t>(way.next));
    way.next = 0;
  } else if (chance_.one_in(sent_again_once_in)) {
    way.next = 0; // L2
  }
  arrives_(owner_of(key.second), key.second, envelope);
}

} // namespace purser::simulation
