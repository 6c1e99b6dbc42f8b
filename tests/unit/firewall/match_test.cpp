// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/match.h"

#include <gtest/gtest.h>

#include "podman/firewall/matching.h"

namespace podshark::firewall {
namespace {

TEST(AddressRange, prefixes_masks_and_ranges_are_read_and_written) {
  for (const char* text : {"10.88.0.0/16", "10.0.0.1-10.0.0.9", "10.88.0.2", "fd00::/64", "fd00::2",
                           "0.0.0.0/0", "::/0", "224.0.0.0/4", "10.0.0.0/31"}) {
    const auto range = AddressRange::parse(text);
    ASSERT_TRUE(range) << text;
    EXPECT_EQ(range->text(), text);
  }
  EXPECT_EQ(AddressRange::parse("10.1.2.3/255.255.0.0")->text(), "10.1.0.0/16");
  EXPECT_EQ(AddressRange::parse("10.1.2.3/32")->text(), "10.1.2.3");
  EXPECT_EQ(AddressRange::parse("fe80::1/ffff:ffff::")->text(), "fe80::/32");
  EXPECT_EQ(AddressRange::parse("::ffff:0.0.0.0/96")->text(), "0.0.0.0/0");  // so firewalld writes it
}

TEST(AddressRange, an_ipv4_prefix_does_not_hold_ipv6) {
  const auto all = AddressRange::parse("0.0.0.0/0");
  EXPECT_TRUE(all->contains(*IpAddress::parse("203.0.113.1")));
  EXPECT_FALSE(all->contains(*IpAddress::parse("2001:db8::1")));
}

TEST(AddressRange, other_texts_are_no_range) {
  for (const char* text :
       {"", "/", "10.0.0.1/33", "10.0.0.1/255.0.255.0", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "web",
        "10.0.0.1-", "10.0.0.0/8-10.1.0.0/16", "fd00::/129", "10.0.0.1/8/8", "10.0.0.1/ffff::"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

TEST(LinkName, a_wildcard_fits_what_begins_so) {
  EXPECT_TRUE((LinkName{"podman", true}.fits("podman0")));
  EXPECT_TRUE((LinkName{"", true}.fits("eth0")));
  EXPECT_FALSE((LinkName{"podman", false}.fits("podman0")));
  EXPECT_FALSE((LinkName{"podman10", true}.fits("podman1")));
}

TEST(Words, both_tools_words_are_numbers) {
  EXPECT_EQ(protocol_number("ipv6-icmp"), 58U);
  EXPECT_EQ(protocol_number("132"), 132U);
  EXPECT_FALSE(protocol_number("256"));
  EXPECT_EQ(icmp_type_number("echo-request", false), 8U);
  EXPECT_EQ(icmp_type_number("echo-request", true), 128U);
  EXPECT_EQ(ct_state_number("ESTABLISHED"), static_cast<std::uint32_t>(CtState::established));
  EXPECT_EQ(address_type_number("LOCAL"), 2U);
  EXPECT_FALSE(ct_state_number("DNAT"));
}

TEST(Matching, negation_asks_for_the_port_to_be_there) {
  Packet ping;
  ping.protocol = 1;
  Match not_80 = equals(Field::dport, 80);
  not_80.negated = true;
  EXPECT_EQ(fits(not_80, ping), Tri::no);
  Packet unknown;
  EXPECT_EQ(fits(not_80, unknown), Tri::unknown);
  unknown.dport = 81;
  EXPECT_EQ(fits(not_80, unknown), Tri::yes);
}

TEST(Matching, unknown_bits_of_a_mark_matter_only_under_the_mask) {
  Packet p;
  p.mark = {0x2000, 0x00FF};
  Match m = equals(Field::mark, 0x2000);
  m.mask = 0x2000;
  EXPECT_EQ(fits(m, p), Tri::yes);
  m.mask = 0x20FF;
  EXPECT_EQ(fits(m, p), Tri::unknown);
  m = equals(Field::mark, 0x4000);
  EXPECT_EQ(fits(m, p), Tri::no);
}

TEST(Matching, a_new_tcp_connection_begins_with_syn) {
  Packet p;
  Match syn = equals(Field::tcp_flags, 0x02);
  syn.mask = 0x17;
  EXPECT_EQ(fits(syn, p), Tri::yes);
  p.ct_state = CtState::established;
  EXPECT_EQ(fits(syn, p), Tri::unknown);
  p.protocol = 17;
  EXPECT_EQ(fits(syn, p), Tri::no);
}

TEST(Matching, the_type_of_an_address_is_unknown_until_told) {
  Packet p;
  p.daddr = *IpAddress::parse("203.0.113.1");
  const Match local = equals(Field::daddr_type, static_cast<std::uint32_t>(AddressType::local));
  EXPECT_EQ(fits(local, p), Tri::unknown);
  p.daddr_local = true;
  EXPECT_EQ(fits(local, p), Tri::yes);
  p.daddr_local = false;
  EXPECT_EQ(fits(local, p), Tri::no);
  p.daddr = *IpAddress::parse("224.0.0.251");
  EXPECT_EQ(fits(equals(Field::daddr_type, static_cast<std::uint32_t>(AddressType::multicast)), p), Tri::yes);
}

}  // namespace
}  // namespace podshark::firewall
