// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/trace/content.h"

#include <gtest/gtest.h>

#include "../packets.h"

namespace podshark::trace {
namespace {

using namespace podshark::packets;

std::uint64_t key(const Bytes& packet) {
  const auto content = content_of(packet);
  EXPECT_TRUE(content);
  return content ? content->key : 0;
}

TEST(Content, is_the_same_across_translation_and_hops) {
  const Tcp segment{.seq = 7, .ack = 9, .flags = kAck, .payload = "GET / HTTP/1.1"};
  const Bytes outer = ip4("198.51.100.7", "203.0.113.1", tcp(40000, 8080, segment), {.id = 77, .ttl = 64});
  const Bytes inner =
      ip4("198.51.100.7", "10.88.0.2", tcp(40000, 80, segment), {.id = 77, .ttl = 63, .tos = 8});
  EXPECT_EQ(key(outer), key(inner));
  EXPECT_NE(key(outer), key(ip4("198.51.100.7", "10.88.0.2", tcp(40000, 80, segment), {.id = 78})));
}

TEST(Content, differs_in_what_nobody_changes_on_the_way) {
  const auto of = [](const Tcp& segment) { return key(ip4("10.0.0.1", "10.0.0.2", tcp(1, 2, segment))); };
  const Tcp base{.seq = 7, .ack = 9, .flags = kAck, .payload = "abc"};
  const std::uint64_t same = of(base);
  for (const Tcp& other :
       {Tcp{.seq = 8, .ack = 9, .flags = kAck, .payload = "abc"},
        Tcp{.seq = 7, .ack = 8, .flags = kAck, .payload = "abc"},
        Tcp{.seq = 7, .ack = 9, .flags = kAck | kFin, .payload = "abc"},
        Tcp{.seq = 7, .ack = 9, .flags = kAck, .payload = "abd"},
        Tcp{.seq = 7, .ack = 9, .flags = kAck, .payload = "abcd"},
        Tcp{.seq = 7, .ack = 9, .flags = kAck, .options = "\x01\x01\x01\x01", .payload = "abc"}}) {
    EXPECT_NE(same, of(other));
  }
}

TEST(Content, counts_the_sequence_numbers_a_segment_takes) {
  const auto bytes = [](const Tcp& segment) {
    return content_of(ip4("10.0.0.1", "10.0.0.2", tcp(1, 2, segment)))->bytes;
  };
  EXPECT_EQ(0U, bytes({.flags = kAck}));
  EXPECT_EQ(1U, bytes({.flags = kSyn}));
  EXPECT_EQ(4U, bytes({.flags = kAck | kFin, .payload = "abc"}));
}

TEST(Content, knows_datagrams_echoes_and_ipv6) {
  EXPECT_EQ(key(ip4("10.0.0.1", "10.0.0.2", udp(1, 2, "name"))),
            key(ip4("10.0.0.9", "10.0.0.3", udp(5, 53, "name"))));
  EXPECT_NE(key(ip4("10.0.0.1", "10.0.0.2", udp(1, 2, "name"))),
            key(ip4("10.0.0.1", "10.0.0.2", udp(1, 2, "nama"))));
  EXPECT_EQ(key(ip4("10.0.0.1", "10.0.0.2", echo(8, 1, 5))), key(ip4("10.0.0.1", "10.0.0.2", echo(8, 2, 5))));
  EXPECT_NE(key(ip4("10.0.0.1", "10.0.0.2", echo(8, 1, 5))), key(ip4("10.0.0.1", "10.0.0.2", echo(8, 1, 6))));
  EXPECT_EQ(key(ip6("fd00::1", "fd00::2", tcp(1, 2, {.seq = 5}))),
            key(ip6("fd00::9", "fd00::3", tcp(3, 4, {.seq = 5}))));
}

TEST(Content, leaves_out_what_may_look_different_elsewhere) {
  const Transport whole = udp(1, 2, "name");
  EXPECT_FALSE(content_of(ip4("10.0.0.1", "10.0.0.2", whole, {.fragment = 0x2000})));
  EXPECT_FALSE(content_of(ip4("10.0.0.1", "10.0.0.2", whole, {.fragment = 185})));
  EXPECT_FALSE(content_of(ip4("10.0.0.1", "224.0.0.251", whole)));
  EXPECT_FALSE(content_of(ip4("10.0.0.1", "255.255.255.255", whole)));
  EXPECT_FALSE(content_of(ip4("127.0.0.1", "127.0.0.1", whole)));
  EXPECT_FALSE(content_of(ip6("fe80::1", "fd00::2", whole)));
  EXPECT_FALSE(content_of(ip6("fd00::1", "ff02::fb", whole)));
  EXPECT_FALSE(content_of(ip4("10.0.0.1", "10.0.0.2", echo(3, 1, 1)))) << "an error quotes addresses";
}

TEST(Content, survives_any_truncation) {
  const Bytes packet = ip4("10.0.0.1", "10.0.0.2",
                           tcp(1, 2, {.flags = kAck, .options = "\x01\x01\x01\x01", .payload = "payload"}));
  for (std::size_t n = 0; n < packet.size(); ++n) {
    EXPECT_FALSE(content_of(std::span(packet).first(n))) << n;
  }
  EXPECT_TRUE(content_of(packet));
  EXPECT_TRUE(content_of(std::span(packet).first(packet.size() - 7), 0)) << "no payload is compared";
}

TEST(IpInEthernet, skips_vlan_tags) {
  const Bytes ip = ip4("10.0.0.1", "10.0.0.2", udp(1, 2, "name"));
  Bytes frame(12, 0xAA);
  Bytes tagged = frame;
  tagged.insert(tagged.end(), {0x88, 0xA8, 0, 5, 0x81, 0, 0, 7, 8, 0});
  frame.insert(frame.end(), {8, 0});
  for (Bytes* f : {&frame, &tagged}) {
    f->insert(f->end(), ip.begin(), ip.end());
    const auto found = ip_in_ethernet(*f);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), ip.begin(), ip.end()));
  }
  for (std::size_t n = 0; n < 14; ++n) EXPECT_TRUE(ip_in_ethernet(std::span(frame).first(n)).empty());
  frame[12] = 8, frame[13] = 6;  // ARP
  EXPECT_TRUE(ip_in_ethernet(frame).empty());
}

}  // namespace
}  // namespace podshark::trace
