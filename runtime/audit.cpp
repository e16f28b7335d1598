#include "runtime/audit.hpp"

#include "runtime/audit_limits.hpp"
#include "runtime/fold.hpp"

#include <xxhash.h>

#include <cstdlib>
#include <unordered_map>

namespace purser {

namespace {

constexpr std::size_t findings_kept = 100;

/// What orders and reservations say of one SKU, against what its stock says.
struct sku_claims {
  std::int64_t claimed_held = 0;
  std::int64_t claimed_committed = 0;
  std::int64_t claimed_shipped = 0;
  std::int64_t held = 0;
  std::int64_t committed = 0;
  std::int64_t shipped = 0;
  bool unsettled = false;  ///< a step is under way that touches it
  std::int64_t parked = 0; ///< units of orders that are parked between two steps
};

class auditor {
public:
  auditor(group_commit_journal& journal, const audit_limits& limits)
      : journal_(journal), limits_(limits) {}

  void visit(const entity_image& image) {
    if (limits_.stop && ++visited_ % visits_between_looks == 0 && limits_.stop())
      throw audit_stopped();
    expect([&] { image.state().check(); }, image.ref());
    if (image.has_open_step())
      ++report_.open_steps;
    std::visit([&](const auto& view) { add(view, image); }, image.view(never_lapsed));
  }

  audit_report finish() && {
    for (const auto& [sku, claims] : skus_) {
      if (claims.unsettled) {
        ++report_.unsettled;
        continue;
      }
      if (claims.parked > 0) { // between two steps: nobody knows which of its books they are in
        const auto off = claims.held + claims.committed + claims.shipped - claims.claimed_held -
                         claims.claimed_committed - claims.claimed_shipped;
        require(std::abs(off) <= claims.parked, "K2: " + sku + " is off by " + std::to_string(off) +
                                                  ", orders that are parked have " +
                                                  std::to_string(claims.parked));
        continue;
      }
      require(claims.held == claims.claimed_held,
              "K2: " + sku + " holds " + std::to_string(claims.held) +
                ", orders and reservations " + std::to_string(claims.claimed_held));
      require(claims.committed == claims.claimed_committed,
              "K2: " + sku + " has committed " + std::to_string(claims.committed) +
                ", orders and reservations " + std::to_string(claims.claimed_committed));
      require(claims.shipped == claims.claimed_shipped,
              "K5: " + sku + " has shipped " + std::to_string(claims.shipped) +
                ", orders and reservations " + std::to_string(claims.claimed_shipped));
    }
    return std::move(report_);
  }

private:
  /// Lapsed holds count as held here: stock has not written that they lapsed.
  static constexpr unix_millis never_lapsed = 1;

  void add(const std::monostate&, const entity_image&) {}
  void add(const document_view&, const entity_image&) {}
  void add(const batch_view&, const entity_image&) {}

  void add(const stock_view& stock, const entity_image&) {
    ++report_.skus;
    report_.stock.received += stock.received;
    report_.stock.adjusted += stock.adjusted;
    report_.stock.held += stock.held;
    report_.stock.committed += stock.committed;
    report_.stock.shipped += stock.shipped;
    report_.stock.restocked += stock.restocked;
    report_.stock.on_hand += stock.on_hand;
    if (auto* claims = claims_of(stock.sku)) {
      claims->held = stock.held;
      claims->committed = stock.committed;
      claims->shipped = stock.shipped;
    }
    require(stock.on_hand == stock.received + stock.restocked + stock.adjusted - stock.shipped,
            "K1: " + stock.sku);
    require(stock.available >= 0 || stock.oversold, "K3: " + stock.sku);
  }

  /// Stock or payment may have gone on already. A parked order has no open step, and yet may wait:
  /// for a capture, say, with its units committed.
  static bool between_steps(const order_view& order, const entity_image& image) {
    return image.has_open_step() || order.status == order_status::needs_attention ||
           order.status == order_status::on_hold;
  }

