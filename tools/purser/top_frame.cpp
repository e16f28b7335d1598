#include "tools/purser/top_frame.hpp"

#include "tools/purser/terminal.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>

namespace purser::tools {

namespace {

constexpr const char* bold = "\x1b[1m";
constexpr const char* red = "\x1b[1;31m";
constexpr const char* yellow = "\x1b[1;33m";
constexpr const char* green = "\x1b[1;32m";
constexpr const char* inverse = "\x1b[7m";
constexpr const char* plain = "\x1b[0m";

constexpr std::string_view prefix = "root/shards/";
constexpr std::size_t columns_with_causes = 100;
constexpr std::size_t most_reasons = 3;

struct activity_row {
  const boost::json::object* row = nullptr;
  double per_second = 0;
  bool in_trouble = false;
};

class painter {
public:
  painter(const std::string& data, const engine_sample& now, const engine_sample* before,
          const frame_shape& shape)
      : now_(now), before_(before), shape_(shape),
        seconds_(before != nullptr
                   ? std::chrono::duration<double>(now.at - before->at).count()
                   : static_cast<double>(number_in(now.figures, "uptime_ms")) / 1e3) {
    head(data);
    const auto left = shape_.lines - std::min(shape_.lines, lines_.size());
    const auto events = std::min<std::size_t>(now_.events.size(), left / 3);
    const auto for_events = events == 0 ? 0 : events + 1;
    rows(left - std::min(left, for_events));
    if (events > 0)
      newest(events);
    if (lines_.size() > shape_.lines)
      lines_.resize(shape_.lines);
  }

  std::vector<std::string> take() { return std::move(lines_); }

private:
  std::string colored(const char* color, const std::string& text) const {
    return shape_.colored ? color + text + plain : text;
  }

  void add(const std::string& text, const char* color = nullptr) {
    auto line = fitted(text, shape_.columns);
    line.erase(line.find_last_not_of(' ') + 1);
    lines_.push_back(color == nullptr ? line : colored(color, line));
  }

  std::int64_t total(const char* name) const { return number_in(now_.figures, name); }

  double change(const char* name) const {
    return static_cast<double>(total(name) -
                               (before_ != nullptr ? number_in(before_->figures, name) : 0));
  }

  std::string rate(const char* name) const {
    return grouped(static_cast<std::int64_t>(change(name) / std::max(seconds_, 1e-3)));
  }

  void head(const std::string& data) {
    const auto status = status_of(now_.health);
    add(fmt::format("purser top  {}  pid {}  up {}  {}", data, number_in(now_.health, "pid"),
                    duration_text(total("uptime_ms")), status),
        status == "ready"      ? green
        : status == "degraded" ? yellow
                               : red);
    const auto& reasons = list_in(now_.health, "reasons");
    for (std::size_t i = 0; i < std::min(reasons.size(), most_reasons); ++i)
      if (reasons[i].is_string())
        add("  ! " + std::string{reasons[i].get_string()}, yellow);
    const auto commits = std::max(change("commits"), 1.0);
    add(fmt::format("orders/s {}  commands/s {}  events/s {}  messages/s {}", rate("orders"),
                    rate("commands"), rate("events"), rate("messages")));
    add(fmt::format("commits/s {}  sync {:.2f} ms  events/commit {:.0f}  in flight {}  live {}  "
                    "disk {:.1f} MiB",
                    rate("commits"), change("sync_us") / commits / 1e3, change("events") / commits,
                    grouped(total("in_flight")), grouped(total("live_entities")),
                    static_cast<double>(total("disk_bytes")) / (1 << 20)));
    add(fmt::format("crashes {}  restarts {}  dead letters {}  quarantined {}  healed in {}/{} us",
                    grouped(total("crashes")), grouped(total("restarts")),
                    grouped(total("dead_letters")), grouped(total("quarantined")),
                    grouped(total("healing_us_p50")), grouped(total("healing_us_p99"))));
  }

  std::vector<activity_row> sorted() const {
    std::map<std::string, std::int64_t> messages_before;
    if (before_ != nullptr)
      for (const auto& row : list_in(before_->tree, "rows"))
        messages_before[text_in(row.as_object(), "path")] = number_in(row.as_object(), "messages");
    std::vector<activity_row> made;
    for (const auto& value : list_in(now_.tree, "rows")) {
      const auto& row = value.as_object();
      const auto messages = number_in(row, "messages");
      const auto found = messages_before.find(text_in(row, "path"));
      const auto known = found == messages_before.end() ? 0 : std::min(found->second, messages);
      made.push_back({&row, static_cast<double>(messages - known) / std::max(seconds_, 1e-3),
                      text_in(row, "state") != "running"});
    }
    std::stable_sort(made.begin(), made.end(), [](const auto& one, const auto& other) {
      return std::tuple{one.in_trouble, number_in(*one.row, "mailbox"), one.per_second} >
             std::tuple{other.in_trouble, number_in(*other.row, "mailbox"), other.per_second};
    });
    return made;
  }

