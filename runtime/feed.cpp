#include "runtime/feed.hpp"

#include "actors/aggregate.hpp"
#include "runtime/json/event_json.hpp"

#include <boost/json/serialize.hpp>

namespace purser {

void feed_signal::raise() {
  const std::lock_guard lock{mutex_};
  ++count_;
  raised_.notify_all();
}

void feed_signal::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  raised_.notify_all();
}

bool feed_signal::wait(std::uint64_t& seen, const std::atomic<bool>& stopping) {
  std::unique_lock lock{mutex_};
  raised_.wait(lock, [&] { return count_ != seen || closed_ || stopping.load(); });
  if (closed_ || stopping.load())
    return false;
  seen = count_;
  return true;
}

event_notice notice_of(const recorded_event& event) {
  return {event.at_position,
          event.stream,
          event.version,
          std::string{event_name(event.stream.kind, event.event.type)},
          event.event.at,
          event.event.cause,
          boost::json::serialize(event_data(event))};
}

feed::feed(group_commit_journal& journal, std::shared_ptr<feed_signal> signal, position after,
           std::function<void(const event_notice&)> on_event,
           std::function<void(const std::string&)> on_error)
    : journal_(journal), signal_(std::move(signal)), on_event_(std::move(on_event)),
      on_error_(std::move(on_error)), thread_([this, after] { run(after); }) {}

feed::~feed() {
  stop();
}

void feed::stop() {
  stopping_ = true;
  signal_->raise();
  const std::lock_guard lock{joining_};
  if (thread_.joinable())
    thread_.join();
}

void feed::run(position after) {
  try {
    journal_scan scan{journal_};
    scan.seek_after(after);
    std::uint64_t seen = 0;
    for (bool more = true; more;) {
      more = signal_->wait(seen, stopping_); // the last time: what became durable before the end
      scan.refresh();
      recorded_event event;
      while (!stopping_ && scan.next(event))
        on_event_(notice_of(event));
    }
  } catch (const std::exception& error) {
    on_error_(std::string{"a subscription ended: "} + error.what());
  } catch (...) {
    on_error_("a subscription ended: an exception that is no std::exception");
  }
}

} // namespace purser
