// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/drop_record.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <cstring>
#include <vector>

#include "../packets.h"
#include "extcap/capture/drop_tags.h"
#include "extcap/drops/event.h"

namespace podshark::extcap {
namespace {

TEST(DropTags, are_used_again_when_the_ring_was_read_long_enough_afterwards) {
  DropTags tags(3);
  for (const std::uint32_t tag : {1U, 2U, 3U}) EXPECT_EQ(tags.take(0), tag);
  EXPECT_EQ(tags.take(0), 0U);
  constexpr std::int64_t kEnd = 1'000'000'000;
  tags.give_back(2, kEnd);
  tags.give_back(3, kEnd);
  tags.give_back(2, 5 * kEnd);  // it has ended once
  EXPECT_EQ(tags.take(kEnd + DropTags::kRest - 1), 0U);
  tags.keep(3);
  EXPECT_EQ(tags.take(kEnd + DropTags::kRest), 2U);
  EXPECT_EQ(tags.take(kEnd + 100 * DropTags::kRest), 0U);
}

using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kChain = 1;
constexpr std::uint32_t kSlow = 2;
constexpr std::uint32_t kForward = 3;

Bytes symbol(std::uint32_t function, const char* name) {
  podshark_drop_symbol s{};
  s.kind = PODSHARK_DROP_SYMBOL;
  s.function = function;
  std::strncpy(s.name, name, sizeof(s.name) - 1);
  Bytes out(sizeof(s));
  std::memcpy(out.data(), &s, sizeof(s));
  return out;
}

Bytes record(const podshark_drop_event& event, const Bytes& packet) {
  Bytes out(sizeof(event));
  std::memcpy(out.data(), &event, sizeof(event));
  out.insert(out.end(), packet.begin(), packet.end());
  return out;
}

podshark_drop_event event(const Bytes& packet, std::uint16_t link_layer) {
  podshark_drop_event e{};
  e.kind = PODSHARK_DROP_PACKET;
  e.tag = 3;
  e.reason = 8;
  e.function = kChain;
  e.link_layer = link_layer;
  e.protocol = 0x0800;
  e.captured = e.length = static_cast<std::uint32_t>(packet.size());
  return e;
}

Bytes ethernet_ip() {
  Bytes out(14 + 28);
  out[14] = 0x45;
  return out;
}

struct Reader : testing::Test {
  DropReader reader{[](std::uint32_t value) { return "REASON" + std::to_string(value); }};
};

TEST_F(Reader, names_functions_that_were_told_before) {
  EXPECT_FALSE(reader.read(symbol(kChain, "nft_do_chain [nf_tables]")));
  EXPECT_FALSE(reader.read(symbol(kSlow, "nf_hook_slow")));
  EXPECT_FALSE(reader.read(symbol(kForward, "ip_forward")));
  podshark_drop_event e = event(ethernet_ip(), 14);
  e.frames[0] = kSlow;
  e.frames[1] = kForward;
  const Bytes bytes = record(e, ethernet_ip());
  const auto drop = reader.read(bytes);
  ASSERT_TRUE(drop);
  EXPECT_EQ("REASON8", drop->reason);
  EXPECT_EQ("nft_do_chain", drop->function);
  EXPECT_EQ("FORWARD", drop->hook);
  EXPECT_TRUE(drop->ethernet);
  EXPECT_EQ(3U, drop->tag);
  EXPECT_EQ(42U, drop->bytes.size());
}

TEST_F(Reader, knows_a_last_acknowledgement_from_data) {
  using namespace podshark::packets;
  DropReader closed([](std::uint32_t) { return "TCP_CLOSE"; });
  const auto noise = [&](const podshark::packets::Tcp& segment) {
    const Bytes packet = ip4("10.88.0.2", "203.0.113.2", tcp(40000, 9999, segment));
    const Bytes bytes = record(event(packet, 0), packet);
    const auto drop = closed.read(bytes);
    return drop && drop->noise;
  };
  EXPECT_TRUE(noise({.flags = kAck, .options = "\x01\x01\x01\x01"}));
  EXPECT_FALSE(noise({.flags = kAck, .payload = "data"}));
  EXPECT_FALSE(noise({.flags = kSyn}));
}

TEST(TraceCommand, is_for_whoever_sends_again) {
  using namespace podshark::packets;
  model::Container c;
  c.name = "web";
  c.id = "0123456789abcdef";
  model::PortMapping& port = c.ports.emplace_back();
  port.host_port = 8080;
  port.container_port = 80;
  port.range = 2;
  const std::vector<std::string> own{"10.88.0.2/16", "fd00::2/64"};
  const auto command = [&](const Bytes& packet) { return trace_command(packet, c, own); };
  EXPECT_EQ("podshark trace --wait 60 web:80", command(ip4("198.51.100.7", "10.88.0.2", tcp(40000, 80, {}))));
  EXPECT_EQ("podshark trace --wait 60 web:81",
            command(ip4("198.51.100.7", "203.0.113.1", tcp(40000, 8081, {}))));
  EXPECT_EQ("podshark trace --wait 60 web:80", command(ip4("10.88.0.2", "198.51.100.7", tcp(80, 40000, {}))));
  EXPECT_EQ("podshark trace --from web 192.0.2.9:53/udp",
            command(ip4("10.88.0.2", "192.0.2.9", udp(40000, 53, "q"))));
  EXPECT_EQ("podshark trace --from web [fd00::9]:443",
            command(ip6("fd00::2", "fd00::9", tcp(40000, 443, {}))));
  EXPECT_EQ("podshark trace --wait 60 web/icmp", command(ip4("198.51.100.7", "10.88.0.2", echo(8, 1, 1))));
  EXPECT_EQ("", command(ip4("198.51.100.7", "203.0.113.1", tcp(40000, 22, {}))));
  EXPECT_EQ("", trace_command(Bytes(3), c, own));
  c.name = "-x; rm";
  EXPECT_EQ("podshark trace --wait 60 0123456789ab:80",
            command(ip4("198.51.100.7", "10.88.0.2", tcp(40000, 80, {}))));
}

TEST_F(Reader, shows_packets_without_link_layer_as_ip) {
  const Bytes bytes = record(event(Bytes(28, 0x45), 0), Bytes(28, 0x45));
  const auto drop = reader.read(bytes);
  ASSERT_TRUE(drop);
  EXPECT_FALSE(drop->ethernet);
  EXPECT_EQ("", drop->function);
}

TEST_F(Reader, cuts_off_a_link_layer_that_is_not_ethernet) {
  podshark_drop_event e = event(Bytes(32), 4);
  e.length = 1000;
  const Bytes bytes = record(e, Bytes(32));
  const auto drop = reader.read(bytes);
  ASSERT_TRUE(drop);
  EXPECT_FALSE(drop->ethernet);
  EXPECT_EQ(28U, drop->bytes.size());
  EXPECT_EQ(996U, drop->length);
}

TEST_F(Reader, believes_no_record_that_claims_more_than_it_has) {
  podshark_drop_event e = event(ethernet_ip(), 14);
  e.captured = 1000;
  EXPECT_FALSE(reader.read(record(e, ethernet_ip())));
  e = event(ethernet_ip(), 60);
  EXPECT_FALSE(reader.read(record(e, ethernet_ip())));
  EXPECT_FALSE(reader.read(Bytes(3)));
  EXPECT_FALSE(reader.read(Bytes(sizeof(podshark_drop_event))));
}

TEST_F(Reader, has_nothing_to_show_of_other_protocols_without_ethernet) {
  podshark_drop_event e = event(Bytes(28), 0);
  e.protocol = 0x1234;
  EXPECT_FALSE(reader.read(record(e, Bytes(28))));
}

TEST_F(Reader, tells_the_connection_before_translation) {
  podshark_drop_event e = event(ethernet_ip(), 14);
  e.original.known = 1;
  e.original.family = AF_INET;
  e.original.protocol = 6;
  const std::uint8_t src[] = {192, 0, 2, 2};
  const std::uint8_t dst[] = {192, 0, 2, 1};
  std::memcpy(e.original.src, src, 4);
  std::memcpy(e.original.dst, dst, 4);
  e.original.src_port = htons(40000);
  e.original.dst_port = htons(8080);
  e.status = 1U << 5U;
  const Bytes bytes = record(e, ethernet_ip());
  const auto drop = reader.read(bytes);
  ASSERT_TRUE(drop);
  const annotate::Event told = drop_event(*drop, 1);
  EXPECT_EQ("tcp", told.protocol);
  EXPECT_EQ((annotate::Event::Tuple{"192.0.2.2", "192.0.2.1", 40000, 8080}), told.orig);
  EXPECT_THAT(told.detail, HasSubstr("connection 192.0.2.2:40000 > 192.0.2.1:8080 (DNAT)"));
}

TEST(DropEvent, says_in_words_what_happened_and_what_to_do) {
  Drop d;
  d.reason = "NETFILTER_DROP";
  d.function = "nft_do_chain";
  d.hook = "INPUT";
  d.segments = 3;
  const annotate::Event told = drop_event(d, 5);
  EXPECT_EQ("drop", told.kind);
  EXPECT_EQ(3U, told.count);
  EXPECT_EQ("NETFILTER_DROP at nft_do_chain, INPUT: a firewall rule dropped it; 3 packets on the wire (GSO)",
            told.detail);
  EXPECT_THAT(drop_comment(told), HasSubstr(". Next: 'podshark trace TARGET'"));
}

TEST(DropEvent, survives_the_way_through_a_file) {
  Drop d;
  d.reason = "NO_SOCKET";
  d.function = "tcp_v4_rcv";
  d.hook = "INPUT";
  d.netns = 4026532000;
  d.ifindex = 2;
  const auto read = annotate::decode_event(annotate::encode_event(drop_event(d, 5)));
  ASSERT_TRUE(read);
  EXPECT_EQ("NO_SOCKET", read->reason);
  EXPECT_EQ("tcp_v4_rcv", read->function);
  EXPECT_EQ("INPUT", read->hook);
  EXPECT_EQ(4026532000U, read->netns);
  EXPECT_EQ(2U, read->ifindex);
}

}  // namespace
}  // namespace podshark::extcap
