#include "tools/purser/replayer.hpp"

#include <algorithm>
#include <memory>

namespace purser::tools {

replayer::claim replayer::claim_of(const command_body& body) const {
  claim made;
  const auto touch = [&made](std::string_view kind, const std::string& id) {
    made.keys.push_back(std::string{kind} + '/' + id);
  };
  const auto touch_all = [&](const auto& lines) {
    for (const auto& line : lines)
      touch("sku", line.sku);
    made.lines = lines.size();
  };
  struct visitor {
    claim& made;
    decltype(touch)& touch_key;
    decltype(touch_all)& touch_lines;
    bool backorders;

    void operator()(const receive_stock& c) const {
      touch_key("receipt", c.receipt_id);
      touch_key("sku", c.sku);
      made.alone = backorders; // it may be what orders of other SKUs wait for too
    }
    void operator()(const receive_batch& c) const {
      touch_key("batch", c.batch_id);
      touch_lines(c.lines);
      made.alone = backorders;
    }
    void operator()(const adjust_stock& c) const {
      touch_key("adjustment", c.adjustment_id);
      touch_key("sku", c.sku);
      made.alone = backorders || c.force; // orders that lose their holds let go of other SKUs too
    }
    void operator()(const reserve_stock& c) const {
      touch_key("reservation", c.reservation_id);
      touch_lines(c.lines);
    }
    void operator()(const place_order& c) const {
      touch_key("order", c.order_id);
      touch_lines(c.lines);
    }
    // A shipment takes committed units: what is available, and so every other decision, stays the
    // same.
    void operator()(const ship_order& c) const { touch_key("order", c.order_id); }
    void operator()(const deliver_order& c) const { touch_key("order", c.order_id); }
    void operator()(const resume_order& c) const { touch_key("order", c.order_id); }
    void operator()(const hold_order& c) const { touch_key("order", c.order_id); }
    void operator()(const grant_refund& c) const { touch_key("order", c.order_id); }
    // What gives units back may touch any SKU of the order.
    void operator()(const cancel_order&) const { made.alone = true; }
    void operator()(const return_order&) const { made.alone = true; }
    void operator()(const resolve_order&) const { made.alone = true; }
    void operator()(const retry_payment&) const { made.alone = true; }
    void operator()(const commit_reservation&) const { made.alone = true; }
    void operator()(const release_reservation&) const { made.alone = true; }
    void operator()(const ship_reservation&) const { made.alone = true; }
  };
  std::visit(visitor{made, touch, touch_all, backorders_}, body);
  std::sort(made.keys.begin(), made.keys.end());
  made.keys.erase(std::unique(made.keys.begin(), made.keys.end()), made.keys.end());
  return made;
}

bool replayer::is_free(const claim& wanted) const {
  if (!failure_.empty())
    return true; // it will not be sent
  if (under_way_ == 0)
    return true;
  if (alone_ || wanted.alone || under_way_ >= limits_.commands ||
      lines_under_way_ + wanted.lines > limits_.lines)
    return false;
  return std::none_of(wanted.keys.begin(), wanted.keys.end(),
                      [this](const std::string& key) { return touched_.contains(key); });
}

bool replayer::send(command request) {
  if (const auto* place = std::get_if<place_order>(&request.body))
    backorders_ = backorders_ || place->allow_backorder;
  auto wanted = std::make_shared<const claim>(claim_of(request.body));
  {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return is_free(*wanted); });
    if (!failure_.empty())
      return false;
    for (const auto& key : wanted->keys)
      ++touched_[key];
    ++under_way_;
    lines_under_way_ += wanted->lines;
    alone_ = wanted->alone;
  }
  engine_.submit(std::move(request),
                 [this, wanted](const answer& result) { answered(*wanted, result); });
  return true;
}

void replayer::answered(const claim& done, const answer& result) {
  const std::lock_guard lock{mutex_};
  for (const auto& key : done.keys)
    if (const auto found = touched_.find(key); --found->second == 0)
      touched_.erase(found);
  --under_way_;
  lines_under_way_ -= done.lines;
  if (done.alone)
    alone_ = false;
  if (result.result == outcome::unknown || result.why == rejection::overloaded) {
    if (failure_.empty())
      failure_ = result.id + ": " + result.detail;
  } else if (result.duplicate) {
    ++counts_.duplicate;
  } else if (result.result == outcome::accepted) {
    ++counts_.accepted;
  } else {
    ++counts_.rejected;
  }
  changed_.notify_all();
}

bool replayer::finish() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return under_way_ == 0; });
  return failure_.empty();
}

replay_counts replayer::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

std::string replayer::failure() const {
  const std::lock_guard lock{mutex_};
  return failure_;
}

} // namespace purser::tools
