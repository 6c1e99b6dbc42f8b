// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/nat_log.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "extcap/capture/nat_legs.h"

namespace podshark::extcap {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

model::Conntrack published(std::uint32_t id = 1, std::uint16_t port = 40000) {
  model::Conntrack c;
  c.id = id;
  c.protocol = IPPROTO_TCP;
  c.orig = {ip("203.0.113.2"), ip("203.0.113.1"), port, 8080};
  c.reply = {ip("10.88.0.2"), ip("203.0.113.2"), 80, port};
  return c;
}

NatLog log_of(const char* address) {
  NatLog log;
  (void)log.set_owners({{ip(address), {"abc", "web"}}});
  return log;
}

TEST(NatLog, a_translated_connection_of_a_captured_container_is_told_once) {
  NatLog log = log_of("10.88.0.2");
  const auto event = log.begun(published(), false, kSecond);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, "nat");
  EXPECT_EQ(event->what, "started");
  EXPECT_EQ(event->id, "00000001");
  EXPECT_EQ(event->container, "web");
  EXPECT_EQ(event->container_id, "abc");
  EXPECT_EQ(event->protocol, "tcp");
  EXPECT_EQ(event->orig, (annotate::Event::Tuple{"203.0.113.2", "203.0.113.1", 40000, 8080}));
  EXPECT_EQ(event->reply, (annotate::Event::Tuple{"10.88.0.2", "203.0.113.2", 80, 40000}));
  EXPECT_EQ(event->detail, "started: tcp 203.0.113.2:40000 → 203.0.113.1:8080 goes to 10.88.0.2:80");
  EXPECT_FALSE(log.begun(published(), true, kSecond)) << "the list has it too";
  const auto ended = log.ended(published());
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->what, "ended");
  EXPECT_EQ(ended->id, event->id);
  EXPECT_FALSE(log.ended(published()));
}

TEST(NatLog, what_goes_on_is_told_again_for_a_new_file) {
  NatLog log = log_of("10.88.0.2");
  (void)log.begun(published(1, 40000), false, kSecond);
  (void)log.begun(published(2, 40001), false, kSecond);
  (void)log.ended(published(1, 40000));
  const auto again = log.open_ones();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].what, "seen");
  EXPECT_EQ(again[0].id, "00000002");
  EXPECT_EQ(again[0].reply.dst_port, 40001);
}

TEST(NatLog, others_and_untranslated_ones_are_not) {
  NatLog log = log_of("10.88.0.9");
  EXPECT_FALSE(log.begun(published(), false, kSecond));
  log = log_of("10.88.0.2");
  model::Conntrack c = published();
  c.reply = {c.orig.destination, c.orig.source, c.orig.destination_port, c.orig.source_port};
  EXPECT_FALSE(log.begun(c, false, kSecond));
  c = published();
  c.protocol = IPPROTO_GRE;
  EXPECT_FALSE(log.begun(c, false, kSecond));
}

TEST(NatLog, an_id_that_comes_again_with_another_connection_is_another) {
  NatLog log = log_of("10.88.0.2");
  EXPECT_TRUE(log.begun(published(1, 40000), false, kSecond));
  EXPECT_TRUE(log.begun(published(1, 40001), false, kSecond));
  EXPECT_FALSE(log.ended(published(1, 40000)));
  EXPECT_TRUE(log.ended(published(1, 40001)));
}

TEST(NatLog, what_a_list_lacks_has_ended_unheard_of) {
  NatLog log = log_of("10.88.0.2");
  (void)log.begun(published(1), false, kSecond);
  (void)log.begun(published(2), false, kSecond);
  log.list_begins();
  EXPECT_FALSE(log.begun(published(2), true, kSecond));
  log.list_ends();
  EXPECT_FALSE(log.ended(published(1)));
  EXPECT_TRUE(log.ended(published(2)));
}

