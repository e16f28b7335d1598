// What became of a client's command or query.
#pragma once

#include "actors/domain/rejection.hpp"
#include "actors/views.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace purser {

enum class outcome : std::uint8_t {
  accepted = 1, ///< it took effect, or was so already; durable
  rejected = 2, ///< the shop said no; that is durable too
  unknown = 3,  ///< the engine stopped or the deadline passed first: ask by id
};
BOOST_DESCRIBE_ENUM(outcome, accepted, rejected, unknown)

struct answer {
  outcome result = outcome::unknown;
  rejection why = rejection::none; ///< of rejected
  bool duplicate = false;          ///< a repeat: nothing happened, this is the first answer again
  std::string id;                  ///< the order, reservation, receipt or adjustment
  std::string detail;              ///< of unknown: why
  entity_view view;                ///< of a query; else only when asked for
};

/// One call of a client, waiting for its answer. Answered at most once; thread-safe.
class client_call {
public:
  client_call() = default;
  client_call(const client_call&) = delete;
  client_call& operator=(const client_call&) = delete;
  virtual ~client_call() = default;

  /// Called only when everything that the answer tells is durable.
  virtual void deliver(answer result) = 0;
};

using client_call_ptr = std::shared_ptr<client_call>;

} // namespace purser
