// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/top/peer_table.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace podshark::extcap::top {
namespace {

PacketFlow flow(const char* source, std::uint16_t source_port, const char* destination,
                std::uint16_t destination_port, std::uint8_t protocol = IPPROTO_TCP) {
  PacketFlow f;
  f.ip = true;
  f.ports = source_port != 0;
  f.protocol = protocol;
  f.source = *IpAddress::parse(source);
  f.destination = *IpAddress::parse(destination);
  f.source_port = source_port;
  f.destination_port = destination_port;
  return f;
}

ServicePorts listening(const std::vector<std::uint16_t>& ports) {
  ServicePorts out;
  out.set_tcp(ports);
  return out;
}

TEST(Place, both_directions_of_a_connection_have_one_key) {
  const ServicePorts ports = listening({8080});
  // A client of ours on port 8080, which is greater than the client's.
  const Placed in = place(flow("10.0.0.9", 5000, "10.88.0.2", 8080), false, false, ports);
  const Placed out = place(flow("10.88.0.2", 8080, "10.0.0.9", 5000), true, false, ports);
  EXPECT_EQ(in.key, out.key);
  EXPECT_FALSE(in.sent);
  EXPECT_TRUE(out.sent);
  EXPECT_EQ(in.key.side, Side::local);
  EXPECT_EQ(in.key.port, 8080);
  EXPECT_EQ(in.key.peer.text(), "10.0.0.9");
}

TEST(Place, a_service_elsewhere_is_named_by_its_own_port) {
  const ServicePorts ports = listening({80});
  const Placed out = place(flow("10.88.0.2", 2000, "10.0.0.9", 5432), true, false, ports);
  EXPECT_EQ(out.key.side, Side::remote);
  EXPECT_EQ(out.key.port, 5432);
}

TEST(Place, without_knowing_the_listeners_the_smaller_port_is_the_service) {
  const ServicePorts unknown;
  EXPECT_EQ(place(flow("10.0.0.9", 5000, "10.88.0.2", 80), false, false, unknown).key.side, Side::local);
  EXPECT_EQ(place(flow("10.0.0.9", 53, "10.88.0.2", 4000, IPPROTO_UDP), false, false, listening({})).key.port,
            53);
}

TEST(Place, published_ports_are_services) {
  ServicePorts ports = listening({});
  ports.publish(IPPROTO_UDP, 51820);
  ports.publish(IPPROTO_TCP, 9000);
  const Placed udp = place(flow("10.0.0.9", 1024, "10.88.0.2", 51820, IPPROTO_UDP), false, false, ports);
  EXPECT_EQ(udp.key.side, Side::local);
  EXPECT_EQ(udp.key.port, 51820);
  EXPECT_EQ(place(flow("10.0.0.9", 1024, "10.88.0.2", 9000), false, false, ports).key.side, Side::local);
  EXPECT_FALSE(ports.serves(IPPROTO_TCP, 51820));
}

TEST(Place, loopback_goes_to_the_service_and_comes_from_it) {
  const ServicePorts ports = listening({8080});
  const Placed request = place(flow("127.0.0.1", 5000, "127.0.0.1", 8080), false, true, ports);
  const Placed answer = place(flow("127.0.0.1", 8080, "127.0.0.1", 5000), false, true, ports);
  EXPECT_EQ(request.key, answer.key);
  EXPECT_FALSE(request.sent);
  EXPECT_TRUE(answer.sent);
  EXPECT_TRUE(request.key.loopback);
  EXPECT_NE(request.key, place(flow("127.0.0.1", 5000, "127.0.0.1", 8080), false, false, ports).key);
}

TEST(Place, handshakes_tell_the_service_before_any_list_does) {
  const ServicePorts none = listening({});
  PacketFlow syn = flow("10.0.0.9", 5000, "10.88.0.2", 8080);
  syn.opens = true;
  EXPECT_EQ(place(syn, false, false, none).key.port, 8080);
  EXPECT_EQ(place(syn, false, false, none).key.side, Side::local);
  EXPECT_EQ(place(syn, true, false, none).key.side, Side::remote);
  EXPECT_FALSE(place(syn, false, true, none).sent);
  PacketFlow answer = flow("10.88.0.2", 8080, "10.0.0.9", 5000);
  answer.accepts = true;
  EXPECT_EQ(place(answer, true, false, none).key, place(syn, false, false, none).key);
  EXPECT_EQ(place(answer, false, false, none).key.side, Side::remote);
  EXPECT_TRUE(place(answer, false, true, none).sent);
  EXPECT_EQ(place(answer, false, true, none).key.port, 8080);
}

TEST(ServicePorts, an_accepted_port_stays_known_when_its_listener_has_gone) {
  ServicePorts ports = listening({80});
  ports.learn_tcp(8080);
  ports.set_tcp({});
  EXPECT_TRUE(ports.serves(IPPROTO_TCP, 8080));
  EXPECT_FALSE(ports.serves(IPPROTO_TCP, 80));
  EXPECT_FALSE(ports.serves(IPPROTO_UDP, 8080));
}

TEST(Place, what_is_not_ip_is_one_peer) {
  const Placed p = place(PacketFlow{}, true, false, ServicePorts{});
  EXPECT_FALSE(p.key.ip);
  EXPECT_TRUE(p.sent);
}

TEST(PeerTable, sums_and_order) {
  PeerTable table(10, 1);
  const ServicePorts ports = listening({80});
  const auto add = [&](const char* peer, std::uint32_t bytes, bool sent) {
    table.add(place(sent ? flow("10.88.0.2", 80, peer, 5000) : flow(peer, 5000, "10.88.0.2", 80), sent, false,
                    ports),
              bytes);
  };
  add("10.0.0.1", 100, false);
  add("10.0.0.2", 5000, false);
  add("10.0.0.1", 1500, true);
  add("10.0.0.1", 60, false);
  const PeerSums sums = table.take();
  ASSERT_EQ(sums.peers.size(), 2U);
  EXPECT_EQ(sums.peers[0].first.peer.text(), "10.0.0.2");
  EXPECT_EQ(sums.peers[1].second, (Traffic{2, 160, 1, 1500}));
  EXPECT_EQ(sums.others, Traffic{});
  EXPECT_TRUE(table.take().peers.empty());
}

TEST(PeerTable, a_flood_of_addresses_stays_within_the_limit_and_loses_no_byte) {
  PeerTable table(100, 1);
  std::uint64_t sent = 0;
  for (unsigned i = 0; i < 50000; ++i) {
    const std::uint8_t raw[4] = {10, 0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
    PacketFlow f = flow("10.0.0.1", 5000, "10.88.0.2", 80);
    f.source = IpAddress::v4(raw);
    table.add(place(f, false, false, listening({80})), 60);
    sent += 60;
  }
  const PeerSums sums = table.take();
  EXPECT_EQ(sums.peers.size(), 100U);
  std::uint64_t counted = sums.others.rx_bytes;
  for (const auto& [key, t] : sums.peers) counted += t.rx_bytes;
  EXPECT_EQ(counted, sent);
}

}  // namespace
}  // namespace podshark::extcap::top
