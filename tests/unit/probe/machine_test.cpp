// SPDX-License-Identifier: GPL-2.0-or-later
// The machines against real sockets on loopback.
#include "podman/probe/machine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "podman/probe/dns.h"
#include "podman/probe/listener.h"
#include "podman/probe/socket_address.h"
#include "podman/probe/tcp.h"
#include "podman/probe/udp.h"

namespace podshark::probe {
namespace {

constexpr milliseconds kTimeout{2000};

UniqueFd make(int type) {
  UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(fd);
  return fd;
}

Endpoint name_of(int fd) {
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length), 0);
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&name));
}

UniqueFd bound(int type) {
  UniqueFd fd = make(type);
  const SocketAddress any = to_sockaddr({*IpAddress::parse("127.0.0.1"), 0});
  EXPECT_EQ(::bind(fd.get(), any.get(), any.length), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 8), 0);
  }
  return fd;
}

// A port of loopback that nobody has.
Endpoint free_port(int type) {
  return name_of(bound(type).get());
}

TimePoint soon() {
  return Clock::now() + milliseconds(10'000);
}

TEST(Tcp, a_listener_that_never_accepts_leaves_the_connection_open) {
  const UniqueFd server = bound(SOCK_STREAM);
  TcpProbe probe(make(SOCK_STREAM), name_of(server.get()), kTimeout);
  EXPECT_TRUE(run({&probe}, {}, soon(), -1));
  const Attempt& a = probe.attempt();
  EXPECT_TRUE(a.connected);
  EXPECT_FALSE(a.closed || a.reset || a.answered);
  EXPECT_GE(a.watched, kWatch);
  EXPECT_NE(a.local.port, 0);
}

TEST(Tcp, a_port_without_listener_refuses) {
  TcpProbe probe(make(SOCK_STREAM), free_port(SOCK_STREAM), kTimeout);
  run({&probe}, {}, soon(), -1);
  EXPECT_FALSE(probe.attempt().connected);
  EXPECT_EQ(probe.attempt().error, ECONNREFUSED);
}

TEST(Tcp, the_deadline_ends_a_try_that_nobody_answers) {
  // A full backlog drops further handshakes.
  const UniqueFd server = make(SOCK_STREAM);
  const SocketAddress any = to_sockaddr({*IpAddress::parse("127.0.0.1"), 0});
  ASSERT_EQ(::bind(server.get(), any.get(), any.length), 0);
  ASSERT_EQ(::listen(server.get(), 0), 0);
  const Endpoint to = name_of(server.get());
  std::array<UniqueFd, 4> fill{};
  for (UniqueFd& fd : fill) {
    fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)::connect(fd.get(), to_sockaddr(to).get(), to_sockaddr(to).length);
  }
  TcpProbe probe(make(SOCK_STREAM), to, milliseconds(300));
  EXPECT_TRUE(run({&probe}, {}, soon(), -1));
  EXPECT_TRUE(probe.done());
  EXPECT_EQ(probe.attempt().error, ETIMEDOUT);
}

TEST(Tcp, a_silent_peer_is_watched_no_longer_than_the_timeout) {
  const UniqueFd server = bound(SOCK_STREAM);
  TcpProbe probe(make(SOCK_STREAM), name_of(server.get()), milliseconds(100), "say something\n");
  run({&probe}, {}, soon(), -1);
  EXPECT_TRUE(probe.attempt().connected);
  EXPECT_FALSE(probe.attempt().answered);
}

TEST(Udp, a_port_without_socket_refuses) {
  UdpProbe probe(make(SOCK_DGRAM), free_port(SOCK_DGRAM), kTimeout, "hello");
  run({&probe}, {}, soon(), -1);
  EXPECT_EQ(probe.attempt().error, ECONNREFUSED);
  ASSERT_TRUE(probe.attempt().icmp);
  EXPECT_EQ(probe.attempt().icmp->type, 3);
  EXPECT_EQ(probe.attempt().icmp->code, 3);
}

TEST(Udp, a_socket_that_nobody_reads_is_silence) {
  const UniqueFd server = bound(SOCK_DGRAM);
  UdpProbe probe(make(SOCK_DGRAM), name_of(server.get()), milliseconds(200), "hello");
  run({&probe}, {}, soon(), -1);
  EXPECT_EQ(probe.attempt().error, ETIMEDOUT);
}

