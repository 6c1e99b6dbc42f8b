// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "podman/annotate/codec.h"

namespace podshark::annotate {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kTime = 1'700'000'000'250'000'000;
constexpr std::int64_t kAhead = 250'000'000;

Origin server() {
  return {"me@server", [](std::int64_t t) { return t - kAhead; }};
}

TEST(MoveRecord, gives_an_event_its_host_and_our_time) {
  Event event;
  event.kind = "one-sided";
  event.time_ns = kTime;
  event.packet_ns = kTime - 5;
  event.detail = "seen inside only";
  const auto moved = move_record(encode_event(event), server());
  ASSERT_TRUE(moved);
  const auto& out = std::get<MovedEvent>(*moved);
  EXPECT_EQ("me@server", out.event.host);
  EXPECT_EQ(kTime - kAhead, out.event.time_ns);
  EXPECT_EQ(kTime - kAhead - 5, out.event.packet_ns);
  const auto read = decode_event(out.json);
  ASSERT_TRUE(read);
  EXPECT_EQ(out.event.host, read->host);
  EXPECT_EQ(out.event.time_ns, read->time_ns);
}

TEST(MoveRecord, keeps_what_only_a_newer_podshark_knows) {
  const auto moved = move_record(
      R"({"podshark":1,"kind":"later","time":"2023-11-14T22:13:20.000000000Z","new":[1,2]})", server());
  ASSERT_TRUE(moved);
  EXPECT_THAT(std::get<MovedEvent>(*moved).json, HasSubstr(R"("new":[1,2])"));
  EXPECT_THAT(std::get<MovedEvent>(*moved).json, HasSubstr("2023-11-14T22:13:19.750000000Z"));
}

TEST(MoveRecord, of_this_machine_names_no_host) {
  Event event;
  event.kind = "mark";
  event.time_ns = kTime;
  const auto moved = move_record(encode_event(event), {});
  ASSERT_TRUE(moved);
  EXPECT_EQ(encode_event(event), std::get<MovedEvent>(*moved).json);
}

TEST(MoveRecord, names_the_host_at_all_of_an_inventory) {
  model::Inventory inventory;
  inventory.time_ns = kTime;
  inventory.host = "itself";
  inventory.containers.resize(1);
  inventory.containers[0].id = "1";
  inventory.pods.resize(1);
  inventory.networks.resize(1);
  const auto moved = move_record(encode_inventory(inventory), server());
  ASSERT_TRUE(moved);
  const model::Inventory& out = std::get<InventoryPart>(*moved).inventory;
  EXPECT_EQ(kTime - kAhead, out.time_ns);
  EXPECT_EQ("me@server", out.containers[0].host);
  const auto read = decode_inventory(encode_inventory(out));
  ASSERT_TRUE(read);
  EXPECT_EQ(out.containers, read->inventory.containers);
  EXPECT_EQ("me@server", read->inventory.pods[0].host);
  EXPECT_EQ("me@server", read->inventory.networks[0].host);
}

TEST(MoveRecord, refuses_what_is_none) {
  EXPECT_FALSE(move_record("", server()));
  EXPECT_FALSE(move_record("{}", server()));
  EXPECT_FALSE(move_record(R"({"podshark":2,"kind":"mark"})", server()));
  EXPECT_FALSE(move_record(R"({"podshark":1,"kind":"mark","host":7})", {}));
  EXPECT_FALSE(
      move_record(R"({"podshark":1,"kind":"lifecycle","clock_offset_ns":18446744073709551615})", {}));
}

TEST(MoveInterface, adds_the_host_and_what_is_known_of_its_clock) {
  Interface interface;
  interface.container = "web";
  const std::string json = encode_interface(interface);
  const std::string moved = move_interface(json, "me@server", InterfaceClock{-7, 3});
  EXPECT_THAT(moved, HasSubstr(R"("container":"web")"));
  EXPECT_THAT(moved, HasSubstr(R"("host":"me@server","clock_offset_ns":-7,"clock_error_ns":3)"));
  EXPECT_EQ(json, move_interface(json, "", std::nullopt));
  EXPECT_EQ("nonsense", move_interface("nonsense", "me@server", std::nullopt));
}

TEST(ClockEvent, tells_offset_and_error) {
  Event event;
  event.kind = "lifecycle";
  event.clock_offset_ns = -120'000'000;
  event.clock_error_ns = 64'000;
  const auto read = decode_event(encode_event(event));
  ASSERT_TRUE(read);
  EXPECT_EQ(event.clock_offset_ns, read->clock_offset_ns);
  EXPECT_EQ(event.clock_error_ns, read->clock_error_ns);
}

}  // namespace
}  // namespace podshark::annotate
