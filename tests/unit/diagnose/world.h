// SPDX-License-Identifier: GPL-2.0-or-later
// A healthy host with one container on a bridge; tests break one thing of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "podman/diagnose/check.h"
#include "podman/firewall/parse_iptables.h"
#include "podman/firewall/parse_nft.h"

namespace podshark::diagnose {

class World : public ::testing::Test {
 protected:
  World() {
    model::Network net;
    net.id = std::string(64, '2');
    net.name = "podman";
    net.driver = "bridge";
    net.bridge = "podman0";
    net.subnets = {"10.88.0.0/16"};
    net.gateways = {"10.88.0.1"};
    net.dns = true;
    facts.resolver.alive = true;
    facts.inventory.networks.push_back(net);
    facts.inventory.time_ns = 1'000'000'000'000;
    model::Container web;
    web.id = std::string(64, 'a');
    web.name = "web";
    web.state = "running";
    web.pid = 100;
    web.started_at = 1;
    web.netns = 7;
    web.kind = model::NetworkKind::bridge;
    model::Attachment place;
    place.network = "podman";
    place.interface = "eth0";
    place.mac = "02:00:00:00:00:02";
    place.addresses = {"10.88.0.2/16"};
    place.gateway = "10.88.0.1";
    web.networks.push_back(place);
    model::PortMapping port;
    port.host_port = 8080;
    port.container_port = 80;
    web.ports.push_back(port);
    facts.inventory.containers.push_back(web);
    host();
    inside();
  }

  [[nodiscard]] model::Container& web() { return facts.inventory.containers.front(); }
  [[nodiscard]] ContainerFacts& box() { return facts.containers.front(); }
  [[nodiscard]] model::LinkSettings& bridge_settings() { return facts.host.state.links[1]; }

  void rules(const std::string& json) {
    Result<firewall::Ruleset> parsed = firewall::parse_nft_json(json);
    ASSERT_TRUE(parsed) << parsed.error().line();
    facts.host.firewall = std::move(parsed).value();
  }

  /// Rules of iptables-nft; none of them is netavark's, which is no matter then.
  void iptables(const std::string& save) {
    Result<firewall::Ruleset> parsed =
        firewall::parse_iptables_save(save, firewall::Family::ip, firewall::Maker::iptables);
    ASSERT_TRUE(parsed) << parsed.error().line();
    facts.host.firewall = std::move(parsed).value();
    facts.intended.driver = "none";
  }

  /// A second container, the same as web but for its name and address.
  model::Container& add_shop() {
    model::Container other = web();
    other.id = std::string(64, 'b');
    other.name = "shop";
    other.netns = 8;
    other.networks.front().addresses = {"10.88.0.3/16"};
    facts.inventory.containers.push_back(other);
    facts.containers.push_back(box());
    for (std::size_t i = 0; i < facts.containers.size(); ++i)
      facts.containers[i].container = &facts.inventory.containers[i];
    return facts.inventory.containers.back();
  }

  /// Ids of warnings and errors, in their order.
  [[nodiscard]] std::vector<std::string> wrong() const {
    std::vector<std::string> out;
    for (const Finding& f : judge(facts)) {
      if (f.severity != Severity::info) out.push_back(f.id);
    }
    return out;
  }

  Facts facts;

 private:
  static model::Link link(int index, const std::string& name, const std::string& kind,
                          const std::string& address) {
    model::Link l;
    l.ifindex = index;
    l.name = name;
    l.kind = kind;
    l.flags = 0x1;  // IFF_UP
    l.mtu = 1500;
    if (!address.empty()) l.addresses = {address};
    return l;
  }

  static model::LinkSettings settings(int index) {
    model::LinkSettings s;
    s.ifindex = index;
    s.forwarding = 1;
    s.rp_filter = 0;
    s.route_localnet = index == 3 ? 1 : 0;
    return s;
  }

  static model::Route default_route(int oif) {
    model::Route r;
    r.oif = oif;
    r.table = 254;
    return r;
  }

  void host() {
    Netns& h = facts.host;
    h.visible = h.listeners_known = true;
    h.links = {link(2, "wan0", "", "203.0.113.1/24"), link(3, "podman0", "bridge", "10.88.0.1/16"),
               link(4, "veth0", "veth", "")};
    h.links[2].master = 3;
    h.state.links = {settings(2), settings(3), settings(4)};
    h.state.all.forwarding = 1;
    h.state.all.rp_filter = 0;
    h.state.routes = {default_route(2)};
  }

  void inside() {
    ContainerFacts c;
    c.container = &facts.inventory.containers.front();
    c.net.visible = c.net.listeners_known = true;
    c.net.links = {link(2, "eth0", "veth", "10.88.0.2/16")};
    c.net.state.links = {settings(2)};
    c.net.state.routes = {default_route(2)};
    model::Listener l;
    l.port = 80;
    c.net.listeners = {l};
    c.veths = {facts.host.links[2]};
    model::RouteAnswer answer;
    answer.to = *IpAddress::parse("10.88.0.2");
    answer.oif = 3;
    c.host_routes = {answer};
    facts.containers.push_back(c);
  }
};

}  // namespace podshark::diagnose
