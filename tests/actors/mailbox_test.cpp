#include "actors/command_log.hpp"
#include "actors/domain/entity_kinds.hpp"
#include "actors/entity_image.hpp"
#include "actors/mailbox.hpp"

#include <doctest/doctest.h>

using namespace purser;

namespace {

envelope_ptr named(const std::string& key) {
  auto made = std::make_unique<envelope>();
  made->key = key;
  return made;
}

recorded_event next_event(const entity_image& image, event_record record) {
  return {1, image.ref(), image.version() + 1, std::move(record)};
}

} // namespace

TEST_CASE("M4: only the first push wakes, until everything has been taken") {
  mailbox box;

  CHECK(box.push(named("a")));
  CHECK_FALSE(box.push(named("b")));
  box.take();
  box.done();
  CHECK_FALSE(box.push(named("c")));
  box.take();
  box.done();
  box.take();
  box.done();
  CHECK(box.take() == nullptr);

  CHECK(box.push(named("d")));
}

TEST_CASE(
  "M4: an entity that was claimed is woken by nobody, and does not miss what came meanwhile") {
  mailbox box;
  REQUIRE(box.claim());
  CHECK_FALSE(box.claim());
  CHECK(box.unclaim()); // nothing came

  REQUIRE(box.claim());
  CHECK_FALSE(box.push(named("a")));
  CHECK_FALSE(box.unclaim()); // awake: who claimed it has to find it a shell
  CHECK_FALSE(box.claim());
  CHECK(box.take()->key == "a");
  box.await_settlement();
  CHECK(box.take() == nullptr);
  CHECK_FALSE(box.claim()); // asleep, but a client waits for an answer
}

TEST_CASE("M2, M3: after a crash the message in hand is first, then what awaited, then the queue") {
  mailbox box;
  for (const auto* key : {"a", "b", "c"})
    box.push(named(key));
  CHECK(box.take()->key == "a");
  box.await_settlement();
  CHECK(box.take()->key == "b"); // in hand, and then the crash

  box.prepare_redelivery();

  std::string order;
  while (auto* message = box.take()) {
    order += message->key;
    box.done();
  }
  CHECK(order == "bac");
}

TEST_CASE("M3: a mailbox that is never empty keeps the order, whenever an incarnation ends") {
  mailbox box;
  int pushed = 0;
  for (; pushed < 50; ++pushed)
    box.push(named(std::to_string(pushed)));

  for (int taken = 0; taken < 5'000; ++taken) {
    if (taken % 7 == 0)
      box.prepare_redelivery();
    REQUIRE(box.take()->key == std::to_string(taken));
    box.done();
    box.push(named(std::to_string(pushed++)));
    REQUIRE(box.waiting() == 50);
  }
  CHECK(box.drain().size() == 50);
}

TEST_CASE("M1: draining gives back every message once") {
  mailbox box;
  for (const auto* key : {"a", "b", "c"})
    box.push(named(key));
  box.take();
  box.await_settlement();
  box.take();

  std::string keys;
  auto all = box.drain();
  while (const auto message = all.pop_front())
    keys += message->key;

  CHECK(keys == "bac");
  CHECK(box.waiting() == 0);
  CHECK(box.push(named("d")));
}

TEST_CASE("I8: the log of commands is bounded, and knows when it has forgotten some") {
  command_log log;
  event_record event;
  event.type = 1;
  event.fingerprint = 9;
  for (std::size_t i = 0; i < command_log::capacity; ++i) {
    event.cause = "c-" + std::to_string(i);
    log.note(event);
  }
  CHECK_FALSE(log.has_forgotten());
  CHECK(log.find("c-0") != nullptr);
  event.cause = "one more";
  log.note(event);
  CHECK(log.has_forgotten());
  CHECK(log.find("c-0") == nullptr);

  std::string bytes;
  log.save(bytes);
  std::string_view in{bytes};
  command_log restored;
  restored.restore(in);
  CHECK(in.empty());
  CHECK(restored.has_forgotten());
  CHECK(restored.find("one more")->fingerprint == 9);
}

TEST_CASE("an entity refuses events that are not its next one, or that it cannot read") {
  entity_image image{{entity_kind::order, "o-1"}};
  event_record unknown;
  unknown.type = 999;
  CHECK_THROWS_AS(image.evolve(next_event(image, unknown)), journal_corrupt);

  event_record garbage;
  garbage.type = order_placed::type;
  garbage.payload = "\x01";
  CHECK_THROWS_AS(image.evolve(next_event(image, garbage)), journal_corrupt);

  event_record confirmed;
  confirmed.type = order_confirmed::type;
  CHECK_THROWS_AS(image.evolve(next_event(image, confirmed)), broken_invariant);
  auto gap = next_event(image, confirmed);
  gap.version = 5;
  CHECK_THROWS_AS(image.evolve(gap), journal_corrupt);
}

TEST_CASE("every kind of aggregate comes back from its snapshot") {
  for (const auto kind : entity_kinds) {
    entity_image image{{kind, "x"}};
    stored_stream stored;
    stored.snapshot = image.snapshot();
    entity_image restored{{kind, "x"}};
    restored.rebuild(stored);
    CHECK(restored.same_state(image));
    stored.snapshot->push_back('\x01');
    CHECK_THROWS_AS(entity_image({kind, "x"}).rebuild(stored), journal_corrupt);
  }
}
