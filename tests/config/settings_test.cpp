#include "config/settings.hpp"
#include "config/text.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

using namespace purser::config;

TEST_CASE("the sample file is good, and says the defaults") {
  std::ifstream file{PURSER_SOURCE_DIR "/config/samples/purser.json"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  settings made;
  made.replay.window = 1;

  CHECK(read_settings(text, made).empty());

  const settings defaults;
  for (const auto& rule : setting_rules())
    CHECK_MESSAGE(value_of(made, rule.pointer) == value_of(defaults, rule.pointer), rule.pointer);
}

TEST_CASE("every setting has a rule, and its default is within it") {
  const settings defaults;
  std::size_t declared = 0;
  boost::mp11::mp_for_each<
    boost::describe::describe_members<settings, boost::describe::mod_public>>([&](auto group) {
    using group_type = std::decay_t<decltype(defaults.*group.pointer)>;
    boost::mp11::mp_for_each<
      boost::describe::describe_members<group_type, boost::describe::mod_public>>(
      [&](auto) { ++declared; });
  });

  CHECK(setting_rules().size() == declared);
  for (const auto& rule : setting_rules()) {
    CHECK(value_of(defaults, rule.pointer) >= rule.least);
    CHECK(value_of(defaults, rule.pointer) <= rule.most);
  }
}

TEST_CASE("mistakes say where, what, the bound, and what to do") {
  settings made;

  CHECK(read_settings(R"({"engine": {"shards": 0}, "replay": {"window": 9999}})", made) ==
        std::vector<settings_error>{
          {"/engine/shards",
           "is 0; it must be from 1 to 4096 shards (fixed when a data directory is created)"},
          {"/replay/window",
           "is 9999; it must be from 1 to 4096 commands (of a replay under way at once)"}});
  CHECK(read_settings(R"({"engine": {"shard": 4}})", made) ==
        std::vector<settings_error>{
          {"/engine/shard", "unknown field \"shard\"; did you mean \"shards\"?"}});
  CHECK(
    read_settings(R"({"payment": {"ask_again_ms": 500, "ask_again_max_ms": 100}})", made) ==
    std::vector<settings_error>{
      {"/payment/ask_again_ms", "is 500; it must not exceed /payment/ask_again_max_ms (100). Lower "
                                "it or raise the maximum"}});
  CHECK(read_settings("{", made).size() == 1);
  CHECK(made.engine.shards == 8);
}

TEST_CASE("times of RFC 3339 are read to the millisecond") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_rfc3339("1996-07-04T00:00:00Z") == 836'438'400'000);
  CHECK(parse_rfc3339("1996-07-04T02:00:00.1239+02:00") == 836'438'400'123);
  CHECK(parse_rfc3339("0001-01-01T00:00:00Z").has_value());
  for (const auto* bad :
       {"", "1996-07-04", "1996-07-04T00:00:00", "1996-02-30T00:00:00Z", "1996-07-04T24:00:00Z",
        "1996-07-04T00:00:60Z", "1996-07-04T00:00:00.Z", "1996-07-04T00:00:00ZZ",
        "0000-01-01T00:00:00Z", "96-07-04T00:00:00Z", "1996-07-04T00:00:00+24:00"})
    CHECK_FALSE(parse_rfc3339(bad).has_value());
}
