// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/proc_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "podman/core/fd.h"
#include "tests/unit/discover/fake_proc.h"

namespace podshark::discover {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr const char* kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 501 1 x 100\n"
    "   1: 0100007F:C350 0100007F:1538 01 00000000:00000000 00:00000000 00000000     0        0 502 1 x 100\n"
    "   2: 0100007F:C351 0100007F:1538 06 00000000:00000000 00:00000000 00000000     0        0 0 1 x 100\n"
    "   3: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 900 1 x "
    "100\n";
constexpr const char* kUdp6 =
    "  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref "
    "pointer\n"
    "  10: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 "
    "00:00000000 00000000     0        0 503 2 x 0\n";

TEST(ParseSockets, listeners_and_connections_by_inode) {
  EXPECT_THAT(parse_sockets(kTcp, false), UnorderedElementsAre(Pair(501, HeldPort{8080, false, true}),
                                                               Pair(502, HeldPort{50000, false, false}),
                                                               Pair(900, HeldPort{22, false, true})));
  EXPECT_THAT(parse_sockets(kUdp6, true), UnorderedElementsAre(Pair(503, HeldPort{53, true, true})));
}

TEST(ParseSockets, nonsense_is_nothing) {
  EXPECT_TRUE(parse_sockets("", false).empty());
  EXPECT_TRUE(parse_sockets("  0: xx:yy zz 0A a b c d e f\n 1: :: :: :: 0A 1 2 3 4 5 6 7\n", true).empty());
}

class HeldPortsTest : public testing::Test {
 protected:
  void descriptor(int pid, int fd, const std::string& target) const {
    const std::filesystem::path dir = std::filesystem::path(proc.path()) / std::to_string(pid) / "fd";
    std::filesystem::create_directories(dir);
    std::filesystem::create_symlink(target, dir / std::to_string(fd));
  }
  test::FakeProc proc;
};

TEST_F(HeldPortsTest, are_those_whose_sockets_a_process_of_the_container_holds) {
  proc.process(10, "conmon", 1);
  proc.process(11, "app", 10);
  proc.process(12, "worker", 11);
  proc.process(13, "stranger", 1);
  descriptor(11, 3, "socket:[501]");
  descriptor(11, 0, "/dev/null");
  descriptor(12, 4, "socket:[502]");
  descriptor(12, 5, "socket:[503]");
  descriptor(13, 3, "socket:[900]");
  proc.write("11/net/tcp", kTcp);
  proc.write("11/net/udp6", kUdp6);
  const std::vector<pid_t> pids = container_processes(11, proc.path());
  EXPECT_THAT(pids, UnorderedElementsAre(11, 12));
  const HeldPorts held = held_ports(pids, proc.path());
  EXPECT_TRUE(held.readable);
  EXPECT_THAT(held.ports, ElementsAre(HeldPort{8080, false, true}, HeldPort{53, true, true},
                                      HeldPort{50000, false, false}));
}

TEST_F(HeldPortsTest, unreadable_is_not_the_same_as_none) {
  proc.process(11, "app", 10);
  EXPECT_FALSE(held_ports({11}, proc.path()).readable);
  descriptor(11, 0, "/dev/null");
  const HeldPorts none = held_ports({11}, proc.path());
  EXPECT_TRUE(none.readable);
  EXPECT_TRUE(none.ports.empty());
}

TEST(HeldPortsLive, a_listener_of_this_process_is_found) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_THAT(held_ports({::getpid()}).ports, Contains(HeldPort{ntohs(address.sin_port), false, true}));
}

}  // namespace
}  // namespace podshark::discover
