// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/proc_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/discover/fake_proc.h"

namespace podshark::discover {
namespace {

using testing::ElementsAre;

constexpr const char* kRouteHeader =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n";

TEST(ParseFibTrie, local_addresses_once_without_loopback) {
  const char* text =
      "Main:\n  |-- 10.89.0.0\n     /24 link UNICAST\n  |-- 10.89.0.2\n     /32 host LOCAL\n"
      "  |-- 127.0.0.1\n     /32 host LOCAL\nLocal:\n  |-- 10.89.0.2\n     /32 host LOCAL\n"
      "  |-- 192.168.7.9\n     /32 link BROADCAST\n     /32 host LOCAL\n";
  EXPECT_THAT(parse_fib_trie(text), ElementsAre("10.89.0.2", "192.168.7.9"));
  EXPECT_TRUE(parse_fib_trie("").empty());
  EXPECT_TRUE(parse_fib_trie("/32 host LOCAL\n|-- \n").empty());
}

TEST(ParseRoutes, numbers_are_in_host_order_and_bad_lines_are_left_out) {
  const std::vector<Route> routes =
      parse_routes(std::string(kRouteHeader) +
                   "tap0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\nbad\tline\n"
                   "down\t0002000A\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\n");
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].link, "tap0");
  EXPECT_EQ(routes[0].destination, 0x0A000200U);
  EXPECT_EQ(routes[0].mask, 0xFFFFFF00U);
}

TEST(ParseIfInet6, global_addresses_only) {
  const std::vector<Address6> found = parse_if_inet6(
      "00000000000000000000000000000001 01 80 10 80       lo\n"
      "fe80000000000000f07667fffe972577 02 40 20 80     wan0\n"
      "20010db8000000000000000000000001 02 40 00 80     wan0\n"
      "xx010db8000000000000000000000001 02 40 00 80     wan0\n20010db8 02 40 00 80 wan0\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].link, "wan0");
  EXPECT_EQ(found[0].address, "2001:db8::1/64");
}

TEST(ReadLinks, each_address_goes_to_the_link_of_its_narrowest_route) {
  const test::TempTree proc;
  proc.write("7/net/dev", "h|\nh|\n    lo: 1\n  eth0: 1\n  eth1: 1\n");
  proc.write("7/net/route", std::string(kRouteHeader) +
                                "eth0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                                "eth1\t0001580A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                                "eth1\t00000000\t0101580A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
  proc.write("7/net/fib_trie",
             "  |-- 10.88.0.5\n   /32 host LOCAL\n  |-- 10.88.1.5\n   /32 host LOCAL\n  |-- 9.9.9.9\n   /32 "
             "host LOCAL\n");
  const ProcLinks found = read_links(7, proc.path());
  EXPECT_TRUE(found.readable);
  ASSERT_EQ(found.links.size(), 2U);
  EXPECT_THAT(found.links[0].addresses, ElementsAre("10.88.0.5/16"));
  EXPECT_EQ(found.links[0].gateway, "");
  EXPECT_THAT(found.links[1].addresses, ElementsAre("10.88.1.5/24"));
  EXPECT_EQ(found.links[1].gateway, "10.88.1.1");
}

TEST(ReadLinks, without_a_route_an_address_belongs_to_the_only_link) {
  const test::TempTree proc;
  proc.write("7/net/dev", "    lo: 1\n  eth0: 1\n");
  proc.write("7/net/fib_trie", "  |-- 9.9.9.9\n   /32 host LOCAL\n");
  EXPECT_THAT(read_links(7, proc.path()).links.at(0).addresses, ElementsAre("9.9.9.9"));
}

TEST(ReadLinks, unreadable_is_not_the_same_as_without_links) {
  const test::FakeProc proc;
  proc.only_loopback(7);
  EXPECT_TRUE(read_links(7, proc.path()).readable);
  EXPECT_TRUE(read_links(7, proc.path()).links.empty());
  EXPECT_FALSE(read_links(8, proc.path()).readable);
}

TEST(ReadLinks, thousands_of_links_and_addresses_are_limited) {
  const test::TempTree proc;
  std::string dev;
  std::string trie;
  for (int i = 0; i < 5000; ++i) {
    dev += "  v" + std::to_string(i) + ": 1\n";
    trie += "  |-- 10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "\n   /32 host LOCAL\n";
  }
  proc.write("7/net/dev", dev);
  proc.write("7/net/fib_trie", trie);
  proc.write("7/net/route",
             std::string(kRouteHeader) + "v0\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n");
  const ProcLinks found = read_links(7, proc.path());
  EXPECT_EQ(found.links.size(), 64U);
  EXPECT_EQ(found.links[0].addresses.size(), 64U);
}

TEST(ProcNet, counters_of_links_are_packets_of_both_directions) {
  const auto counters = parse_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
      "    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0\n"
      "eth0:1:  866      11    0    0    0     0          0         0      500       7    0    0\n"
      "  bad\n  cut: 5\n");
  ASSERT_EQ(counters.size(), 3U);
  EXPECT_EQ(counters[0].packets, 10U);
  EXPECT_EQ(counters[1].link, "eth0:1");
  EXPECT_EQ(counters[1].packets, 18U);
  EXPECT_EQ(counters[2].packets, 0U);
}

}  // namespace
}  // namespace podshark::discover
