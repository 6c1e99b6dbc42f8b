// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/kernel/link_counters.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <vector>

#include "podman/core/fd.h"
#include "podman/kernel/netlink.h"

namespace podshark::kernel {
namespace {

UniqueFd route_socket() {
  return UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

std::vector<unsigned> types_of(const std::vector<unsigned char>& bytes) {
  std::vector<unsigned> out;
  for_each_attribute(reinterpret_cast<const char*>(bytes.data()), bytes.size(), [&](const Attribute& a) {
    out.push_back(a.type * 100 + static_cast<unsigned>(a.size));
  });
  return out;
}

TEST(Attributes, impossible_lengths_end_the_walk) {
  EXPECT_EQ(types_of({8, 0, 3, 0, 'e', 't', 'h', 0, 5, 0, 1, 0, 9}), (std::vector<unsigned>{304, 101}));
  EXPECT_EQ(types_of({8, 0, 3, 0, 'e'}), std::vector<unsigned>{});         // longer than what is there
  EXPECT_EQ(types_of({0, 0, 3, 0, 4, 0, 1, 0}), std::vector<unsigned>{});  // shorter than itself
  EXPECT_EQ(types_of({4, 0, 3}), std::vector<unsigned>{});
  EXPECT_EQ(types_of({4, 0, 7, 0x80}), std::vector<unsigned>{700});  // NLA_F_NESTED is no part of the type
}

TEST(LinkCounters, every_link_is_there_and_lo_is_known_as_loopback) {
  const UniqueFd fd = route_socket();
  const Result<std::vector<LinkCounters>> links = link_counters(fd.get());
  ASSERT_TRUE(links) << links.error().line();
  std::vector<std::string> names;
  for (const LinkCounters& link : *links) {
    names.push_back(link.name);
    EXPECT_EQ(link.loopback(), link.name == "lo") << link.name;
    EXPECT_EQ(static_cast<unsigned>(link.ifindex), ::if_nametoindex(link.name.c_str())) << link.name;
  }
  EXPECT_EQ(std::count(names.begin(), names.end(), "lo"), 1);
}

// A namespace of our own, where nobody else sends: the numbers are exact.
int in_new_netns(const std::function<bool()>& check) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) ::_exit(77);
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool bring_up_lo() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

bool send_datagrams(int count, std::size_t size) {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) return false;
  socklen_t length = sizeof(to);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&to), &length);
  const std::vector<char> data(size);
  for (int i = 0; i < count; ++i) {
    const ssize_t n = ::sendto(fd.get(), data.data(), size, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to));
    if (n != static_cast<ssize_t>(size)) return false;
  }
  return true;
}

TEST(LinkCounters, packets_and_bytes_are_those_that_were_sent) {
  const int code = in_new_netns([] {
    const UniqueFd fd = route_socket();
    const auto before = link_counters(fd.get());
    if (!before || before->size() != 1 || before->front().up() || before->front().tx_packets != 0)
      return false;
    if (!bring_up_lo() || !send_datagrams(10, 1000)) return false;
    const auto after = link_counters(fd.get());
    if (!after || !after->front().up()) return false;
    const LinkCounters& lo = after->front();
    const std::uint64_t bytes = 10 * (1000 + 8 + 20);
    return lo.tx_packets == 10 && lo.rx_packets == 10 && lo.tx_bytes == bytes && lo.rx_bytes == bytes;
  });
  EXPECT_EQ(code, 0) << "77: no user namespace to be had here";
}

TEST(LinkCounters, a_socket_of_another_kind_is_an_error) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const UniqueFd one(pair[0]);
  const UniqueFd other(pair[1]);
  ASSERT_EQ(::shutdown(other.get(), SHUT_RDWR), 0);
  EXPECT_FALSE(link_counters(one.get()));
}

}  // namespace
}  // namespace podshark::kernel
