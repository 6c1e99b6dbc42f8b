// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/drops/counters.h"

#include <gmock/gmock.h>

namespace podshark::drops {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(Counters, are_read_by_their_names) {
  Counters c;
  add_counters("Udp: InDatagrams NoPorts RcvbufErrors\nUdp: 7 8 9\n", c);
  add_counters("TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 1 2\nIpExt: InNoRoutes\nIpExt: 3\n", c);
  EXPECT_EQ((Counters{{"Udp NoPorts", 8},
                      {"Udp RcvbufErrors", 9},
                      {"TcpExt ListenOverflows", 2},
                      {"IpExt InNoRoutes", 3}}),
            c);
}

TEST(Counters, of_malformed_files_are_left_out) {
  Counters c;
  add_counters("", c);
  add_counters("Udp: NoPorts RcvbufErrors\nUdp: 1\n", c);
  add_counters("Udp: NoPorts\nTcp: 1\n", c);
  add_counters("Udp: NoPorts\nUdp: many\n", c);
  add_counters("\n\n", c);
  EXPECT_THAT(c, IsEmpty());
}

TEST(Losses, are_differences) {
  const Counters before{{"Udp RcvbufErrors", 5}, {"Udp NoPorts", 3}};
  const Counters after{{"Udp RcvbufErrors", 9}, {"Udp NoPorts", 3}};
  const auto told = losses(before, after, /* events= */ false);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ("RcvbufErrors", told[0].name);
  EXPECT_EQ("Udp", told[0].group);
  EXPECT_EQ(4U, told[0].count);
}

TEST(Counters, of_links_are_by_name_and_without_lo) {
  Counters c;
  add_link_counters(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo "
      "colls carrier compressed\n"
      "    lo:     100       2    1    1    0     0          0         0      100       2    1    1    0     "
      "0       0          0\n"
      "  eth0:    1000      20    3    4    0     0          0         0     1000      20    5    6    0     "
      "0       0          0\n"
      "  bad0:    1000      20\n",
      c);
  EXPECT_EQ((Counters{{"Link rx_errors eth0", 3},
                      {"Link rx_dropped eth0", 4},
                      {"Link tx_errors eth0", 5},
                      {"Link tx_dropped eth0", 6}}),
            c);
}

TEST(Counters, of_connection_tracking_are_summed_over_processors) {
  Counters c;
  add_conntrack_counters(
      "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop\n"
      "00000001  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000002 0000000a "
      "00000000\n"
      "00000001  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000010 "
      "00000000\n",
      c);
  EXPECT_EQ((Counters{{"Conntrack insert_failed", 3}, {"Conntrack drop", 26}}), c);
  add_conntrack_counters("", c);
}

TEST(Counters, of_softnet_are_summed_over_processors) {
  Counters c;
  add_softnet_counters("00ed8b71 00000001 00000000\n00cf331b 0000000f 00000004\n\n", c);
  EXPECT_EQ((Counters{{"Softnet dropped", 16}}), c);
}

TEST(Losses, of_links_name_the_link) {
  const Counters before{{"Link rx_dropped eth0", 4}, {"Link rx_dropped eth1", 1}};
  const Counters after{{"Link rx_dropped eth0", 4}, {"Link rx_dropped eth1", 3}, {"Link rx_dropped eth2", 9}};
  const auto told = losses(before, after, /* events= */ false);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ("eth1", told[0].link);
  EXPECT_EQ(2U, told[0].count);
  EXPECT_THAT(losses(before, after, /* events= */ true), IsEmpty());
}

TEST(Losses, that_the_program_sees_itself_are_not_told_twice) {
  const Counters before{{"Udp RcvbufErrors", 0}, {"TcpExt ListenOverflows", 0}};
  const Counters after{{"Udp RcvbufErrors", 9}, {"TcpExt ListenOverflows", 1}};
  const auto told = losses(before, after, /* events= */ true);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ("ListenOverflows", told[0].name);
}

TEST(Losses, never_are_negative) {
  EXPECT_THAT(losses({{"Udp NoPorts", 9}}, {{"Udp NoPorts", 1}}, false), IsEmpty());
}

}  // namespace
}  // namespace podshark::drops