class ListenerTest : public testing::TestWithParam<int> {};

TEST_P(ListenerTest, an_arrival_is_answered_and_reported_with_its_address) {
  const bool udp = GetParam() == SOCK_DGRAM;
  UniqueFd server = bound(GetParam());
  const Endpoint at = name_of(server.get());
  std::vector<Arrival> seen;
  Listener listener(std::move(server), udp, "podshark 1\n", [&](const Arrival& a) { seen.push_back(a); });
  std::unique_ptr<SocketProbe> probe;
  if (udp) {
    probe = std::make_unique<UdpProbe>(make(SOCK_DGRAM), at, kTimeout, "podshark 2\n");
  } else {
    probe = std::make_unique<TcpProbe>(make(SOCK_STREAM), at, kTimeout, "podshark 2\n");
  }
  run({probe.get()}, {&listener}, soon(), -1);
  listener.report_all();
  EXPECT_EQ(probe->attempt().said, "podshark 1\n");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.front().from, probe->attempt().local);
  EXPECT_EQ(seen.front().to, at);
  EXPECT_EQ(seen.front().said, "podshark 2\n");
  listener.report_all();
  EXPECT_EQ(seen.size(), 1U) << "each arrival once";
}

INSTANTIATE_TEST_SUITE_P(Both, ListenerTest, testing::Values(SOCK_STREAM, SOCK_DGRAM));

TEST(ListenerLimits, open_connections_are_bounded_and_the_eldest_goes) {
  UniqueFd server = bound(SOCK_STREAM);
  const Endpoint at = name_of(server.get());
  ASSERT_EQ(::listen(server.get(), 256), 0);
  std::size_t seen = 0;
  Listener listener(std::move(server), false, "x\n", [&](const Arrival&) { ++seen; });
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < Listener::kMaxOpen + 6; ++i) {
    clients.push_back(make(SOCK_STREAM));
    ASSERT_EQ(::connect(clients.back().get(), to_sockaddr(at).get(), to_sockaddr(at).length), 0);
  }
  listener.begin(Clock::now());
  listener.on_ready(Clock::now());
  listener.on_ready(Clock::now());
  std::vector<Machine::Interest> open;
  listener.interests(open);
  EXPECT_LE(open.size(), Listener::kMaxOpen + 1);
  listener.report_all();
  EXPECT_EQ(seen, clients.size());
}

TEST(Dns, an_answer_of_a_local_server_is_taken_and_a_stranger_ignored) {
  const UniqueFd server = bound(SOCK_DGRAM);
  DnsProbe probe(make(SOCK_DGRAM), name_of(server.get()), milliseconds(400), {"db.lan", "db"}, 100);
  probe.begin(Clock::now());
  sockaddr_storage from{};
  socklen_t length = sizeof(from);
  std::array<char, 512> query{};
  ASSERT_GT(
      ::recvfrom(server.get(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length),
      12);
  const auto send = [&](std::uint16_t id, char code) {
    std::string reply("\0\0\x81\0\0\0\0\0\0\0\0\0", 12);
    reply[0] = static_cast<char>(id >> 8U);
    reply[1] = static_cast<char>(id & 0xFFU);
    reply[3] = code;
    ::sendto(server.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
  };
  send(4711, 0);
  send(100, 3);
  send(101, 3);
  probe.on_ready(Clock::now());
  EXPECT_FALSE(probe.done()) << "the next name is asked for";
  send(102, 3);
  send(103, 3);
  probe.on_ready(Clock::now());
  ASSERT_TRUE(probe.done());
  EXPECT_EQ(probe.attempt().dns.name, "db");
  EXPECT_EQ(probe.attempt().dns.code, 3);
}

TEST(Run, a_stop_ends_everything) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const UniqueFd in(pipe[0]);
  const UniqueFd out(pipe[1]);
  ASSERT_EQ(::write(out.get(), "x", 1), 1);
  const UniqueFd server = bound(SOCK_DGRAM);
  UdpProbe probe(make(SOCK_DGRAM), name_of(server.get()), milliseconds(60'000), "hello");
  EXPECT_FALSE(run({&probe}, {}, Clock::now() + milliseconds(60'000), in.get()));
  EXPECT_FALSE(probe.done());
}

TEST(Run, without_anything_to_do_it_ends) {
  EXPECT_TRUE(run({}, {}, soon(), -1));
}

}  // namespace
}  // namespace podshark::probe
