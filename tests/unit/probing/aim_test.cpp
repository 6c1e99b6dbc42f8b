// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/aim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "extcap/probe/look.h"

namespace podshark::extcap::probing {
namespace {

using model::Container;
using model::NetworkKind;
using probe::Protocol;
using probe::ServerEnd;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t kUser = 1000;

class Nobody : public Resolver {
 public:
  Result<IpAddress> resolve(const Source& /*source*/, const std::string& name) override {
    if (name == "known.lan") return *IpAddress::parse("10.9.9.9");
    return Error{ErrorKind::not_found, "the name is unknown", {}};
  }
};

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

Container container(const std::string& name, uid_t owner, NetworkKind kind, const std::string& network,
                    const std::string& address, std::uint64_t netns) {
  Container c;
  c.id = name + std::string(64 - name.size(), '0');
  c.name = name;
  c.state = "running";
  c.pid = 1'000'000'000;  // nobody's
  c.netns = netns;
  c.owner = owner;
  c.rootless = owner != 0;
  c.kind = kind;
  c.networks.push_back({network, "eth0", "", {address}, "10.88.0.1"});
  return c;
}

model::Inventory inventory() {
  model::Inventory out;
  Container web = container("web", 0, NetworkKind::bridge, "podman", "10.88.0.2/16", 1);
  web.ports = {{"", 28080, 80, 1, "tcp"}, {"127.0.0.1", 9000, 90, 10, "tcp"}, {"", 5353, 53, 1, "udp"}};
  Container left = container("left", kUser, NetworkKind::bridge, "lan", "10.89.0.2/24", 2);
  left.ports = {{"", 28082, 80, 1, "tcp"}};
  Container own = container("own", kUser, NetworkKind::pasta, "", "203.0.113.1/24", 4);
  Container gone = container("gone", 0, NetworkKind::bridge, "podman", "", 0);
  gone.pid = 0;
  gone.state = "exited";
  out.containers = {gone, left, own, container("right", kUser, NetworkKind::bridge, "lan", "10.89.0.3/24", 3),
                    web};
  return out;
}

Result<Aim> aim(const std::string& target, const std::string& from = "host", bool published = false) {
  const model::Inventory all = inventory();
  const Result<Source> source = find_source(from, all, kUser);
  EXPECT_TRUE(source);
  Nobody nobody;
  return find_aim(*parse_target(target), *source, all, kUser, {published, false}, nobody);
}

TEST(Aim, a_rootful_container_is_probed_at_its_own_address) {
  const Result<Aim> a = aim("web:80");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->to, (probe::Endpoint{ip("10.88.0.2"), 80}));
  EXPECT_FALSE(a->published);
  EXPECT_EQ(a->target, "web:80/tcp");
  EXPECT_EQ(a->container_port, 80);
}

TEST(Aim, published_goes_through_the_host_by_either_number) {
  for (const char* target : {"web:80", "web:28080"}) {
    const Result<Aim> a = aim(target, "host", true);
    ASSERT_TRUE(a) << target;
    EXPECT_EQ(a->to, (probe::Endpoint{ip("127.0.0.1"), 28080}));
    EXPECT_EQ(a->container_port, 80);
    EXPECT_TRUE(a->published);
    EXPECT_THAT(a->notes, testing::Contains(HasSubstr("from outside: not measured")));
  }
}

TEST(Aim, ranges_are_counted_on_both_sides) {
  const Result<Aim> a = aim("web:95", "host", true);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->to.port, 9005);
  EXPECT_EQ(aim("host:9005")->container_port, 95);
}

TEST(Aim, a_port_of_the_host_knows_who_publishes_it) {
  const Result<Aim> a = aim("host:28080");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->container_name, "web");
  EXPECT_TRUE(a->published);
  EXPECT_EQ(aim("host:5353/udp")->container_port, 53);
  EXPECT_THAT(aim("host:5353/tcp")->container_name, IsEmpty());
}

TEST(Aim, an_address_of_a_container_is_recognised) {
  EXPECT_EQ(aim("10.88.0.2:80")->container_name, "web");
  EXPECT_THAT(aim("203.0.113.9:80")->container_name, IsEmpty());
}

TEST(Aim, from_the_host_a_rootless_container_is_reached_as_published) {
  const Result<Aim> a = aim("left:80");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->to, (probe::Endpoint{ip("127.0.0.1"), 28082}));
  EXPECT_TRUE(a->published);
  EXPECT_THAT(a->notes, testing::Contains(HasSubstr("cannot be reached from the host")));
  const Result<Aim> other = aim("left:81");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::unsupported);
}

TEST(Aim, rootless_neighbours_of_a_bridge_reach_each_other) {
  const Result<Aim> a = aim("left:80", "right");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->to.address, ip("10.89.0.2"));
  EXPECT_FALSE(aim("own:80", "right")) << "the address of pasta's containers is the host's";
}

TEST(Aim, itself_is_reached_at_its_own_address) {
  EXPECT_EQ(aim("own:80", "own")->to.address, ip("203.0.113.1"));
  EXPECT_EQ(aim("127.0.0.1:80", "own")->container_name, "own");
}

