// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace sysctl_route_localnet {

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    if (c.place != Place::host || published(*c.container).empty()) return;
    if (facts.host.sysctl("net.ipv4.conf.all.route_localnet").value_or(0) != 0) return;
    for (const Leg& leg : legs(facts, c)) {
      if (leg.bridge == nullptr || !leg.routed()) continue;
      const model::LinkSettings* settings = facts.host.settings(leg.bridge->ifindex);
      if (settings == nullptr || settings->route_localnet != 0) continue;
      const std::string key = "net.ipv4.conf." + leg.bridge->name + ".route_localnet";
      Finding f = finding(
          kSysctlRouteLocalnet.id, Severity::error, c.subject(),
          "published ports do not answer on 127.0.0.1: the bridge does not take packets from loopback "
          "addresses");
      f.evidence = {key + " = 0"};
      f.fix = {sudo(facts) + "sysctl -w " + key + "=1",
               "lasting: a line '" + key + " = 1' in a file of /etc/sysctl.d that is read last"};
      out.push_back(std::move(f));
    }
  });
}

}  // namespace sysctl_route_localnet

const Check kSysctlRouteLocalnet{"sysctl.route-localnet", "127.0.0.1 does not lead to published ports",
                                 "Only connections from the host to 127.0.0.1:PORT time out. netavark sets "
                                 "route_localnet=1 on its bridges; "
                                 "something set it back. Proof: the sysctl; InAddrErrors of /proc/net/snmp "
                                 "rises on the host with every attempt.",
                                 sysctl_route_localnet::check};

}  // namespace podshark::diagnose
