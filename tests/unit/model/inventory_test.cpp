// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/model/inventory.h"

#include <gtest/gtest.h>

namespace podshark::model {
namespace {

TEST(PortMapping, text_shows_address_range_and_protocol) {
  EXPECT_EQ(to_string(PortMapping{"", 8080, 80, 1, "tcp"}), "8080\u219280/tcp");
  EXPECT_EQ(to_string(PortMapping{"127.0.0.1", 8000, 9000, 10, "udp"}),
            "127.0.0.1:8000-8009\u21929000-9009/udp");
  EXPECT_EQ(to_string(PortMapping{"::1", 53, 53, 1, "udp"}), "[::1]:53\u219253/udp");
}

TEST(NetworkKind, words_round_trip) {
  for (const NetworkKind kind :
       {NetworkKind::unknown, NetworkKind::none, NetworkKind::host, NetworkKind::bridge, NetworkKind::macvlan,
        NetworkKind::ipvlan, NetworkKind::slirp4netns, NetworkKind::pasta, NetworkKind::shared,
        NetworkKind::ns_path}) {
    EXPECT_EQ(network_kind(to_string(kind)), kind);
  }
  EXPECT_EQ(network_kind("something new"), NetworkKind::unknown);
}

TEST(Inventory, finds_by_id) {
  Inventory inventory;
  inventory.containers.resize(2);
  inventory.containers[1].id = "b";
  inventory.pods.resize(1);
  inventory.pods[0].id = "p";
  EXPECT_EQ(inventory.by_id("b"), &inventory.containers[1]);
  EXPECT_EQ(inventory.by_id("c"), nullptr);
  EXPECT_EQ(inventory.pod_by_id("p"), inventory.pods.data());
  EXPECT_EQ(inventory.pod_by_id("b"), nullptr);
}

TEST(Inventory, same_state_ignores_time_and_problems_only) {
  Inventory a;
  a.containers.resize(1);
  Inventory b = a;
  b.time_ns = 5;
  b.problems.push_back({"podman", "slow", ""});
  EXPECT_TRUE(a.same_state(b));
  b.containers[0].pid_start = 7;
  EXPECT_FALSE(a.same_state(b));
}

TEST(Container, is_alive_while_it_has_a_process) {
  Container c;
  c.state = "running";
  EXPECT_FALSE(c.alive());
  c.pid = 1;
  EXPECT_TRUE(c.alive());
}

}  // namespace
}  // namespace podshark::model
