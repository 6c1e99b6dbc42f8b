// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/packet_flow.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "podman/wire/ring.h"

namespace podshark::extcap::top {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
  for (const auto byte : b) a.push_back(byte);  // insert() makes g++ 16 see a write that is none
  return a;
}

const Bytes kMacs(12, 2);
const Bytes kPorts{0x9C, 0x40, 0x00, 0x50, 0, 0, 0, 0};  // 40000 → 80

Bytes ipv4(std::uint8_t protocol, std::uint16_t fragment = 0, std::uint8_t words = 5) {
  Bytes b{static_cast<std::uint8_t>(0x40 | words),
          0,
          0,
          60,
          0,
          1,
          static_cast<std::uint8_t>(fragment >> 8U),
          static_cast<std::uint8_t>(fragment & 0xFFU),
          64,
          protocol,
          0,
          0,
          10,
          88,
          0,
          2,
          10,
          88,
          0,
          3};
  b.resize(words * 4U);
  return b;
}

Bytes ipv6(std::uint8_t next) {
  Bytes b{0x60, 0, 0, 0, 0, 40, next, 64};
  Bytes source(16), destination(16);
  source[0] = destination[0] = 0xFD;
  source[15] = 2;
  destination[15] = 3;
  return b + source + destination;
}

PacketFlow ethernet(const Bytes& type_and_rest) {
  const Bytes b = kMacs + type_and_rest;
  return read_flow(wire::kLinktypeEthernet, b.data(), b.size());
}

void expect_tcp(const PacketFlow& f) {
  EXPECT_TRUE(f.ip);
  EXPECT_TRUE(f.ports);
  EXPECT_EQ(f.protocol, 6);
  EXPECT_EQ(f.source_port, 40000);
  EXPECT_EQ(f.destination_port, 80);
}

TEST(ReadFlow, ethernet_ipv4) {
  const PacketFlow f = ethernet(Bytes{8, 0} + ipv4(6) + kPorts);
  expect_tcp(f);
  EXPECT_EQ(f.source.text(), "10.88.0.2");
  EXPECT_EQ(f.destination.text(), "10.88.0.3");
}

TEST(ReadFlow, options_and_vlan_tags_are_skipped) {
  expect_tcp(ethernet(Bytes{8, 0} + ipv4(6, 0, 15) + kPorts));
  expect_tcp(ethernet(Bytes{0x81, 0, 0, 7, 8, 0} + ipv4(6) + kPorts));
  expect_tcp(ethernet(Bytes{0x88, 0xA8, 0, 1, 0x81, 0, 0, 7, 8, 0} + ipv4(6) + kPorts));
  EXPECT_FALSE(ethernet(Bytes{0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0} + ipv4(6) + kPorts).ip);
}

