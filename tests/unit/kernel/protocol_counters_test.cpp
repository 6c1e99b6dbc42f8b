// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/protocol_counters.h"

#include <gtest/gtest.h>

#include <string>

#include "podman/core/proc.h"

namespace podshark::kernel {
namespace {

ProtocolCounters snmp(const std::string& text) {
  ProtocolCounters c;
  add_snmp(text, c);
  return c;
}

TEST(ProtocolCounters, values_are_found_by_name_wherever_they_stand) {
  const ProtocolCounters c = snmp(
      "Ip: Forwarding OutSegs\nIp: 2 99\n"
      "Tcp: MaxConn RetransSegs New OutSegs InErrs\nTcp: -1 7 1 5409 4\n"
      "Udp: InDatagrams NoPorts InErrors\nUdp: 1 2 3\n");
  EXPECT_EQ(c.tcp_retransmits, 7U);
  EXPECT_EQ(c.tcp_segments_out, 5409U);
  EXPECT_EQ(c.udp_drops, 3U);
}

TEST(ProtocolCounters, queue_drops_are_summed) {
  const ProtocolCounters c = snmp(
      "TcpExt: ListenOverflows ListenDrops TCPBacklogDrop TCPRcvQDrop\nTcpExt: 4 5 10 20\nIpExt: X\nIpExt: "
      "1\n");
  EXPECT_EQ(c.tcp_listen_drops, 5U);
  EXPECT_EQ(c.tcp_queue_drops, 30U);
}

TEST(ProtocolCounters, malformed_lines_count_nothing) {
  EXPECT_EQ(snmp("").tcp_retransmits, 0U);
  EXPECT_EQ(snmp("Tcp: RetransSegs\n").tcp_retransmits, 0U);
  EXPECT_EQ(snmp("Tcp: RetransSegs\nTcp: 1 2\n").tcp_retransmits, 0U);
  EXPECT_EQ(snmp("Tcp: RetransSegs\nUdp: 1\n").tcp_retransmits, 0U);
  EXPECT_EQ(snmp("Tcp: RetransSegs\nTcp: 0x1\n").tcp_retransmits, 0U);
  EXPECT_EQ(snmp("Tcp: RetransSegs\nTcp: 99999999999999999999999\n").tcp_retransmits, 0U);
}

TEST(ProtocolCounters, ipv6_adds_to_the_same_number) {
  ProtocolCounters c;
  c.udp_drops = 1;
  add_snmp6("Udp6InDatagrams\t9\nUdp6InErrors                    \t41\nUdpLite6InErrors \t7\n", c);
  EXPECT_EQ(c.udp_drops, 42U);
}

TEST(ProtocolCounters, the_running_kernel_is_understood) {
  const auto text = read_file("/proc/self/net/snmp", 1U << 20U);
  ASSERT_TRUE(text);
  const std::size_t at = text->find(" RetransSegs");
  EXPECT_NE(at, std::string::npos);
  EXPECT_NE(read_file("/proc/self/net/netstat", 1U << 20U)->find(" ListenDrops"), std::string::npos);
}

}  // namespace
}  // namespace podshark::kernel
