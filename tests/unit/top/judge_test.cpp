// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/judge.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>

namespace podshark::extcap::top {
namespace {

using kernel::LinkCounters;
using model::Container;
using model::Inventory;

LinkCounters link(int ifindex, const char* name, std::uint64_t rx, std::uint64_t tx) {
  LinkCounters l;
  l.ifindex = ifindex;
  l.name = name;
  l.flags = std::string(name) == "lo" ? IFF_UP | IFF_LOOPBACK : IFF_UP;
  l.rx_packets = rx / 100;
  l.rx_bytes = rx;
  l.tx_packets = tx / 100;
  l.tx_bytes = tx;
  return l;
}

Container container(const std::string& name, std::uint64_t netns, const char* address = "") {
  Container c;
  c.id = name + "-id";
  c.name = name;
  c.pid = 7;
  c.netns = netns;
  c.rootless = true;
  c.owner = 1000;
  c.kind = model::NetworkKind::bridge;
  if (*address != '\0') c.networks = {{"lan", "eth0", "", {address}, "10.89.0.1"}};
  return c;
}

Measured measured(const Container& c, std::vector<LinkCounters> before, std::vector<LinkCounters> after) {
  Measured m;
  m.target.value = "podman:" + c.name;
  m.target.container = c;
  m.before.links = std::move(before);
  m.after.links = std::move(after);
  m.after.monotonic_ns = 2'000'000'000;
  return m;
}

Entry entry_of(Measured m, const Inventory& inventory = {}, std::size_t peers = 10) {
  return judge(std::move(m), inventory, AddressBook(inventory), peers);
}

TEST(Judge, links_are_added_up_and_loopback_counts_once) {
  const Container c = container("web", 1);
  const Entry e =
      entry_of(measured(c, {link(1, "lo", 1000, 1000), link(2, "eth0", 500, 0)},
                        {link(1, "lo", 3000, 3000), link(2, "eth0", 1500, 700), link(3, "eth1", 0, 300)}));
  EXPECT_EQ(e.name, "web");
  EXPECT_EQ(e.now.traffic, (Traffic{10, 1000, 10, 1000}));
  EXPECT_EQ(e.now.lo_bytes, 2000U);
  EXPECT_EQ(e.now.lo_packets, 20U);
  EXPECT_EQ(e.now.bytes(), 4000U);
  EXPECT_DOUBLE_EQ(e.seconds, 2);
  ASSERT_EQ(e.links.size(), 3U);
  EXPECT_TRUE(e.links[0].loopback);
}

TEST(Judge, a_link_made_anew_counts_from_zero) {
  const Container c = container("web", 1);
  const Entry e = entry_of(measured(c, {link(2, "eth0", 90000, 90000)}, {link(3, "eth0", 400, 200)}));
  EXPECT_EQ(e.now.traffic.rx_bytes, 400U);
  EXPECT_EQ(e.now.traffic.tx_bytes, 200U);
}

TEST(Judge, drops_of_links_and_sockets_and_retransmits) {
  Measured m = measured(container("web", 1), {link(2, "eth0", 0, 0)}, {link(2, "eth0", 0, 0)});
  m.after.links[0].rx_dropped = 3;
  m.after.links[0].tx_dropped = 4;
  m.after.links[0].tx_errors = 5;
  m.before.protocols = kernel::ProtocolCounters{100, 10, 1, 1, 1};
  m.after.protocols = kernel::ProtocolCounters{150, 12, 2, 3, 4};
  m.after.connections = 9;
  const Entry e = entry_of(m);
  EXPECT_EQ(e.now.link_drops, 7U);
  EXPECT_EQ(e.now.link_errors, 5U);
  EXPECT_EQ(e.now.retransmits, 2U);
  EXPECT_EQ(e.now.segments, 50U);
  EXPECT_EQ(e.now.socket_drops, 6U);
  EXPECT_EQ(e.connections, 9U);
  m.after.protocols.reset();
  EXPECT_FALSE(entry_of(m).protocols_known);
  EXPECT_EQ(entry_of(m).now.retransmits, 0U);
}

PeerKey key(const char* peer, Side side, std::uint16_t port) {
  PeerKey k;
  k.ip = true;
  k.side = side;
  k.protocol = IPPROTO_TCP;
  k.port = port;
  k.peer = *IpAddress::parse(peer);
  return k;
}

TEST(Judge, peers_have_names_and_published_ports) {
  Inventory inventory;
  Container web = container("web", 1, "10.89.0.2/24");
  web.ports = {{"", 8000, 80, 10, "tcp"}, {"", 53, 53, 1, "udp"}};
  inventory.containers = {web, container("db", 2, "10.89.0.3/24")};
  Measured m = measured(web, {}, {});
  m.peers.peers = {{key("10.89.0.3", Side::remote, 5432), {1, 900, 0, 0}},
                   {key("10.89.0.1", Side::local, 82), {1, 800, 0, 0}},
                   {key("10.89.0.1", Side::local, 90), {1, 700, 0, 0}},
                   {key("192.0.2.1", Side::remote, 53), {1, 600, 0, 0}}};
  m.peers.others = {0, 0, 2, 50};
  const Entry e = entry_of(m, inventory, 3);
  ASSERT_EQ(e.peers.size(), 3U);
  EXPECT_EQ(e.peers[0].name, "db");
  EXPECT_EQ(e.peers[0].published_port, 0);
  EXPECT_EQ(e.peers[1].name, "gateway");
  EXPECT_EQ(e.peers[1].published_port, 8002);
  EXPECT_EQ(e.peers[2].published_port, 0);
  EXPECT_EQ(e.others, (Traffic{1, 600, 2, 50}));
}

TEST(AddressBook, only_the_same_podman_and_only_one_holder) {
  Inventory inventory;
  Container rootful = container("db", 3, "10.89.0.3/24");
  rootful.rootless = false;
  rootful.owner = 0;
  inventory.containers = {container("web", 1, "10.89.0.2/24"), rootful, container("a", 4, "10.0.2.100/24"),
                          container("b", 5, "10.0.2.100/24")};
  const AddressBook book(inventory);
  const auto name = [&](const char* address, const Container& from) {
    return book.name(*IpAddress::parse(address), from);
  };
  EXPECT_EQ(name("10.89.0.2", inventory.containers[0]), "web");
  EXPECT_EQ(name("10.89.0.2", rootful), "");
  EXPECT_EQ(name("10.89.0.3", inventory.containers[0]), "");
  EXPECT_EQ(name("10.89.0.3", rootful), "db");
  EXPECT_EQ(name("10.0.2.100", inventory.containers[0]), "");
}

TEST(AddressBook, a_pods_address_has_the_pods_name) {
  Inventory inventory;
  Container infra = container("0123456789ab-infra", 1, "10.89.0.7/24");
  infra.infra = true;
  infra.pod_id = "p";
  inventory.containers = {infra};
  inventory.pods = {{"p", "shop", "Running", infra.id, {infra.id}}};
  EXPECT_EQ(AddressBook(inventory).name(*IpAddress::parse("10.89.0.7"), infra), "pod/shop");
}

TEST(Judge, members_are_those_in_the_namespace) {
  Inventory inventory;
  Container infra = container("infra", 1);
  infra.infra = true;
  Container stopped = container("stopped", 1);
  stopped.pid = 0;
  inventory.containers = {infra, container("back", 1), container("front", 1), container("web", 2), stopped};
  Measured m = measured(infra, {}, {});
  m.target.value = "podman:pod/shop";
  m.target.pod = "shop";
  const Entry e = entry_of(m, inventory);
  EXPECT_EQ(e.members, (std::vector<std::string>{"back", "front"}));
  EXPECT_EQ(e.name, "pod/shop");
  EXPECT_EQ(e.pod, "shop");
}

TEST(SumPods, each_namespace_once) {
  Entry a;
  a.pod = "shop";
  a.now.lo_bytes = 5;
  a.connections = 2;
  Entry b = a;
  b.now.lo_bytes = 7;
  b.connections.reset();
  Entry alone;
  const auto pods = sum_pods({a, alone, b});
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ(pods[0].name, "shop");
  EXPECT_EQ(pods[0].namespaces, 2U);
  EXPECT_EQ(pods[0].now.lo_bytes, 12U);
  EXPECT_EQ(pods[0].connections, 2U);
}

TEST(Sort, every_order_has_a_name_and_the_circle_closes) {
  Sort s = Sort::rate;
  std::size_t steps = 0;
  do {
    EXPECT_EQ(sort_by_name(to_string(s)), s);
    s = next(s);
    ++steps;
  } while (s != Sort::rate && steps < 100);
  EXPECT_EQ(steps, 9U);
  EXPECT_FALSE(sort_by_name("speed"));
}

TEST(Sort, most_first_and_names_break_ties) {
  std::vector<Entry> entries(3);
  entries[0].name = "b";
  entries[1].name = "a";
  entries[2].name = "c";
  entries[2].now.traffic.rx_bytes = 1;
  sort_entries(entries, Sort::rate);
  EXPECT_EQ(entries[0].name + entries[1].name + entries[2].name, "cab");
  sort_entries(entries, Sort::name);
  EXPECT_EQ(entries[0].name + entries[1].name + entries[2].name, "abc");
}

}  // namespace
}  // namespace podshark::extcap::top
