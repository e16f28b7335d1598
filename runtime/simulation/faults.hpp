// What can go wrong in a simulated run.
#pragma once

#include <boost/describe.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace purser::simulation {

enum class fault : std::uint8_t {
  entity_crash,     ///< an entity crashes at one of the steps of handling a message
  poison,           ///< a message crashes its entity every time
  shard_crash,      ///< the actor that hands messages out dies, once or over and over
  supervisor_crash, ///< the supervisor of the shards dies
  kill,             ///< the process ends, between any two steps
  kill_at_append,   ///< in the midst of an append
  kill_at_sync,     ///< in the midst of a sync, or between the sync and what it releases
  torn_write,       ///< what was not synced at a kill is there in part, and not lost altogether
  disk_fails,       ///< an append or a sync fails; the process ends
  disk_full,        ///< syncs fail until space is made; the process ends meanwhile
  slow_disk,        ///< syncs are rare
  read_error,       ///< an entity cannot be read, some times
  stop,             ///< the process is stopped in order and started again
  provider_declines,
  provider_silent,   ///< no effect, and no answer: the deadline passes
  provider_forgets,  ///< it takes effect, and no answer comes
  provider_late,     ///< it takes effect, and the answer comes after the deadline
  provider_doubles,  ///< an answer comes twice
  provider_unsure,   ///< it takes effect, and nobody is told until it has healed
  provider_expires,  ///< an authorization runs out before it is captured or voided
  provider_asks,     ///< the customer has to do something first
  provider_reverses, ///< refunds and voids are refused at first
  clock_jump,        ///< business time jumps ahead, or to the very millisecond of a deadline
  client_repeats,    ///< commands come twice
  overload,          ///< many commands at once
};
BOOST_DESCRIBE_ENUM(fault, entity_crash, poison, shard_crash, supervisor_crash, kill,
                    kill_at_append, kill_at_sync, torn_write, disk_fails, disk_full, slow_disk,
                    read_error, stop, provider_declines, provider_silent, provider_forgets,
                    provider_late, provider_doubles, provider_unsure, provider_expires,
                    provider_asks, provider_reverses, clock_jump, client_repeats, overload)

using fault_set = std::set<fault>;

fault_set all_faults();

std::string_view name_of(fault what);

/// "kill,poison", or "all", or "none".
/// Throws std::invalid_argument with the name that is not one, and those that are.
fault_set parse_faults(const std::string& names);

/// The other way around.
std::string to_string(const fault_set& faults);

} // namespace purser::simulation
