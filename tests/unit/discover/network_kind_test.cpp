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

model::Link host_link(const std::string& name, const std::string& kind, const std::string& address) {
  model::Link link;
  link.name = name;
  link.kind = kind;
  if (!address.empty()) link.addresses = {address};
  return link;
}

Container with_link(const std::string& name, const std::string& address, const std::string& gateway,
                    bool rootless = false) {
  Container c;
  c.rootless = rootless;
  c.networks.push_back({"", name, "", {address}, gateway});
  return c;
}

NetworkKind kind_from_links(Container c) {
  set_kind_from_links(c, {host_link("lo", "", "127.0.0.1/8"), host_link("wan0", "", "203.0.113.1/24"),
                          host_link("podman0", "bridge", "10.88.0.1/16"), host_link("br0", "bridge", "")});
  return c.kind;
}

TEST(SetKindFromLinks, a_default_route_to_a_bridge_of_the_host_is_a_bridge_network) {
  EXPECT_EQ(kind_from_links(with_link("eth0", "10.88.0.2/16", "10.88.0.1")), NetworkKind::bridge);
}

TEST(SetKindFromLinks, what_addresses_do_not_prove_stays_unknown) {
  EXPECT_EQ(kind_from_links(with_link("eth0", "203.0.113.50/24", "203.0.113.1")), NetworkKind::unknown)
      << "macvlan, ipvlan or a namespace of somebody's own";
  EXPECT_EQ(kind_from_links(with_link("eth0", "10.88.0.2/16", "")), NetworkKind::unknown);
  EXPECT_EQ(kind_from_links(with_link("eth0", "10.88.0.2/16", "10.88.0.10")), NetworkKind::unknown);
  EXPECT_EQ(kind_from_links(Container{}), NetworkKind::unknown);
}

TEST(SetKindFromLinks, rootless_helpers_are_known_by_their_addresses) {
  const auto slirp = [](bool rootless) { return with_link("tap0", "10.0.2.100/24", "10.0.2.2", rootless); };
  const auto pasta = [](bool rootless) {
    return with_link("wan0", "203.0.113.1/24", "203.0.113.2", rootless);
  };
  EXPECT_EQ(kind_from_links(slirp(true)), NetworkKind::slirp4netns);
  EXPECT_EQ(kind_from_links(pasta(true)), NetworkKind::pasta);
  EXPECT_EQ(kind_from_links(slirp(false)), NetworkKind::unknown);
  EXPECT_EQ(kind_from_links(pasta(false)), NetworkKind::unknown);
}

TEST(SetKindFromLinks, a_known_kind_stays) {
  Container c = with_link("eth0", "10.88.0.2/16", "10.88.0.1");
  c.kind = NetworkKind::ns_path;
  EXPECT_EQ(kind_from_links(c), NetworkKind::ns_path);
}

}  // namespace
}  // namespace podshark::discover
