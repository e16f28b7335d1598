// What a supervisor is told about its children (the words are OTP's: docs/supervision.md).
#pragma once

#include "supervisors/backoff.hpp"
#include "supervisors/directive.hpp"

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace purser::supervisors {

enum class strategy : std::uint8_t {
  one_for_one,  ///< restart only the child that died (S4)
  one_for_all,  ///< stop all others, then start all (S5)
  rest_for_one, ///< stop those started after it, then start it and them (S6)
};

enum class restart_type : std::uint8_t {
  permanent, ///< always restarted
  transient, ///< only after an abnormal exit
  temporary, ///< never, and its spec is dropped
};

enum class child_type : std::uint8_t { worker, supervisor };

/// Whether a supervisor ends, in order, once significant children have ended by themselves (S16).
enum class auto_shutdown : std::uint8_t {
  never,
  any_significant, ///< with the first
  all_significant, ///< with the last
};

/// One line of a decider: a kind of failure and what to do about it (A9).
struct failure_rule {
  std::function<bool(const caf::error& cause)> matches; ///< must not throw
  directive then = directive::restart;
};

/// A rule for causes with the code and category of this one, whatever their text.
failure_rule on_failure(caf::error cause, directive then);

/// How a child is asked to end (S13).
struct shutdown_kill {};
struct shutdown_unlimited {};
using shutdown_way = std::variant<std::chrono::milliseconds, shutdown_kill, shutdown_unlimited>;

/// The child has nothing to do: its spec stays, nothing runs (S2).
struct ignore_child {};
/// The child could not be started, and why.
struct start_error {
  std::string why;
};
using start_result = std::variant<caf::actor, ignore_child, start_error>;

/// Starts one incarnation. Called in the supervisor's context; must not block; may throw, which
/// counts as a start_error. A child of type supervisor must be started with
/// `spawn_supervisor(parent, ...)`: its parent waits to hear that it is up. (A function that takes
/// a `caf::local_actor&` fits too.)
using start_function = std::function<start_result(caf::scheduled_actor& parent)>;

struct subtree_spec; // tree_bounds.hpp

/// What holds for a child of any supervisor.
struct child_rules {
  restart_type restart = restart_type::permanent;
  std::optional<shutdown_way> shutdown; ///< absent: 5 s for a worker, unlimited for a supervisor
  child_type type = child_type::worker;
  std::optional<backoff_policy> backoff; ///< before each restart but the first (A7)
  bool significant = false;              ///< its end can end the supervisor (S16)
  /// Asked for every abnormal exit, and for a restart that failed. The first that matches decides;
  /// none: restart.
  std::vector<failure_rule> on_failure;
  /// Of a supervisor: what it is made of, if the bounds of tree_bounds.hpp are to be known.
  std::shared_ptr<const subtree_spec> below;
};

struct child_spec : child_rules {
  std::string id; ///< unique among its siblings
  start_function start;
};

/// The child's own way to be stopped, or the default of its type.
shutdown_way shutdown_of(const child_rules& child);

struct supervisor_spec {
  std::string path; ///< in the tree: "root/shards"
  supervisors::strategy strategy = supervisors::strategy::one_for_one;
  std::uint32_t intensity = 1; ///< restarts allowed within `period` (S10)
  std::chrono::milliseconds period{5'000};
  std::vector<child_spec> children;
  supervisors::auto_shutdown auto_shutdown = supervisors::auto_shutdown::never;
  /// A child that has not ended this long after a kill never returned to the scheduler: it is
  /// reported as child_stuck (B9), and waited for.
  std::chrono::milliseconds stuck_after{1'000};
};

/// One mistake in a spec.
struct spec_error {
  std::string child; ///< its id, or empty for the supervisor itself
  std::string field;
  std::string message;

  friend bool operator==(const spec_error&, const spec_error&) = default;
};

/// A dry check (S21): every mistake, field by field.
std::vector<spec_error> check(const supervisor_spec& spec);

/// The parts that the specs of both kinds of supervisor share.
void check_limits(const std::string& path, std::chrono::milliseconds period,
                  std::chrono::milliseconds stuck_after, std::vector<spec_error>& errors);
void check_rules(const child_rules& child, const std::string& id, auto_shutdown end,
                 std::vector<spec_error>& errors);

/// @throws std::invalid_argument with all of the errors, if there are any.
void require_none(const std::string& path, const std::vector<spec_error>& errors);

} // namespace purser::supervisors