TEST(ReadFlow, ipv6_with_and_without_extension_headers) {
  const PacketFlow f = ethernet(Bytes{0x86, 0xDD} + ipv6(6) + kPorts);
  expect_tcp(f);
  EXPECT_EQ(f.source.text(), "fd00::2");
  const Bytes hop{60, 0, 0, 0, 0, 0, 0, 0};                              // then destination options
  const Bytes options{44, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  // 16 bytes, then a fragment header
  const Bytes first{6, 0, 0, 1, 0, 0, 0, 9};
  expect_tcp(ethernet(Bytes{0x86, 0xDD} + ipv6(0) + hop + options + first + kPorts));
  const Bytes authentication{6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  expect_tcp(ethernet(Bytes{0x86, 0xDD} + ipv6(51) + authentication + kPorts));
}

TEST(ReadFlow, later_fragments_have_no_ports) {
  EXPECT_TRUE(ethernet(Bytes{8, 0} + ipv4(17, 0x2000) + kPorts).ports);
  const PacketFlow f = ethernet(Bytes{8, 0} + ipv4(17, 0x00B9) + kPorts);
  EXPECT_TRUE(f.ip);
  EXPECT_FALSE(f.ports);
  EXPECT_EQ(f.source_port, 0);
  const Bytes later{17, 0, 0x05, 0xC8, 0, 0, 0, 9};
  const PacketFlow six = ethernet(Bytes{0x86, 0xDD} + ipv6(44) + later + kPorts);
  EXPECT_TRUE(six.ip);
  EXPECT_FALSE(six.ports);
  EXPECT_EQ(six.protocol, 17);
}

TEST(ReadFlow, a_chain_of_headers_that_does_not_end_is_given_up) {
  Bytes b = Bytes{0x86, 0xDD} + ipv6(0);
  for (int i = 0; i < 20; ++i) b = b + Bytes{0, 0, 0, 0, 0, 0, 0, 0};
  const PacketFlow f = ethernet(b);
  EXPECT_TRUE(f.ip);
  EXPECT_FALSE(f.ports);
}

TEST(ReadFlow, flags_of_a_handshake) {
  const auto with_flags = [](std::uint8_t flags, std::uint8_t protocol = 6) {
    const Bytes tcp{0x9C, 0x40, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags};
    return ethernet(Bytes{8, 0} + ipv4(protocol) + tcp);
  };
  EXPECT_TRUE(with_flags(0x02).opens);
  EXPECT_TRUE(with_flags(0xCA).opens);  // with ECN and, from pasta, PSH
  EXPECT_FALSE(with_flags(0x02).accepts);
  EXPECT_TRUE(with_flags(0x12).accepts);
  EXPECT_FALSE(with_flags(0x12).opens);
  EXPECT_FALSE(with_flags(0x10).accepts);
  EXPECT_FALSE(with_flags(0x02, 17).opens);
  EXPECT_FALSE(ethernet(Bytes{8, 0} + ipv4(6) + kPorts).opens);  // cut off before the flags
}

TEST(ReadFlow, protocols_without_ports) {
  const PacketFlow f = ethernet(Bytes{8, 0} + ipv4(1) + kPorts);
  EXPECT_TRUE(f.ip);
  EXPECT_FALSE(f.ports);
  EXPECT_EQ(f.protocol, 1);
}

TEST(ReadFlow, raw_and_cooked_links) {
  const Bytes raw = ipv4(6) + kPorts;
  expect_tcp(read_flow(wire::kLinktypeRaw, raw.data(), raw.size()));
  const Bytes raw6 = ipv6(6) + kPorts;
  expect_tcp(read_flow(wire::kLinktypeRaw, raw6.data(), raw6.size()));
  Bytes cooked{8, 0};
  cooked.resize(20);
  cooked = cooked + raw;
  expect_tcp(read_flow(wire::kLinktypeSll2, cooked.data(), cooked.size()));
  EXPECT_FALSE(read_flow(wire::kLinktypeUpperPdu, raw.data(), raw.size()).ip);
}

TEST(ReadFlow, what_is_not_ip) {
  EXPECT_FALSE(ethernet(Bytes{8, 6} + Bytes(28, 0)).ip);      // ARP
  EXPECT_FALSE(ethernet(Bytes{8, 0} + ipv6(6) + kPorts).ip);  // says IPv4, is not
  EXPECT_FALSE(ethernet(Bytes{0, 20} + Bytes(40, 0x45)).ip);  // 802.3 length
}

// Every prefix of every shape and noise: nothing is read beyond the end (ASan) and no port is made up.
TEST(ReadFlow, cut_and_random_frames_are_harmless) {
  const std::vector<Bytes> shapes{kMacs + Bytes{8, 0} + ipv4(6, 0, 15) + kPorts,
                                  kMacs + Bytes{0x81, 0, 0, 7, 0x86, 0xDD} + ipv6(0) + Bytes(16, 0) + kPorts,
                                  ipv4(17) + kPorts, ipv6(51) + Bytes{6, 200} + kPorts};
  for (const std::uint16_t linktype : {wire::kLinktypeEthernet, wire::kLinktypeRaw, wire::kLinktypeSll2}) {
    for (const Bytes& shape : shapes) {
      for (std::size_t size = 0; size <= shape.size(); ++size) {
        const Bytes exact(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(size));
        const PacketFlow f = read_flow(linktype, exact.data(), exact.size());
        if (!f.ports) {
          EXPECT_EQ(f.source_port, 0);
        }
      }
    }
  }
  std::mt19937 random(1);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 20000; ++i) {
    Bytes b(static_cast<std::size_t>(byte(random) % 100));
    for (auto& x : b) x = static_cast<std::uint8_t>(byte(random));
    if (b.size() > 14 && i % 2 == 0) {
      b[12] = i % 4 == 0 ? 0x86 : 0x08;
      b[13] = i % 4 == 0 ? 0xDD : 0x00;
      b[14] = static_cast<std::uint8_t>((i % 4 == 0 ? 0x60 : 0x40) | (b[14] & 0xF));
    }
    (void)read_flow(wire::kLinktypeEthernet, b.data(), b.size());
    (void)read_flow(wire::kLinktypeRaw, b.data(), b.size());
    (void)read_flow(wire::kLinktypeSll2, b.data(), b.size());
  }
}

}  // namespace
}  // namespace podshark::extcap::top
