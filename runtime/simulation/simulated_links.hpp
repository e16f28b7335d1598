// Links between the nodes of a simulated cluster: what the link port promises, at its worst.
//
// L1 Of one sender the envelopes of a shard arrive in order, each at least once. L2
// Acknowledgements are lost: then everything since the last one that came through arrives again. L3
// Between two nodes that are cut off nothing arrives; it is sent again when they are not. L4 An
// envelope goes to the node that owns its shard when it arrives, whoever that was when it was sent.
// L5 What a node had sent is lost with its process, unless it has arrived: whoever wanted it sent
// sends it again.
//
// For simulated worlds of several nodes; a world of one node has none of this.
#pragma once

#include "actors/ports/link.hpp"
#include "runtime/simulation/dice.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace purser::simulation {

class simulated_links {
public:
  /// Called at each arrival; it may forward, give and cut.
  using receiver =
    std::function<void(std::size_t node, std::uint16_t shard, const std::string& envelope)>;

  /// `chance` decides everything; the first node owns every shard.
  simulated_links(dice& chance, std::size_t nodes, receiver arrives);
  ~simulated_links();

  /// A node's port.
  purser::link& of(std::size_t node);

  /// The shard is another node's from now on.
  void give(std::uint16_t shard, std::size_t to);

  /// L3.
  void cut(std::size_t one, std::size_t other);
  void mend(std::size_t one, std::size_t other);

  /// L5. What was on its way to the node arrives again.
  void ends(std::size_t node);

  /// Whether anything can arrive now.
  bool has_arrivals() const;

  /// One envelope arrives; which one is chance, within L1. Only when something can.
  void arrive();

private:
  class port;
  /// What one node sends to one shard.
  struct lane {
    std::deque<std::string> sent; ///< not acknowledged
    std::size_t next = 0;         ///< of them, to arrive next
  };
  using lane_key = std::pair<std::size_t, std::uint16_t>; ///< sender and shard

  std::size_t owner_of(std::uint16_t shard) const;
  bool is_cut(std::size_t one, std::size_t other) const;
  std::vector<lane_key> ready() const;

  dice& chance_;
  receiver arrives_;
  std::vector<std::unique_ptr<port>> ports_;
  std::map<std::uint16_t, std::size_t> owners_; ///< of shards that were given away
  std::set<std::pair<std::size_t, std::size_t>> cuts_;
  std::map<lane_key, lane> lanes_;
};

} // namespace purser::simulation
