// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace route_subnet_captured {

void check_route(const Facts& facts, const ContainerFacts& c, const Leg& leg,
                 const model::RouteAnswer& answer, Findings& out) {
  if (leg.bridge == nullptr || (answer.error == 0 && answer.oif == leg.bridge->ifindex)) return;
  const Netns& there = facts.where(c.place);
  const model::Link* via = there.link(answer.oif);
  Finding f =
      finding(kRouteSubnetCaptured.id, Severity::error, c.subject(),
              "the host sends packets for it elsewhere than to its bridge: a route or a policy rule has "
              "captured the address");
  f.evidence = {answer.to.text() + " is " +
                (answer.error != 0 ? "unreachable by the host's routes"
                 : via != nullptr  ? "routed to " + via->name
                                   : "routed elsewhere") +
                (answer.gateway ? " via " + answer.gateway->text() : "") + ", not to " + leg.bridge->name};
  const std::string subnet = leg.network->subnets.empty() ? answer.to.text() : leg.network->subnets.front();
  f.fix = {
      "ip route get " + answer.to.text() + "; ip rule   # who has made this way: a VPN, an overlapping LAN?",
      sudo(facts) + "ip rule add to " + subnet + " table main pref 10",
      "lasting: another subnet for the network (podman network create --subnet), or default_subnet_pools in "
      "containers.conf"};
  out.push_back(std::move(f));
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    for (const Leg& leg : legs(facts, c)) {
      // A bridge that is down or without its address has no route either: another check's matter.
      if (leg.unmanaged() || leg.bridge == nullptr || (leg.bridge->flags & 1U) == 0 ||
          leg.bridge->addresses.empty() || leg.bridge->master != 0)  // --opt vrf=: its routes are the VRF's
        continue;
      for (const std::string& text : leg.attachment->addresses) {
        for (const model::RouteAnswer& answer : c.host_routes) {
          if (IpAddress::parse(text) == answer.to) check_route(facts, c, leg, answer, out);
        }
      }
    }
  });
}

}  // namespace route_subnet_captured

const Check kRouteSubnetCaptured{
    "route.subnet-captured", "another route takes the container's packets",
    "The host and clients outside cannot reach the container: ENETUNREACH or time-outs. A VPN, an "
    "overlapping LAN "
    "or a policy rule owns its address. Proof: `ip route get ADDRESS` names another device than the bridge.",
    route_subnet_captured::check};

}  // namespace podshark::diagnose
