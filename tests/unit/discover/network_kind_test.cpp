// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/discover/network_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podshark::discover {
namespace {

using api::NetworkDetails;
using model::Attachment;
using model::Container;
using model::NetworkKind;

NetworkDetails network(const std::string& name, const std::string& driver) {
  NetworkDetails n;
  n.network.name = name;
  n.network.driver = driver;
  return n;
}

Container in_networks(const std::string& mode, const std::vector<std::string>& names) {
  Container c;
  c.id = "c1";
  c.mode = mode;
  for (const std::string& name : names) c.networks.push_back({name, "", "", {}, ""});
  return c;
}

TEST(SetNetworkKind, modes_without_networks_drop_podmans_empty_entries) {
  const std::vector<std::pair<std::string, NetworkKind>> modes{
      {"host", NetworkKind::host},
      {"none", NetworkKind::none},
      {"slirp4netns", NetworkKind::slirp4netns},
      {"slirp4netns:mtu=1500", NetworkKind::slirp4netns},
      {"pasta", NetworkKind::pasta},
      {"pasta:-T,80", NetworkKind::pasta},
      {"ns:/run/netns/x", NetworkKind::ns_path}};
  for (const auto& [mode, kind] : modes) {
    Container c = in_networks(mode, {"host"});
    set_network_kind(c, {});
    EXPECT_EQ(c.kind, kind) << mode;
    EXPECT_TRUE(c.networks.empty()) << mode;
  }
}

TEST(SetNetworkKind, container_mode_names_the_owner) {
  Container c = in_networks("container:abc", {"podman"});
  set_network_kind(c, {});
  EXPECT_EQ(c.kind, NetworkKind::shared);
  EXPECT_EQ(c.shares_with, "abc");
  EXPECT_TRUE(c.networks.empty()) << "they are the owner's";
}

TEST(SetNetworkKind, the_driver_decides_where_podman_says_bridge) {
  const std::vector<NetworkDetails> networks{network("b", "bridge"), network("m", "macvlan"),
                                             network("i", "ipvlan")};
  const std::vector<std::pair<std::vector<std::string>, NetworkKind>> cases{
      {{"b"}, NetworkKind::bridge},
      {{"m"}, NetworkKind::macvlan},
      {{"i"}, NetworkKind::ipvlan},
      {{"m", "b"}, NetworkKind::bridge},
      {{"not inspected"}, NetworkKind::bridge},
      {{}, NetworkKind::unknown}};
  for (const auto& [names, kind] : cases) {
    Container c = in_networks("bridge", names);
    set_network_kind(c, networks);
    EXPECT_EQ(c.kind, kind) << names.size();
    EXPECT_EQ(c.networks.size(), names.size());
  }
}

TEST(SetLinkNames, the_mac_decides_then_the_network) {
  NetworkDetails n = network("b", "bridge");
  n.links = {{"c1", "eth1", "aa:00:00:00:00:01", {"10.0.0.2/24"}},
             {"c1", "eth0", "aa:00:00:00:00:02", {"10.0.0.3/24"}},
             {"c2", "eth7", "aa:00:00:00:00:03", {}}};
  Container c = in_networks("bridge", {"b"});
  c.networks[0].mac = "aa:00:00:00:00:01";
  set_link_names(c, {n});
  EXPECT_EQ(c.networks[0].interface, "eth1");
  EXPECT_THAT(c.networks[0].addresses, testing::ElementsAre("10.0.0.2/24"));
  Container other = in_networks("bridge", {"b"});
  other.id = "c2";
  set_link_names(other, {n});
  EXPECT_EQ(other.networks[0].interface, "eth7");
  EXPECT_EQ(other.networks[0].mac, "aa:00:00:00:00:03");
}

}  // namespace
}  // namespace podshark::discover
