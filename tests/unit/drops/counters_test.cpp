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

TEST(Losses, that_the_program_sees_itself_are_not_told_twice) {
  const Counters after{{"Udp RcvbufErrors", 9}, {"TcpExt ListenOverflows", 1}};
  const auto told = losses({}, after, /* events= */ true);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ("ListenOverflows", told[0].name);
}

TEST(Losses, never_are_negative) {
  EXPECT_THAT(losses({{"Udp NoPorts", 9}}, {{"Udp NoPorts", 1}}, false), IsEmpty());
}

}  // namespace
}  // namespace podshark::drops