TEST(NatLog, a_flood_is_limited_and_counted) {
  NatLog log = log_of("10.88.0.2");
  std::uint64_t told = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i)
    if (log.begun(published(i + 1), false, kSecond + i * 100'000LL)) ++told;  // ten seconds
  EXPECT_GE(told, NatLog::kBurst);
  EXPECT_LE(told, NatLog::kBurst + 10 * NatLog::kPerSecond);
  EXPECT_EQ(log.take_skipped(), 100'000 - told);
  EXPECT_EQ(log.take_skipped(), 0U);
  EXPECT_TRUE(log.begun(published(200'000), false, 60 * kSecond)) << "later there is room again";
}

TEST(NatLog, many_listed_ones_leave_room_for_those_that_begin) {
  NatLog log = log_of("10.88.0.2");
  log.list_begins();
  for (std::uint32_t i = 0; i < 2 * NatLog::kBurst; ++i) (void)log.begun(published(i + 1), true, kSecond);
  EXPECT_EQ(log.take_skipped(), NatLog::kBurst);
  EXPECT_TRUE(log.begun(published(200'000), false, kSecond));
}

TEST(NatLog, texts_of_translations) {
  model::Conntrack c;
  c.protocol = IPPROTO_UDP;
  c.orig = {ip("fd00::2"), ip("2001:db8::7"), 5000, 53};
  c.reply = {ip("2001:db8::7"), ip("2001:db8::1"), 53, 5000};
  EXPECT_EQ(translation_text(c), "udp [fd00::2]:5000 → [2001:db8::7]:53 leaves as [2001:db8::1]:5000");
  c.protocol = IPPROTO_ICMP;
  c.orig = {ip("10.88.0.2"), ip("192.0.2.7"), 0, 0};
  c.reply = {ip("192.0.2.7"), ip("192.0.2.1"), 0, 0};
  EXPECT_EQ(translation_text(c), "icmp 10.88.0.2 → 192.0.2.7 leaves as 192.0.2.1");
}

model::Container container(const char* id, const char* address, model::NetworkKind kind) {
  model::Container c;
  c.id = c.name = id;
  c.pid = 7;
  c.kind = kind;
  c.networks.push_back({"lan", "eth0", "", {address}, ""});
  return c;
}

TEST(NatOwners, addresses_of_captured_containers_by_the_side_that_translates_them) {
  using model::NetworkKind;
  model::Inventory known;
  known.containers = {container("web", "10.88.0.2/16", NetworkKind::bridge),
                      container("db", "10.88.0.3/16", NetworkKind::bridge),
                      container("own", "203.0.113.1/24", NetworkKind::pasta),
                      container("less", "10.89.0.2/24", NetworkKind::bridge)};
  known.containers[2].rootless = known.containers[3].rootless = true;
  std::vector<Target> targets(3);
  targets[0].container = known.containers[0];
  targets[0].container.networks.clear();  // podman has told its address since
  targets[1].container = known.containers[2];
  targets[2].container = known.containers[3];
  EXPECT_EQ(nat_owners(targets, known, false), (NatOwners{{ip("10.88.0.2"), {"web", "web"}}}));
  EXPECT_EQ(nat_owners(targets, known, true), (NatOwners{{ip("10.89.0.2"), {"less", "less"}}}));
}

TEST(NatOwners, a_pods_addresses_and_those_of_a_captured_network) {
  using model::NetworkKind;
  model::Inventory known;
  known.containers = {container("infra", "10.88.0.2/16", NetworkKind::bridge),
                      container("front", "", NetworkKind::shared)};
  for (auto& c : known.containers) c.netns = 4711;
  std::vector<Target> targets(1);
  targets[0].container = known.containers[1];
  EXPECT_EQ(nat_owners(targets, known, false), (NatOwners{{ip("10.88.0.2"), {"front", "front"}}}));
  targets[0] = {};
  targets[0].network = "lan";
  EXPECT_EQ(nat_owners(targets, known, false), (NatOwners{{ip("10.88.0.2"), {"infra", "infra"}}}));
  targets[0].network = "other";
  EXPECT_TRUE(nat_owners(targets, known, false).empty());
}

}  // namespace
}  // namespace podshark::extcap
