// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/api/netavark.h"

#include <gtest/gtest.h>

namespace podshark::api {
namespace {

// netavark 1.14 (Debian 13), /run/containers/networks/firewall/ports/NET_ID.
constexpr const char* kPorts = R"({"container_id":"61b4","port_mappings":[{"container_port":80,"host_ip":"",
  "host_port":28080,"protocol":"tcp","range":1},{"container_port":90,"host_ip":"127.0.0.1","host_port":9000,
  "protocol":"udp","range":3}],"network_name":"podman","container_ip_v4":"10.88.0.2","subnet_v4":"10.88.0.0/16",
  "dns_server_ips":["10.88.0.1"]})";

TEST(NetavarkPorts, are_read_with_their_ranges) {
  const Result<NetavarkPorts> read = parse_netavark_ports(kPorts);
  ASSERT_TRUE(read);
  EXPECT_EQ("podman", read->network);
  EXPECT_EQ("10.88.0.2", read->address);
  ASSERT_EQ(2U, read->ports.size());
  EXPECT_EQ(28080, read->ports[0].host_port);
  EXPECT_EQ(3, read->ports[1].range);
  EXPECT_EQ("127.0.0.1", read->ports[1].host_ip);
}

TEST(NetavarkPorts, nonsense_is_an_error_and_gaps_are_defaults) {
  EXPECT_FALSE(parse_netavark_ports("no JSON"));
  EXPECT_FALSE(parse_netavark_ports("[]"));
  const Result<NetavarkPorts> read = parse_netavark_ports(R"({"port_mappings":[{}, 7]})");
  ASSERT_TRUE(read);
  for (const model::PortMapping& port : read->ports) EXPECT_EQ(1, port.range);
}

}  // namespace
}  // namespace podshark::api