  std::string line_of(std::string_view path, std::string_view state, std::string_view restarts,
                      std::string_view mailbox, std::string_view rate_text, std::string_view uptime,
                      std::string_view cause) const {
    constexpr std::size_t others = 52;
    const bool causes = shape_.columns >= columns_with_causes;
    const auto room = shape_.columns - std::min(shape_.columns, others);
    const auto for_path = std::max<std::size_t>(causes ? room / 2 : room, 8);
    auto made = fitted(path, for_path) + " " + fitted(state, 14) + fitted(restarts, 8, true) +
                fitted(mailbox, 9, true) + fitted(rate_text, 12, true) + fitted(uptime, 8, true);
    if (causes)
      made += "  " + std::string{cause};
    return made;
  }

  void rows(std::size_t count) {
    if (count == 0)
      return;
    lines_.push_back(colored(inverse, fitted(line_of("actor", "state", "restarts", "mailbox",
                                                     "messages/s", "uptime", "last cause"),
                                             shape_.columns)));
    const auto all = sorted();
    const auto shown = std::min(all.size(), count - 1);
    for (std::size_t i = 0; i < shown; ++i) {
      const auto& row = *all[i].row;
      auto path = text_in(row, "path");
      if (path.starts_with(prefix))
        path.erase(0, prefix.size());
      add(line_of(path, text_in(row, "state"), grouped(number_in(row, "restarts")),
                  grouped(number_in(row, "mailbox")),
                  grouped(static_cast<std::int64_t>(all[i].per_second)),
                  duration_text(number_in(row, "uptime_ms")), text_in(row, "last_cause")),
          all[i].in_trouble ? red : nullptr);
    }
  }

  void newest(std::size_t count) {
    lines_.push_back(colored(inverse, fitted("newest supervision events", shape_.columns)));
    for (std::size_t i = 0; i < count; ++i)
      add(event_text(now_.events[now_.events.size() - 1 - i].as_object()));
  }

  const engine_sample& now_;
  const engine_sample* before_;
  frame_shape shape_;
  double seconds_;
  std::vector<std::string> lines_;
};

} // namespace

std::vector<std::string> top_frame(const std::string& data, const engine_sample& now,
                                   const engine_sample* before, const frame_shape& shape) {
  return painter{data, now, before, shape}.take();
}

std::string event_text(const boost::json::object& event) {
  constexpr std::int64_t day_ms = 86'400'000;
  const auto at = number_in(event, "at") % day_ms;
  auto path = text_in(event, "path");
  if (path.starts_with(prefix))
    path.erase(0, prefix.size());
  auto made = fmt::format("{:02}:{:02}:{:02}.{:03} {} {}", at / 3'600'000, at / 60'000 % 60,
                          at / 1'000 % 60, at % 1'000, text_in(event, "what"), path);
  if (const auto healing = number_in(event, "healing_us"); healing > 0)
    made += fmt::format(" healed in {} us", grouped(healing));
  if (const auto cause = text_in(event, "cause"); !cause.empty())
    made += ": " + cause;
  return made;
}

std::string tree_table(const boost::json::object& tree) {
  constexpr std::size_t narrowest = 24;
  constexpr std::size_t widest = 60;
  const auto name_of = [](const boost::json::object& row) {
    const auto path = text_in(row, "path");
    const auto kind = text_in(row, "kind");
    const bool entity = kind != "supervisor" && kind != "shard";
    if (entity && path.starts_with(prefix)) // "shard-3/order/o-1"; an id may have slashes
      return "      " + path.substr(path.find('/', prefix.size()) + 1);
    const auto slash = path.rfind('/');
    const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
    return std::string(2 * depth, ' ') + path.substr(slash == std::string::npos ? 0 : slash + 1);
  };
  std::size_t width = narrowest;
  for (const auto& row : list_in(tree, "rows"))
    width = std::min(widest, std::max(width, name_of(row.as_object()).size()));
  const auto line = [width](std::string_view name, std::string_view state,
                            std::string_view restarts, std::string_view mailbox,
                            std::string_view messages, std::string_view entities,
                            std::string_view uptime, std::string_view cause) {
    auto made = fitted(name, width) + "  " + fitted(state, 14) + fitted(restarts, 9, true) +
                fitted(mailbox, 9, true) + fitted(messages, 11, true) + fitted(entities, 10, true) +
                fitted(uptime, 9, true) + "  " + fitted(cause, cause.size());
    made.erase(made.find_last_not_of(' ') + 1);
    return made + "\n";
  };
  auto made =
    line("actor", "state", "restarts", "mailbox", "messages", "entities", "uptime", "last cause");
  for (const auto& value : list_in(tree, "rows")) {
    const auto& row = value.as_object();
    const bool shard = text_in(row, "kind") == "shard";
    made += line(name_of(row), text_in(row, "state"), grouped(number_in(row, "restarts")),
                 grouped(number_in(row, "mailbox")), grouped(number_in(row, "messages")),
                 shard ? grouped(number_in(row, "entities")) : "",
                 duration_text(number_in(row, "uptime_ms")), text_in(row, "last_cause"));
  }
  if (const auto more = number_in(tree, "entities_left_out"); more > 0)
    made += fmt::format("and {} more entities in memory\n", grouped(more));
  return made;
}

} // namespace purser::tools
