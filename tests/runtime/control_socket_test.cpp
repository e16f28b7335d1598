// The socket by which other processes look into an engine.
#include "runtime/control_client.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/engine.hpp"
#include "runtime/socket_address.hpp"
#include "tests/runtime/engine_fixture.hpp"
#include "tests/runtime/journal_fixture.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <latch>
#include <thread>

using namespace purser;
using namespace purser::tests;

namespace {

constexpr std::int64_t timeout_ms = 30'000;

/// A client that may misbehave.
class raw_client {
public:
  explicit raw_client(const std::filesystem::path& directory)
      : file_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const socket_address address{directory, control_socket_name};
    REQUIRE(::connect(file_, address.get(), address.size()) == 0);
  }
  ~raw_client() { ::close(file_); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(const std::string& bytes) {
    REQUIRE(::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }

  /// Everything until the other side closes.
  std::string read_all() {
    std::string all;
    char buffer[256];
    for (;;) {
      pollfd file{file_, POLLIN, 0};
      REQUIRE(::poll(&file, 1, static_cast<int>(timeout_ms)) == 1);
      const auto size = ::recv(file_, buffer, sizeof buffer, 0);
      if (size <= 0)
        return all;
      all.append(buffer, static_cast<std::size_t>(size));
    }
  }

private:
  int file_;
};

std::string echo(std::string_view request) {
  return "\"" + std::string{request} + "\"";
}

} // namespace

TEST_CASE("a socket answers requests line by line, for its owner alone, and goes with its object") {
  const scratch_directory folder;
  {
    const control_socket socket{folder.path(), echo, {}};
    struct stat status {};
    REQUIRE(::stat((folder.path() / control_socket_name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    control_client client{folder.path()};
    CHECK(client.ask("a", timeout_ms) == "\"a\"");
    CHECK(client.ask("b", timeout_ms) == "\"b\"");
  }
  CHECK_FALSE(std::filesystem::exists(folder.path() / control_socket_name));
  CHECK_THROWS_WITH_AS(control_client{folder.path()}, doctest::Contains("no running engine"),
                       engine_error);
}

TEST_CASE("T1: what an earlier process has left is replaced, and may be a path of any length") {
  const scratch_directory folder;
  const auto deep = folder.path() / std::string(120, 'd') / std::string(120, 'e');
  std::filesystem::create_directories(deep);
  {
    const socket_address address{deep, control_socket_name};
    const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(left, address.get(), address.size()) == 0);
    ::close(left);
  }
  CHECK_THROWS_AS(control_client{deep}, engine_error);

  const control_socket socket{deep, echo, {}};

  CHECK(control_client{deep}.ask("x", timeout_ms) == "\"x\"");
}

TEST_CASE("T2: a request that is too long is refused, and its client let go") {
  const scratch_directory folder;
  const control_socket socket{folder.path(), echo, {}};
  raw_client client{folder.path()};

  client.send(std::string(1'000, 'x'));

  CHECK(client.read_all() == "{\"error\":\"the request is longer than 256 bytes\"}\n");
}

TEST_CASE("T2: a client that says nothing is let go, and others are served meanwhile") {
  const scratch_directory folder;
  control_socket::limits bounds;
  bounds.patience_ms = 50;
  const control_socket socket{folder.path(), echo, bounds};
  raw_client silent{folder.path()};
  silent.send("half a requ");

  CHECK(control_client{folder.path()}.ask("x", timeout_ms) == "\"x\"");
  CHECK(silent.read_all().empty());
}

TEST_CASE("T2: one client more than may be is let go at once") {
  const scratch_directory folder;
  control_socket::limits bounds;
  bounds.most_clients = 1;
  const control_socket socket{folder.path(), echo, bounds};
  control_client first{folder.path()};
  CHECK(first.ask("x", timeout_ms) == "\"x\"");

  raw_client second{folder.path()};

  CHECK(second.read_all().empty());
  CHECK(first.ask("y", timeout_ms) == "\"y\"");
}

TEST_CASE("an answer that does not come is an error, with its bound") {
  const scratch_directory folder;
  std::latch released{1};
  const auto blocked = [&](std::string_view request) {
    released.wait();
    return echo(request);
  };
  const control_socket socket{folder.path(), blocked, {}};
  control_client client{folder.path()};

  CHECK_THROWS_WITH_AS(client.ask("x", 20), doctest::Contains("does not answer within 20 ms"),
                       engine_error);
  released.count_down();
}

TEST_CASE("an engine answers tree, health, figures and events; anything else is an error") {
  const scratch_directory folder;
  engine_options options;
  options.data_dir = folder.path() / "shop";
  options.control_socket = true;
  auto shop = engine::start(options);
  shop->submit(receive("mug", 10)).get();
  control_client client{*options.data_dir};
  const auto ask = [&](const std::string& request) {
    return boost::json::parse(client.ask(request, timeout_ms)).as_object();
  };

  CHECK(ask("tree").at("rows").as_array().size() >= 2 + 8);
  CHECK(ask("health").at("ready").as_bool());
  CHECK(ask("health").at("pid").to_number<int>() == ::getpid());
  CHECK(ask("figures").at("commands").to_number<int>() == 1);
  CHECK(ask("events 0").at("events").as_array().size() >= 9); // what was started
  for (const std::string bad : {"", "trees", "events", "events ", "events x", "events -1",
                                "events 99999999999999999999", "\xff\xfe", "{\"a\":1}"})
    CHECK_THROWS_WITH_AS(client.ask(bad, timeout_ms), doctest::Contains("refuses"), engine_error);

  shop.reset();
  CHECK_FALSE(std::filesystem::exists(*options.data_dir / control_socket_name));
  CHECK_THROWS_AS(client.ask("tree", timeout_ms), engine_error);
}

TEST_CASE("an engine has no socket unless it is told to") {
  const scratch_directory folder;
  engine_options options;
  options.data_dir = folder.path() / "shop";
  const auto shop = engine::start(options);

  CHECK_THROWS_AS(control_client{*options.data_dir}, engine_error);
}