  void add(const order_view& order, const entity_image& image) {
    ++report_.orders.placed;
    ++report_.orders.by_status[std::string{to_string(order.status)}];
    report_.lines += order.lines.size();
    report_.money[order.currency].ordered += order.total;
    for (const auto& line : order.lines) {
      report_.units += static_cast<std::uint64_t>(line.quantity);
      auto* claims = claims_of(line.sku);
      if (claims == nullptr)
        continue;
      claims->claimed_held += line.held;
      claims->claimed_committed += line.committed;
      claims->claimed_shipped += line.shipped;
      claims->unsettled = claims->unsettled || image.has_open_step();
      if (between_steps(order, image))
        claims->parked += line.quantity;
    }
    if (!between_steps(order, image))
      check_payment(order);
  }

  void add(const payment_view& payment, const entity_image&) {
    auto& sums = report_.money[payment.currency];
    sums.authorized += payment.authorized;
    sums.captured += payment.captured;
    sums.voided += payment.voided;
    sums.refunded += payment.refunded;
  }

  void add(const reservation_view& reservation, const entity_image& image) {
    for (const auto& line : reservation.lines) {
      auto* claims = claims_of(line.sku);
      if (claims == nullptr)
        continue;
      claims->unsettled = claims->unsettled || image.has_open_step();
      switch (reservation.status) {
      case reservation_status::held: claims->claimed_held += line.quantity; break;
      case reservation_status::committed: claims->claimed_committed += line.quantity; break;
      case reservation_status::shipped: claims->claimed_shipped += line.quantity; break;
      default: break;
      }
    }
  }

  bool is_in_part(const std::string& sku) const {
    return ((XXH3_64bits(sku.data(), sku.size()) ^ limits_.round) & part_mask_) == 0;
  }

  /// Null when the SKU is not compared this time. When there are too many, half of those that were
  /// go: which ones says their hash, so that of the others nothing is missed.
  sku_claims* claims_of(const std::string& sku) {
    if (part_mask_ != 0 && !is_in_part(sku))
      return nullptr;
    auto& claims = skus_[sku];
    if (limits_.skus_at_once == 0 || skus_.size() <= limits_.skus_at_once)
      return &claims;
    part_mask_ = part_mask_ << 1 | 1;
    std::erase_if(skus_, [this](const auto& each) { return !is_in_part(each.first); });
    return claims_of(sku);
  }

  /// M5: what an order owes is what its payment has taken.
  void check_payment(const order_view& order) {
    const auto payment = std::get_if<payment_view>(
      &(view_ = load_entity(journal_, {entity_kind::payment, order.order_id}).view(never_lapsed)));
    const auto captured = payment == nullptr ? 0 : payment->captured - payment->refunded;
    const auto open_authorization = payment == nullptr ? 0
                                                       : payment->authorized - payment->captured -
                                                           payment->voided - payment->expired;
    const auto expected = order.captured - order.refunded;
    require(captured == expected, "M5: order " + order.order_id + " counts " +
                                    std::to_string(expected) + " taken, its payment " +
                                    std::to_string(captured));
    const bool over = order.status == order_status::canceled ||
                      order.status == order_status::rejected ||
                      order.status == order_status::completed;
    if (over)
      require(open_authorization == 0,
              "M5: order " + order.order_id + " is over, and money is still authorized");
    if (over && order.status != order_status::completed)
      require(captured == 0, "M5: order " + order.order_id + " is over, and money is still taken");
  }

  template <class Check>
  void expect(Check check, const entity_ref& ref) {
    try {
      check();
      require(true, {});
    } catch (const broken_invariant& error) {
      require(false, to_string(ref) + ": " + error.what());
    }
  }

  void require(bool holds, const std::string& finding) {
    ++report_.invariants.checked;
    if (holds)
      return;
    ++report_.invariants.broken;
    if (report_.findings.size() < findings_kept)
      report_.findings.push_back(finding);
  }

  static constexpr std::uint64_t visits_between_looks = 256;

  group_commit_journal& journal_;
  const audit_limits& limits_;
  std::uint64_t visited_ = 0;
  std::uint64_t part_mask_ = 0; ///< of a SKU's hash; 0: all are compared
  audit_report report_;
  std::unordered_map<std::string, sku_claims> skus_;
  entity_view view_;
};

} // namespace

audit_report audit(group_commit_journal& journal) {
  return audit_within(journal, {});
}

audit_report audit_within(group_commit_journal& journal, const audit_limits& limits) {
  auditor audits{journal, limits};
  for_each_entity(journal, [&](const entity_image& image) { audits.visit(image); });
  return std::move(audits).finish();
}

} // namespace purser