TEST(Aim, names_that_no_container_has_are_looked_up) {
  EXPECT_EQ(aim("known.lan:80")->to.address, ip("10.9.9.9"));
  const Result<Aim> none = aim("nobody:80");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  EXPECT_THAT(none.error().what, HasSubstr("no container or pod is called 'nobody'"));
}

TEST(Aim, what_can_not_be_aimed_at_is_told) {
  EXPECT_EQ(aim("gone:80").error().kind, ErrorKind::not_running);
  EXPECT_EQ(aim("web").error().kind, ErrorKind::usage) << "nothing known listens";
  EXPECT_EQ(aim("host").error().kind, ErrorKind::usage);
  EXPECT_EQ(aim("all:80").error().kind, ErrorKind::usage);
  EXPECT_EQ(aim("w*:80").error().kind, ErrorKind::usage);
  EXPECT_EQ(find_source("nobody", inventory(), kUser).error().kind, ErrorKind::not_found);
  EXPECT_EQ(find_source("gone", inventory(), kUser).error().kind, ErrorKind::not_running);
}

SocketTable table(std::string_view text) {
  SocketTable out;
  out.known = true;
  kernel::add_tcp_sockets(text, out.sockets);
  return out;
}

constexpr std::string_view kListening =
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 4711 1 0\n"
    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n";

Aim at_web() {
  Aim a;
  a.to = {ip("10.88.0.2"), 80};
  a.container_port = 80;
  return a;
}

TEST(Look, a_listener_on_every_address_is_reachable_one_on_loopback_is_not) {
  Aim a = at_web();
  EXPECT_TRUE(look_inside(table(kListening), a, {}).listens);
  EXPECT_EQ(look_inside(table(kListening), a, {}).queue, 2U);
  a.container_port = 8080;
  const probe::Inside loopback = look_inside(table(kListening), a, {});
  EXPECT_FALSE(loopback.listens);
  EXPECT_TRUE(loopback.loopback_only);
  EXPECT_THAT(loopback.ports, testing::ElementsAre(80));
  a.to.address = ip("127.0.0.1");
  EXPECT_TRUE(look_inside(table(kListening), a, {}).listens) << "aimed at from inside";
}

TEST(Look, the_servers_end_without_inode_waits_to_be_accepted) {
  probe::Attempt attempt;
  attempt.local = {ip("10.88.0.1"), 40000};
  attempt.remote = {ip("10.88.0.2"), 80};
  const std::string row =
      "   2: 0200580A:0050 0100580A:9C40 01 00000000:00000000 00:00000000 00000000     0        0 ";
  EXPECT_EQ(find_server_end(table(row + "0 1 0\n"), attempt), ServerEnd::waiting);
  EXPECT_EQ(find_server_end(table(row + "99 1 0\n"), attempt), ServerEnd::accepted);
  EXPECT_EQ(find_server_end(table(kListening), attempt), ServerEnd::absent);
  EXPECT_EQ(find_server_end(SocketTable{}, attempt), ServerEnd::unknown);
  EXPECT_EQ(look_inside(table(row + "99 1 0\n"), at_web(), attempt).server_end, ServerEnd::accepted);
}

// Apache waits so for the first bytes (TCP_DEFER_ACCEPT); a proxy's rules inside lead to another port.
TEST(Look, the_servers_end_leaves_a_trace_when_it_is_not_accepted_or_redirected) {
  probe::Attempt attempt;
  attempt.local = {ip("10.88.0.1"), 40000};
  const std::string tail = " 00000000:00000000 00:00000000 00000000     0        0 99 1 0\n";
  const auto server_end = [&](const std::string& row) {
    return look_inside(table(row + tail), at_web(), attempt).server_end;
  };
  EXPECT_EQ(server_end("   2: 0200580A:0050 0100580A:9C40 03"), ServerEnd::deferred);
  EXPECT_EQ(server_end("   2: 0200580A:0050 0100580A:9C40 05"), ServerEnd::deferred) << "it has just closed";
  EXPECT_EQ(server_end("   2: 0200580A:3A9E 0100580A:9C40 01"), ServerEnd::deferred);
  EXPECT_EQ(server_end("   2: 0200580A:0050 0100580A:9C41 01"), ServerEnd::absent);
  EXPECT_TRUE(look_inside(table("   2: 0200580A:0050 0100580A:9C41 01" + tail), at_web(), attempt).others);
  EXPECT_FALSE(look_inside(table("   2: 0200580A:3A9E 0100580A:9C41 01" + tail), at_web(), attempt).others);
  attempt.local.port = 0;
  EXPECT_EQ(server_end("   2: 0200580A:0050 0100580A:9C41 01"), ServerEnd::unknown) << "from another machine";
}

TEST(Look, reachable_ports_are_those_that_listen_beyond_loopback) {
  EXPECT_THAT(reachable_ports(table(kListening), false), testing::ElementsAre(80));
}

}  // namespace
}  // namespace podshark::extcap::probing
