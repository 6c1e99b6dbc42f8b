// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/tcp_table.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "podman/core/fd.h"
#include "podman/core/proc.h"

namespace podshark::kernel {
namespace {

constexpr const char* kTitle =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string line(const std::string& local, const std::string& remote, const std::string& state) {
  return "   0: " + local + " " + remote + " " + state +
         " 00000000:00000000 00:00000000 00000000     0        0 1117 1 000000009932cb85 100 0 0 10 0\n";
}

std::vector<TcpSocket> parse(const std::string& text) {
  std::vector<TcpSocket> out;
  add_tcp_sockets(text, out);
  return out;
}

TEST(TcpTable, both_families_are_read) {
  const auto v4 = parse(kTitle + line("0200580A:1F90", "0100580A:D431", "01"));
  ASSERT_EQ(v4.size(), 1U);
  EXPECT_EQ(v4[0].local.text(), "10.88.0.2");
  EXPECT_EQ(v4[0].local_port, 8080);
  EXPECT_EQ(v4[0].remote.text(), "10.88.0.1");
  EXPECT_EQ(v4[0].state, kTcpEstablished);
  const auto v6 =
      parse(line("000000FD000000000000000002000000:0050", "00000000000000000000000001000000:0001", "0A"));
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(v6[0].local.text(), "fd00::2");
  EXPECT_EQ(v6[0].remote.text(), "::1");
  EXPECT_EQ(v6[0].state, kTcpListen);
}

TEST(TcpTable, a_connection_within_the_namespace_counts_once) {
  // One end may be an IPv6 socket that speaks IPv4.
  const auto sockets =
      parse(line("0100007F:0050", "0100007F:9C40", "01") +
            line("0000000000000000FFFF00000100007F:9C40", "0000000000000000FFFF00000100007F:0050", "01") +
            line("0200580A:9C41", "0300580A:0050", "01") + line("0200580A:9C42", "0300580A:0050", "06") +
            line("00000000:0050", "00000000:0000", "0A"));
  EXPECT_EQ(sockets.size(), 5U);
  EXPECT_EQ(count_connections(sockets), 2U);
  EXPECT_EQ(listening_ports(sockets), std::vector<std::uint16_t>{80});
}

TEST(TcpTable, of_one_that_is_over_the_rest_of_its_wait_is_read) {
  const auto sockets = parse(
      "1: 0200580A:0050 0200580A:9576 06 00000000:00000000 03:00001769 00000000     0        0 0 3 0\n"
      "2: 0200580A:0050 0200580A:9577 06 00000000:00000000 03:FFFFFFFF 00000000     0        0 0 3 0\n");
  ASSERT_EQ(sockets.size(), 2U);
  EXPECT_EQ(sockets[0].state, kTcpTimeWait);
  EXPECT_EQ(sockets[0].timer_ms, 0x1769U * 10);
  EXPECT_EQ(sockets[0].inode, 0U);
  EXPECT_EQ(sockets[1].timer_ms, 0U) << "no such wait";
}

TEST(TcpTable, queue_and_inode_are_read_where_the_line_has_them) {
  const auto sockets = parse(
      "0: 00000000:0050 00000000:0000 0A 00000001:0000001F 00:00000000 00000000     0        0 4711 1 0\n"
      "1: 00000000:0051 00000000:0000 0A 00000000:zz 00:00000000 00000000     0        0 4711 1 0\n"
      "2: 00000000:0052 00000000:0000 0A 00000000:00000001 00:00000000\n");
  ASSERT_EQ(sockets.size(), 3U);
  EXPECT_EQ(sockets[0].receive_queue, 0x1FU);
  EXPECT_EQ(sockets[0].inode, 4711U);
  EXPECT_EQ(sockets[1].inode, 0U);
  EXPECT_EQ(sockets[2].inode, 0U);
}

TEST(TcpTable, other_lines_are_skipped) {
  for (const char* text : {"", "\n\n", "0:", "0: 0100007F", "0: 0100007F:0050 0100007F:9C40",
                           "0: 0100007F:0050 0100007F:9C40 zz", "0: 0100007F:10050 0100007F:9C40 01",
                           "0: 010000:0050 0100007F:9C40 01", "0: 0100007G:0050 0100007F:9C40 01",
                           "0: : : 01", "0: 0100007F: 0100007F:1 01"}) {
    EXPECT_TRUE(parse(text).empty()) << text;
  }
}

TEST(TcpTable, a_listener_of_ours_is_found) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  socklen_t size = sizeof(at);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(fd.get(), 1), 0);
  ASSERT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  const auto text = read_file("/proc/self/net/tcp", 64U << 20U);
  ASSERT_TRUE(text);
  const auto ports = listening_ports(parse(*text));
  EXPECT_TRUE(std::binary_search(ports.begin(), ports.end(), ntohs(at.sin_port)));
}

}  // namespace
}  // namespace podshark::kernel
