// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/listeners.h"

#include <gtest/gtest.h>

#include "tests/unit/temp_tree.h"

namespace podshark::kernel {
namespace {

// /proc/net/tcp of Linux 6.18: a listener with two connections that wait, one that is connected.
constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 00000000:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 4711 1 "
    "0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 "
    "0000000000000000 100 0 0 10 0\n"
    "   2: 0100007F:0051 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 "
    "0000000000000000 100 0 0 10 0\n";

TEST(Listeners, are_those_that_wait_for_anybody) {
  std::vector<model::Listener> found;
  add_listeners(kTcp, /* udp= */ false, /* v6= */ false, found);
  ASSERT_EQ(2U, found.size());
  EXPECT_EQ(8080, found[0].port);
  EXPECT_TRUE(found[0].any());
  EXPECT_EQ(2U, found[0].waiting);
  EXPECT_EQ(4711U, found[0].inode);
  EXPECT_EQ("127.0.0.1", found[1].address.text());
  EXPECT_FALSE(found[1].any());
}

TEST(Listeners, unconnected_udp_sockets_count) {
  std::vector<model::Listener> found;
  add_listeners("  77: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 99 2 0 0\n",
                true, false, found);
  ASSERT_EQ(1U, found.size());
  EXPECT_TRUE(found[0].udp);
  EXPECT_EQ(53, found[0].port);
}

TEST(Listeners, garbage_is_skipped) {
  std::vector<model::Listener> found;
  add_listeners("\n:::\n 0: X:1 Y:2 0A 0:0 0 0 0 0 0 0\n0: 00000000:1F90\n", false, false, found);
  EXPECT_TRUE(found.empty());
}

TEST(Listeners, of_a_process_that_has_ended_are_not_known) {
  const test::TempTree proc;
  EXPECT_FALSE(listeners_of(7, proc.path()).has_value());
  proc.write("7/net/tcp", kTcp);
  EXPECT_FALSE(listeners_of(7, proc.path()).has_value()) << "it ended between the two files";
  proc.write("7/net/udp", "  sl\n");  // IPv6 is switched off: no files
  ASSERT_TRUE(listeners_of(7, proc.path()).has_value());
  EXPECT_EQ(2U, listeners_of(7, proc.path())->size());
}

TEST(Listeners, any_of_both_families_is_any) {
  model::Listener l;
  EXPECT_TRUE(l.any());
  l.address = *IpAddress::parse("0.0.0.0");
  EXPECT_TRUE(l.any());
  l.address = *IpAddress::parse("::1");
  EXPECT_FALSE(l.any());
}

}  // namespace
}  // namespace podshark::kernel
