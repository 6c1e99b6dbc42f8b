// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/diagnose/checks/checks.h"
#include "podman/diagnose/common.h"

namespace podshark::diagnose {

namespace ctr_no_default_route {

bool has_default(const Netns& net, bool v6) {
  for (const model::Route& r : net.state.routes) {
    if (r.v6 == v6 && r.prefix == 0 && r.type == 1) return true;  // RTN_UNICAST
  }
  return false;
}

// Its networks have a gateway of a family that it has no default route of: false IPv4, true IPv6.
std::optional<bool> missing(const Facts& facts, const ContainerFacts& c) {
  for (const Leg& leg : legs(facts, c)) {
    const std::optional<IpAddress> gateway = IpAddress::parse(leg.attachment->gateway);
    const bool wanted = leg.network == nullptr || !leg.network->no_default_route;
    if (wanted && !leg.internal() && gateway && !has_default(c.net, !gateway->is_v4()))
      return !gateway->is_v4();
  }
  return std::nullopt;
}

void check(const Facts& facts, Findings& out) {
  each_bridged(facts, [&](const ContainerFacts& c) {
    bool linked = false;
    for (const Leg& leg : legs(facts, c)) linked = linked || c.net.link(leg.attachment->interface) != nullptr;
    if (!linked || !c.net.visible) return;
    const std::optional<bool> v6 = missing(facts, c);
    if (!v6) return;
    Finding f =
        finding(kCtrNoDefaultRoute.id, Severity::error, c.subject(),
                "it has no default route: it reaches nothing beyond its own subnets, and answers to clients "
                "outside are lost");
    f.evidence = {std::string(*v6 ? "no IPv6 route to ::/0" : "no IPv4 route to 0.0.0.0/0") +
                  " in its network namespace, though its network has a gateway"};
    f.fix = {reload(facts, c),
             "lasting: find what removes it, a DHCP client in the image or the program itself"};
    out.push_back(std::move(f));
  });
}

}  // namespace ctr_no_default_route

const Check kCtrNoDefaultRoute{"ctr.no-default-route", "the container has no default route",
                               "Outbound connections fail at once with ENETUNREACH; clients outside time "
                               "out, since answers to them have no way "
                               "back. The host itself still reaches the container, whose gateway it is. "
                               "Proof: /proc/PID/net/route has no line "
                               "with destination 00000000.",
                               ctr_no_default_route::check};

}  // namespace podshark::diagnose
