// The judge of a simulated run: a second, much simpler model. It sees only what clients see: the
// commands, the answers, and what queries show; and it is told what the bank's books say.
//
// J1 A command is answered the same however often it is sent; acknowledged once, a repeat is known
// as one. J2 What was accepted is there. J3 Units are where they came from: on hand is received,
// counted, shipped and put back; what is promised is held. J4 Money: nobody is charged more than
// the order's total, what is canceled costs nothing, what is confirmed is paid. J5 Everything comes
// to an end. J6 A hold ends at its millisecond, no later. J7 A supervisor gives up after more than
// its intensity of restarts within its period, and not before.
#pragma once

#include "actors/answer.hpp"
#include "actors/domain/commands.hpp"
#include "runtime/simulation/simulated_bank.hpp"
#include "supervisors/event.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace purser::simulation {

/// A rule was broken; the text says which.
struct verdict : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class auditor {
public:
  /// The bank's books are read, nothing else of it.
  explicit auditor(const simulated_bank& bank) : bank_(bank) {}

  void submitted(std::size_t number, const command& request, unix_millis at);
  /// Throws verdict (J1, J6).
  void answered(std::size_t number, const answer& result);
  void supervised(const supervisors::supervision_event& event, unix_millis now);
  /// A process began: its supervisors start counting anew.
  void started();

  bool is_answered(std::size_t number) const { return records_.at(number).first.has_value(); }
  std::size_t unanswered() const;

  /// Looks at everything when nothing is under way. `at_rest`: and nothing waits for time or the
  /// bank any more. Throws verdict (J2 to J5).
  using look = std::function<entity_view(const entity_ref&)>;
  void check(const look& ask, bool at_rest) const;

private:
  struct record {
    command request;
    std::vector<unix_millis> at;
    std::optional<answer> first; ///< definite
    bool excused = false;        ///< answered, and not for good
  };
  struct unit_sums {
    std::int64_t came = 0;     ///< received, counted, put back, less what left
    std::int64_t promised = 0; ///< held or sold, and not gone
    std::int64_t perhaps = 0;  ///< promised or let go: money is on its way back
    std::int64_t leaving = 0;  ///< gone or still there: a reservation is being shipped
    std::string by;            ///< whom, for people
  };
  using places = std::map<std::pair<std::string, std::string>, unit_sums>;

  bool must_be_there(const record& asked) const;
  void look_at_order(const look& ask, const record& asked, const place_order& placed, bool strict,
                     places& units) const;
  void look_at_reservation(const look& ask, const record& asked, const reserve_stock& wanted,
                           places& units) const;
  void check_expiry(const record& asked, const answer& result) const;
  void check_order(const place_order& placed, const order_view& view, bool at_rest,
                   places& units) const;
  void check_money(const place_order& placed, const order_view& view, bool at_rest) const;
  void check_ends(const std::string& id, const order_view& view) const;
  void count_reservation(const reserve_stock& wanted, const reservation_view& view,
                         places& units) const;
  std::int64_t named_in_cancels(const std::string& order_id, const std::string& line_id) const;
  void count_document(const record& asked, places& units) const;
  void check_stock(const look& ask, const places& units) const;

  const simulated_bank& bank_;
  std::vector<record> records_;
  std::map<std::string, unix_millis> expiries_; ///< of reservations that were accepted
  /// Some message or entity was given up (B3, B5): nothing is expected to come to its end by
  /// itself.
  bool gave_up_ = false;
  bool forced_ = false; ///< some count was forced: holds may be gone
  struct window {
    std::deque<unix_millis> failures; ///< of its children, perhaps not dealt with yet
    std::deque<unix_millis> restarts; ///< by when the child had failed
  };
  std::map<std::string, window> supervisors_;
  std::map<std::string, unix_millis> crashed_at_; ///< by child
};

} // namespace purser::simulation
